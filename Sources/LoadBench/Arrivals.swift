import Statistics

/// When requests are sent, decided before the first one is: an open loop, so a slow server never slows the arrivals.
package enum Arrivals: Sendable, Equatable {
    /// All at once.
    case immediate
    /// A Poisson process with this many requests per second.
    case poisson(rate: Double)
    /// As recorded in the dataset, stretched by a factor.
    case trace(slowdown: Double)

    /// Seconds after the start, one for each item, ascending.
    package func times(of items: [WorkItem], seed: UInt64) -> [Double] {
        switch self {
        case .immediate: return Array(repeating: 0, count: items.count)
        case .poisson(let rate):
            // A stream of its own: another dataset at the same rate meets the same arrivals.
            var random = RandomSource(seed: seed ^ 0xA55A_0001)
            var now = 0.0
            return items.map { _ in
                defer { now += random.exponential(mean: 1 / rate) }
                return now
            }
        case .trace(let slowdown):
            let first = items.compactMap(\.timestamp).min() ?? 0
            return items.map { (($0.timestamp ?? first) - first) * slowdown }
        }
    }
}
