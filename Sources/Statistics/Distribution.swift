/// A sample in ascending order, with the statistics of NumPy: percentiles between neighbours are interpolated linearly,
/// the deviation is that of the population. Everything is 0 for an empty sample, as SGLang's client reports it.
package struct Distribution: Sendable, Equatable {
    package let sorted: [Double]

    /// - Complexity: O(n log n)
    package init(_ values: [Double]) { sorted = values.sorted() }

    package var count: Int { sorted.count }
    package var mean: Double { sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count) }
    package var median: Double { percentile(50) }
    package var maximum: Double { sorted.last ?? 0 }

    package var deviation: Double {
        guard !sorted.isEmpty else { return 0 }
        let mean = mean
        return (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sorted.count)).squareRoot()
    }

    /// - Parameter percent: in 0...100.
    package func percentile(_ percent: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let place = percent / 100 * Double(sorted.count - 1)
        let below = Int(place.rounded(.down))
        guard below + 1 < sorted.count else { return last }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
    }
}

extension [Double] {
    /// 0 for none.
    package var median: Double { Distribution(self).median }
}
