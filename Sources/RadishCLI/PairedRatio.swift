import LoadBench

/// The ratio of two times measured in turns, with its 95% interval.
struct PairedRatio {
    let ratio: Double
    let low: Double
    let high: Double

    /// - Parameter pairs: times of the same work without and with what is measured.
    init(_ pairs: [(without: Double, with: Double)]) {
        let interval = Bootstrap.interval(runs: pairs.map { (a: $0.without, b: $0.with) })
        (ratio, low, high) = (interval.ratio, interval.low, interval.high)
    }
}
