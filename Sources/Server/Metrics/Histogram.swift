/// Counts of values below given bounds, as Prometheus keeps them.
struct Histogram: Sendable {
    /// Upper bounds, ascending; what is above the last one counts in the sum and the total only.
    let bounds: [Double]
    /// Values at or below each bound and above the one before.
    private(set) var counts: [Int]
    private(set) var sum = 0.0
    private(set) var total = 0

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    /// - Complexity: O(log bounds).
    mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        if low < bounds.count { counts[low] += 1 }
        sum += value
        total += 1
    }

    // The bounds are those of SGLang and vLLM where they agree, so that quantiles read alike.
    static let seconds = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
        2560,
    ]
    static let tokenSeconds = [
        0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
        0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
    ]
    static let tokens = [
        1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    ]
}
