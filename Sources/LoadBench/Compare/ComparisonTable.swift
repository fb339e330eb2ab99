import Statistics

/// The ratio table for a terminal.
package enum ComparisonTable {
    package static func text(_ comparison: Comparison) -> String {
        var text = ""
        let base = comparison.targets[0].name
        for other in comparison.targets.indices.dropFirst() {
            let name = comparison.targets[other].name
            for rate in comparison.rates {
                let load = rate.isInfinite ? "all requests at once" : "\(rate.fixed(2)) req/s"
                text += "\n\(name) against \(base), \(load), \(comparison.repetitions) repetitions\n"
                text += "Metric".padded(to: 30) + base.prefix(14).leading(16) + name.prefix(14).leading(16)
                text += "Advantage".leading(12) + "95% interval".leading(18) + "  Verdict\n"
                for line in comparison.lines(rate: rate, other: other) {
                    text += line.metric.rawValue.padded(to: 30) + line.base.fixed(2).leading(16)
                    text += line.value.fixed(2).leading(16) + (line.advantage.ratio.fixed(2) + "x").leading(12)
                    text += "\(line.advantage.low.fixed(2)) to \(line.advantage.high.fixed(2))".leading(18)
                    text += "  " + verdict(line, base: base, other: name) + "\n"
                }
            }
        }
        return text + warnings(comparison).map { "\n" + $0 }.joined() + "\n"
    }

    /// A winner only where the interval excludes 1.
    package static func verdict(_ line: Comparison.Line, base: String, other: String) -> String {
        let advantage = line.advantage
        if !advantage.isDecidable { return "needs 3 repetitions" }
        guard advantage.isDifferent else { return "no difference shown" }
        return (advantage.low > 1 ? other : base) + " better"
    }

    /// What would make the numbers mean something else.
    package static func warnings(_ comparison: Comparison) -> [String] {
        var warnings: [String] = []
        for (index, target) in comparison.targets.enumerated() {
            let runs = comparison.samples.filter { $0.target == index }.map(\.run)
            let failed = runs.reduce(0) { $0 + $1.summary.failed }
            if failed > 0 { warnings.append("\(target.name): \(failed) requests failed; they are in no latency.") }
            let words = Set(runs.map { $0.cache.before.name })
            if words.count > 1 {
                warnings.append(
                    "\(target.name): its cache was \(words.sorted().joined(separator: " or ")) before a run.")
            }
            if runs.contains(where: { $0.overhead.isBusy }) {
                warnings.append(
                    "\(target.name): the client was busy in at least one run; its delays are in the numbers.")
            }
            if runs.contains(where: { $0.sharedPrompts != nil }) {
                warnings.append("\(target.name): it had seen prompts of this work before, and was not emptied.")
            }
        }
        return warnings
    }
}

extension StringProtocol {
    /// Filled up with spaces on the left.
    func leading(_ width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - self.count)) + String(self)
    }
}
