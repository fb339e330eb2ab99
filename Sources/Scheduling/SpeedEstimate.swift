/// Seconds for one unit of work, learnt from what was measured: an exponential average that forgets old load.
struct SpeedEstimate: Sendable {
    private(set) var secondsPerUnit: Double?

    mutating func learn(seconds: Double, units: Int) {
        guard units > 0, seconds >= 0, seconds.isFinite else { return }
        let sample = seconds / Double(units)
        secondsPerUnit = secondsPerUnit.map { $0 + 0.25 * (sample - $0) } ?? sample
    }

    /// Nil while nothing was measured.
    func seconds(for units: Int) -> Double? { secondsPerUnit.map { $0 * Double(units) } }
}

/// Whether reading pages from a tier is faster than computing them, on this machine and now.
struct TierSpeeds: Sendable {
    private var reading: [SpeedEstimate]
    private var asking = SpeedEstimate()
    private var refusals: [Int]
    /// So many refusals in a row, and it is read once nevertheless, because the tier may have become faster.
    private static let refusalsPerTrial = 32

    init(tiers: Int) {
        reading = Array(repeating: SpeedEstimate(), count: tiers)
        refusals = Array(repeating: 0, count: tiers)
    }

    mutating func learnReading(tier: Int, seconds: Double, pages: Int) {
        reading[tier].learn(seconds: seconds, units: pages)
    }

    mutating func learnAsking(seconds: Double) { asking.learn(seconds: seconds, units: 1) }

    /// - Parameter computing: seconds that computing the pages would take; nil if not known yet.
    mutating func pays(tier: Int, pages: Int, computing: Double?) -> Bool {
        guard let computing, let read = reading[tier].seconds(for: pages) else { return true }
        if read + (asking.seconds(for: 1) ?? 0) < computing {
            refusals[tier] = 0
            return true
        }
        refusals[tier] += 1
        guard refusals[tier] > Self.refusalsPerTrial else { return false }
        refusals[tier] = 0
        return true
    }
}
