import Statistics

/// Several servers with the same work, one after the other, over and over.
package struct Comparison: Sendable {
    /// One server under test.
    package struct Target: Sendable, Equatable {
        package var name: String
        package var url: String
        package var backend: ServingBackend

        package init(name: String, url: String, backend: ServingBackend) {
            self.name = name
            self.url = url
            self.backend = backend
        }

        /// Reads `URL`, `NAME=URL` or `NAME=BACKEND@URL`. A name that is a backend's sets the backend.
        package init?(_ text: String, backend: ServingBackend) {
            var rest = Substring(text)
            var name: String?
            self.backend = backend
            if let equals = rest.firstIndex(of: "="), !rest[..<equals].contains("/") {
                name = String(rest[..<equals])
                rest = rest[rest.index(after: equals)...]
            }
            if let at = rest.firstIndex(of: "@"), let given = ServingBackend(rawValue: String(rest[..<at])) {
                self.backend = given
                rest = rest[rest.index(after: at)...]
            } else if let name, let given = ServingBackend(rawValue: name) {
                self.backend = given
            }
            guard rest.hasPrefix("http://") || rest.hasPrefix("https://") else { return nil }
            url = String(rest)
            self.name = name ?? String(rest.drop { $0 != "/" }.dropFirst(2))
        }
    }

    /// One run of one target.
    package struct Sample: Sendable {
        package var target: Int
        package var rate: Double
        package var repetition: Int
        package var run: ServingRun

        package init(target: Int, rate: Double, repetition: Int, run: ServingRun) {
            self.target = target
            self.rate = rate
            self.repetition = repetition
            self.run = run
        }
    }

    package var targets: [Target]
    /// Requests per second, ascending; infinite: all at once.
    package var rates: [Double]
    package var repetitions: Int
    package var samples: [Sample] = []

    package init(targets: [Target], rates: [Double], repetitions: Int) {
        self.targets = targets
        self.rates = rates
        self.repetitions = repetitions
    }

    /// The order of the runs: A B, B A, A B, … so that neither a warming machine nor a slow drift favours one.
    package var schedule: [(repetition: Int, rate: Double, target: Int)] {
        (0..<repetitions).flatMap { repetition in
            rates.flatMap { rate in
                (repetition % 2 == 0 ? Array(targets.indices) : targets.indices.reversed()).map {
                    (repetition, rate, $0)
                }
            }
        }
    }

    /// What is compared, in the order of the table.
    package enum Metric: String, Sendable, CaseIterable {
        case outputThroughput = "Output throughput (tok/s)"
        case requestThroughput = "Request throughput (req/s)"
        case medianTTFT = "Median TTFT (ms)"
        case p99TTFT = "P99 TTFT (ms)"
        case medianTPOT = "Median TPOT (ms)"
        case p99ITL = "P99 ITL (ms)"
        case medianLatency = "Median E2E latency (ms)"
        case p99Latency = "P99 E2E latency (ms)"

        /// Without the unit.
        var name: String { String(rawValue.prefix { $0 != "(" }.dropLast()) }

        package var higherIsBetter: Bool { self == .outputThroughput || self == .requestThroughput }
    }

    /// A line of the ratio table: target `other` against target 0.
    package struct Line: Sendable {
        package var metric: Metric
        package var rate: Double
        package var other: Int
        package var base: Double
        package var value: Double
        package var interval: RatioInterval

        /// Above 1: the other one is better.
        package var advantage: RatioInterval {
            if metric.higherIsBetter { return interval }
            return RatioInterval(
                ratio: interval.ratio > 0 ? 1 / interval.ratio : .infinity,
                low: interval.high > 0 ? 1 / interval.high : 0, high: interval.low > 0 ? 1 / interval.low : .infinity,
                isDecidable: interval.isDecidable)
        }
    }

    package func lines(rate: Double, other: Int) -> [Line] {
        Metric.allCases.map { metric in
            let a = runs(of: 0, rate: rate)
            let b = runs(of: other, rate: rate)
            return Line(
                metric: metric, rate: rate, other: other, base: Self.value(metric, a), value: Self.value(metric, b),
                interval: Self.interval(metric, a, b))
        }
    }

    /// By repetition.
    package func runs(of target: Int, rate: Double) -> [ServingRun] {
        samples.filter { $0.target == target && $0.rate == rate }.sorted { $0.repetition < $1.repetition }.map(\.run)
    }

    /// Over all repetitions.
    static func value(_ metric: Metric, _ runs: [ServingRun]) -> Double {
        func pooled(_ values: (ServingSummary) -> Distribution) -> Distribution {
            Distribution(runs.flatMap { values($0.summary).sorted })
        }
        func mean(_ value: (ServingSummary) -> Double) -> Double {
            runs.isEmpty ? 0 : runs.reduce(0) { $0 + value($1.summary) } / Double(runs.count)
        }
        return switch metric {
        case .outputThroughput: mean(\.outputThroughput)
        case .requestThroughput: mean(\.requestThroughput)
        case .medianTTFT: pooled(\.timeToFirstToken).median * 1000
        case .p99TTFT: pooled(\.timeToFirstToken).percentile(99) * 1000
        case .medianTPOT: pooled(\.timePerOutputToken).median * 1000
        case .p99ITL: pooled(\.interTokenTime).percentile(99) * 1000
        case .medianLatency: pooled(\.latency).median * 1000
        case .p99Latency: pooled(\.latency).percentile(99) * 1000
        }
    }

    static func interval(_ metric: Metric, _ a: [ServingRun], _ b: [ServingRun]) -> RatioInterval {
        func pairs(_ value: @escaping (RequestOutcome) -> Double?) -> [[(a: Double, b: Double)]] {
            zip(a, b).map { a, b in
                zip(a.outcomes, b.outcomes).compactMap { one, other in
                    guard one.isSuccess, other.isSuccess, let first = value(one), let second = value(other) else {
                        return nil
                    }
                    return (first, second)
                }
            }
        }
        func runs(_ value: (ServingSummary) -> Double) -> [(a: Double, b: Double)] {
            zip(a, b).map { (value($0.summary), value($1.summary)) }
        }
        return switch metric {
        case .outputThroughput: Bootstrap.interval(runs: runs(\.outputThroughput))
        case .requestThroughput: Bootstrap.interval(runs: runs(\.requestThroughput))
        case .medianTTFT: Bootstrap.interval(pairs(\.timeToFirstToken), statistic: \.median)
        case .p99TTFT: Bootstrap.interval(pairs(\.timeToFirstToken)) { $0.percentile(99) }
        case .medianTPOT: Bootstrap.interval(pairs(\.timePerOutputToken), statistic: \.median)
        // Gaps of one request hang together, so whole runs are compared.
        case .p99ITL: Bootstrap.interval(runs: runs { $0.interTokenTime.percentile(99) })
        case .medianLatency: Bootstrap.interval(pairs(\.latency), statistic: \.median)
        case .p99Latency: Bootstrap.interval(pairs(\.latency)) { $0.percentile(99) }
        }
    }
}
