import Statistics

/// The same numbers for the same seed on every machine, so that a failing property test can be run again.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var source: RandomSource

    package init(seed: UInt64) { source = RandomSource(seed: seed) }

    package mutating func next() -> UInt64 { source.next() }
}
