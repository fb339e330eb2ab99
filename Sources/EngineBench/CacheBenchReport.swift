package import PrefixCache
import Statistics

/// The tables of `radish bench cache`.
package struct CacheBenchReport: Sendable {
    /// What was measured of one workload.
    package struct Line: Sendable {
        package var workload: CacheWorkload
        package var cached: CacheBench.Run
        package var uncached: CacheBench.Run
        /// Hit rates with a pool of a share of the working set.
        package var pressured: [(share: Double, policy: EvictionPolicyName, run: CacheBench.Run)] = []

        package init(workload: CacheWorkload, cached: CacheBench.Run, uncached: CacheBench.Run) {
            self.workload = workload
            self.cached = cached
            self.uncached = uncached
        }
    }

    package var lines: [Line] = []

    package init() {}

    package var text: String {
        var text = ""
        for line in lines { text += "\(line.workload.name): \(line.workload.explanation)\n" }
        var table = TextTable([
            "workload", "requests", "prompt tokens", "hit rate", "optimum", "seconds", "cache off", "off/on",
        ])
        for line in lines {
            let (on, off) = (line.cached, line.uncached)
            table.append([
                line.workload.name, "\(line.workload.requests.count)", "\(on.promptTokens)", on.hitRate.percent,
                on.bestRate.percent, on.seconds.fixed(3), off.seconds.fixed(3), (off.seconds / on.seconds).fixed(3),
            ])
        }
        text += "\n" + table.text
        guard let first = lines.first(where: { !$0.pressured.isEmpty }) else { return text }
        let policies = EvictionPolicyName.allCases
        var shares: [Double] = []
        for entry in first.pressured where !shares.contains(entry.share) { shares.append(entry.share) }
        for share in shares {
            var table = TextTable(["hit rate, pool \(Int(share * 100))% of the working set"] + policies.map(\.rawValue))
            for line in lines where !line.pressured.isEmpty {
                table.append(
                    [line.workload.name]
                        + policies.map { policy in
                            line.pressured.first { $0.share == share && $0.policy == policy }?.run.hitRate.percent
                                ?? "-"
                        })
            }
            text += "\n" + table.text
        }
        return text
    }
}
