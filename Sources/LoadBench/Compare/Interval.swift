import Glibc
package import Statistics

/// A ratio B / A with the range it may truly have, at 95%.
package struct RatioInterval: Sendable, Equatable {
    package var ratio: Double
    package var low: Double
    package var high: Double
    /// Whether the repetitions say anything about the noise between runs.
    package var isDecidable: Bool

    package init(ratio: Double, low: Double, high: Double, isDecidable: Bool) {
        self.ratio = ratio
        self.low = low
        self.high = high
        self.isDecidable = isDecidable
    }

    /// Whether the interval excludes 1.
    package var isDifferent: Bool { isDecidable && (low > 1 || high < 1) }
}

/// Intervals for ratios of two servers that got the same work, run after run.
package enum Bootstrap {
    /// For a statistic of single requests, such as the median latency.
    ///
    /// Two levels are resampled: repetitions, and the requests in each (Davison and Hinkley, "Bootstrap Methods and their
    /// Application", 1997, section 3.8), the same ones for both servers because they got the same prompts. A handful of
    /// repetitions resampled with themselves shows too little of the noise between runs, so the interval is widened to
    /// what Student's t says about the logarithms of the repetitions' own ratios.
    ///
    /// - Parameters:
    ///   - pairs: for each repetition the values of both servers, request by request.
    ///   - statistic: of a sorted sample.
    /// - Complexity: O(rounds · n log n) for n requests.
    package static func interval(
        _ pairs: [[(a: Double, b: Double)]], rounds: Int = 1000, seed: UInt64 = 1,
        statistic: (Distribution) -> Double
    ) -> RatioInterval {
        let pairs = pairs.filter { !$0.isEmpty }
        guard !pairs.isEmpty else { return RatioInterval(ratio: 1, low: 0, high: .infinity, isDecidable: false) }
        func ratio(_ sample: [(a: Double, b: Double)]) -> Double {
            let a = statistic(Distribution(sample.map(\.a)))
            let b = statistic(Distribution(sample.map(\.b)))
            return a > 0 ? b / a : 1
        }
        var random = RandomSource(seed: seed)
        var ratios: [Double] = []
        for _ in 0..<rounds {
            var sample: [(a: Double, b: Double)] = []
            for _ in pairs.indices {
                let repetition = pairs[Int.random(in: pairs.indices, using: &random)]
                for _ in repetition.indices {
                    sample.append(repetition[Int.random(in: repetition.indices, using: &random)])
                }
            }
            ratios.append(ratio(sample))
        }
        let resampled = Distribution(ratios)
        var interval = RatioInterval(
            ratio: ratio(pairs.flatMap(\.self)), low: resampled.percentile(2.5), high: resampled.percentile(97.5),
            isDecidable: pairs.count >= 3)
        if let student = student(pairs.map(ratio)) {
            interval.low = min(interval.low, student.low)
            interval.high = max(interval.high, student.high)
        }
        return interval
    }

    /// For a number of whole runs, such as throughput: Student's t on the logarithms of the repetitions' ratios.
    package static func interval(runs: [(a: Double, b: Double)]) -> RatioInterval {
        let ratios = runs.filter { $0.a > 0 && $0.b > 0 }.map { $0.b / $0.a }
        let mean = ratios.isEmpty ? 1 : exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count))
        guard let student = student(ratios) else {
            return RatioInterval(ratio: mean, low: 0, high: .infinity, isDecidable: false)
        }
        return RatioInterval(ratio: mean, low: student.low, high: student.high, isDecidable: ratios.count >= 3)
    }

    /// Nil for less than two ratios.
    static func student(_ ratios: [Double]) -> (low: Double, high: Double)? {
        let logs = ratios.filter { $0 > 0 }.map { log($0) }
        guard logs.count >= 2 else { return nil }
        let mean = logs.reduce(0, +) / Double(logs.count)
        let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count - 1)
        let half = quantile(degrees: logs.count - 1) * (variance / Double(logs.count)).squareRoot()
        return (exp(mean - half), exp(mean + half))
    }

    /// 97.5% quantile of Student's t; beyond the table that of the normal distribution, a little widened.
    static func quantile(degrees: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        ]
        if degrees < 1 { return .infinity }
        return degrees <= table.count ? table[degrees - 1] : 1.96 + 2.6 / Double(degrees)
    }
}
