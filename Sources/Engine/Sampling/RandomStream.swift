import Statistics

/// Random numbers of one request, addressed by position: the n-th token draws the n-th number, whatever else is in the
/// batch and however often the request was retracted. Mixing function: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
package struct RandomStream: Sendable {
    package let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// Uniform in [0, 1) with 24 random bits.
    package func uniform(at index: Int) -> Float {
        Float(Self.mix(Self.mix(seed) &+ UInt64(bitPattern: Int64(index))) >> 40) * 0x1p-24
    }

    /// A seed for the n-th request that brings none.
    package static func derivedSeed(base: UInt64, sequence: Int) -> UInt64 {
        mix(base ^ mix(UInt64(bitPattern: Int64(sequence))))
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var source = RandomSource(seed: value)
        return source.next()
    }
}
