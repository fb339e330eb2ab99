import Glibc

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same work for the same `--seed` on every machine.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In (0, 1].
    package mutating func unit() -> Double { Double((next() >> 11) + 1) * 0x1p-53 }

    /// Time to the next event of a Poisson process.
    package mutating func exponential(mean: Double) -> Double { -log(unit()) * mean }
}
