import Statistics

/// What recorded traffic says about a prefix cache, in numbers and in sentences.
package struct Advice: Sendable {
    package struct CachePoint: Sendable, Equatable {
        package var cacheTokens: Int
        package var hitRate: Double
    }

    package var requests: Int
    package var promptTokens: Int
    package var outputTokens: Int
    /// Share of prompt tokens that an unlimited cache would have had.
    package var ceiling: Double
    package var curve: [CachePoint]
    /// The smallest cache with 95% of the ceiling.
    package var enoughTokens: Int?
    package var divergences: [Divergence]
    /// Share of all prompt bytes that is common but behind a difference.
    package var lostShare: Double
    package var bytesPerKVToken: Int?
    package var poolTokens: Int
    package var simulated: (without: Simulation.Result, with: Simulation.Result)?
    /// What had to be assumed.
    package var assumptions: [String]

    package init(
        requests: Int, promptTokens: Int, outputTokens: Int, reuse: ReuseDistance, finder: DivergenceFinder,
        poolTokens: Int, bytesPerKVToken: Int? = nil, simulated: (without: Simulation.Result, with: Simulation.Result)?,
        assumptions: [String]
    ) {
        self.requests = requests
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.poolTokens = poolTokens
        self.bytesPerKVToken = bytesPerKVToken
        self.simulated = simulated
        self.assumptions = assumptions
        ceiling = reuse.ceiling
        let most = max(reuse.distinctTokens, 1024)
        var sizes: [Int] = []
        var size = 1024
        while size < most, sizes.count < 24 {
            sizes.append(size)
            size *= 2
        }
        sizes.append(size)
        curve = zip(sizes, reuse.hitRates(cacheTokens: sizes)).map { CachePoint(cacheTokens: $0, hitRate: $1) }
        enoughTokens = reuse.cacheTokens(reaching: 0.95)
        divergences = finder.found.sorted { $0.lostBytes > $1.lostBytes }
        lostShare = finder.totalBytes > 0 ? Double(finder.lostBytes) / Double(finder.totalBytes) : 0
    }

    /// Less than this share of prompt tokens is no reason to do anything.
    static let worthwhile = 0.02

    package var nothingToGain: Bool { ceiling < Self.worthwhile && lostShare < 0.05 }

    /// For a terminal.
    package var text: String {
        var lines = [
            "\(requests) requests, \(promptTokens) prompt tokens, \(outputTokens) generated tokens",
            "Shared with earlier requests: \(percent(ceiling)) of the prompt tokens (what an unlimited cache would save)",
        ]
        if nothingToGain {
            lines.append("")
            lines.append(
                "Nothing is to be gained here: the prompts have next to nothing in common, neither at their beginning nor "
                    + "behind it. A prefix cache will not make this traffic faster, on any server.")
            lines += notes
            return lines.joined(separator: "\n") + "\n"
        }
        lines += ["", "Hit rate by cache size (least recently used):"]
        for point in curve {
            let bar = String(repeating: "█", count: Int((point.hitRate * 40).rounded()))
            lines.append(
                "  \(leading("\(point.cacheTokens)", 11)) tokens\(memory(point.cacheTokens)) \(leading(percent(point.hitRate), 6)) \(bar)"
            )
        }
        if let simulated, simulated.with.latencies.isEmpty {
            lines += ["", "No simulation: none of the requests fits the context and the pool."]
        } else if let simulated {
            let (without, with) = simulated
            lines += ["", "Simulated with Radish's scheduler and tree, \(poolTokens) tokens of cache:"]
            lines.append("                            no reuse     prefix cache     gain")
            lines.append(row("hit rate", percent(without.hitRate), percent(with.hitRate), nil))
            lines.append(
                gain(
                    "median TTFT (ms)", without.medianTimeToFirstToken * 1000, with.medianTimeToFirstToken * 1000,
                    lower: true))
            lines.append(
                gain("median latency (ms)", without.medianLatency * 1000, with.medianLatency * 1000, lower: true))
            lines.append(
                gain("output throughput (tok/s)", without.outputThroughput, with.outputThroughput, lower: false))
            if with.refused > 0 {
                lines.append("  \(with.refused) requests do not fit context or pool and were left out.")
            }
        }
        if !divergences.isEmpty {
            lines += [
                "",
                "What breaks sharing (\(percent(lostShare)) of the prompts' text is common but stands behind a difference):",
            ]
            for divergence in divergences.prefix(8) {
                lines.append(
                    "  \(divergence.cause.rawValue) in the \(divergence.segment), \(divergence.offset) bytes in: "
                        + "\(divergence.requests) requests, \(divergence.lostBytes >> 10) KiB recomputed")
                for example in divergence.examples.prefix(2) { lines.append("    \(example)") }
                lines.append("    → \(divergence.cause.advice)")
            }
        }
        lines += ["", "What to set:"]
        lines += settings.map { "  " + $0 }
        lines += notes
        return lines.joined(separator: "\n") + "\n"
    }

    private var settings: [String] {
        var settings: [String] = []
        if let enoughTokens {
            let room = "95% of what can be shared needs \(enoughTokens) tokens of cache\(memory(enoughTokens))"
            settings.append(
                enoughTokens <= poolTokens
                    ? "\(room): this pool of \(poolTokens) is enough."
                    : "--max-total-tokens \(enoughTokens) (or a higher --mem-fraction-static): \(room); this pool has \(poolTokens)."
            )
        }
        if lostShare >= 0.05 {
            settings.append(
                "In the client: mend the first cause above; up to \(percent(min(1, ceiling + lostShare))) could be shared."
            )
        }
        return settings.isEmpty ? ["nothing"] : settings
    }

    private var notes: [String] {
        assumptions.isEmpty ? [] : ["", "Assumptions:"] + assumptions.map { "  " + $0 }
    }

    private func memory(_ tokens: Int) -> String {
        guard let bytesPerKVToken else { return "" }
        let mebibytes = (tokens * bytesPerKVToken) >> 20
        return mebibytes >= 10_240 ? " (\(mebibytes >> 10) GiB)" : " (\(mebibytes) MiB)"
    }

    private func gain(_ name: String, _ without: Double, _ with: Double, lower: Bool) -> String {
        let ratio = lower ? (with > 0 ? without / with : 1) : (without > 0 ? with / without : 1)
        return row(name, without.fixed(1), with.fixed(1), ratio.fixed(2) + "x")
    }

    private func row(_ name: String, _ a: String, _ b: String, _ gain: String?) -> String {
        "  " + name + String(repeating: " ", count: max(1, 26 - name.count)) + leading(a, 10) + leading(b, 17)
            + leading(gain ?? "", 9)
    }

    private func leading(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func percent(_ share: Double) -> String { (share * 100).fixed(1) + "%" }
}
