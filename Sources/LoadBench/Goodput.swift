/// Requests that met every given limit.
package struct Goodput: Sendable, Equatable {
    /// `ttft`, `tpot` and `e2el`, as in SGLang's and vLLM's clients.
    package enum Metric: String, Sendable, CaseIterable {
        case ttft, tpot, e2el
    }

    package struct Limit: Sendable, Equatable {
        package var metric: Metric
        package var milliseconds: Double

        package init(_ metric: Metric, milliseconds: Double) {
            self.metric = metric
            self.milliseconds = milliseconds
        }

        /// Reads `ttft:200`.
        package init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 2, let metric = Metric(rawValue: String(parts[0])), let limit = Double(parts[1]),
                limit > 0, limit.isFinite
            else { return nil }
            self.init(metric, milliseconds: limit)
        }
    }

    package let limits: [Limit]
    /// Good requests by time.
    package let requestsPerSecond: Double
    /// Good requests by requests sent, failed ones included.
    package let attainment: Double
    /// The same for each limit alone.
    package let attainmentByMetric: [(metric: Metric, share: Double)]

    package init(_ outcomes: [RequestOutcome], limits: [Limit], seconds: Double) {
        self.limits = limits
        var good = 0
        var met = [Int](repeating: 0, count: limits.count)
        for outcome in outcomes where outcome.isSuccess {
            var isGood = true
            for (index, limit) in limits.enumerated() {
                let observed =
                    switch limit.metric {
                    case .ttft: outcome.timeToFirstToken
                    // An answer of one token has no gaps.
                    case .tpot: outcome.timePerOutputToken ?? 0
                    case .e2el: outcome.latency
                    }
                if observed * 1000 <= limit.milliseconds { met[index] += 1 } else { isGood = false }
            }
            if isGood { good += 1 }
        }
        let sent = Double(max(1, outcomes.count))
        requestsPerSecond = seconds > 0 ? Double(good) / seconds : 0
        attainment = Double(good) / sent
        attainmentByMetric = zip(limits, met).map { ($0.metric, Double($1) / sent) }
    }

    package static func == (left: Goodput, right: Goodput) -> Bool {
        left.limits == right.limits && left.requestsPerSecond == right.requestsPerSecond
            && left.attainment == right.attainment
    }
}
