/// A set of byte values, 256 bits.
package struct ByteSet: Hashable, Sendable {
    /// Bit `b & 63` of word `b >> 6` stands for byte `b`.
    package var words: SIMD4<UInt64>

    package init() { words = .zero }

    package init(_ bytes: some Sequence<UInt8>) {
        self.init()
        for byte in bytes { insert(byte) }
    }

    package var isEmpty: Bool { words == .zero }

    package var count: Int {
        words[0].nonzeroBitCount + words[1].nonzeroBitCount + words[2].nonzeroBitCount + words[3].nonzeroBitCount
    }

    package func contains(_ byte: UInt8) -> Bool {
        words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0
    }

    package mutating func insert(_ byte: UInt8) {
        words[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
    }

    package mutating func remove(_ byte: UInt8) {
        words[Int(byte >> 6)] &= ~(1 << UInt64(byte & 63))
    }

    /// The members beyond `byte`.
    package func members(above byte: UInt8) -> ByteSet {
        var result = self
        let word = Int(byte >> 6)
        for index in 0..<word { result.words[index] = 0 }
        result.words[word] &= (UInt64.max << UInt64(byte & 63)) << 1
        return result
    }

    package mutating func formUnion(_ other: ByteSet) { words |= other.words }

    /// The smallest member, nil when the set is empty.
    package var first: UInt8? {
        for index in 0..<4 where words[index] != 0 {
            return UInt8(index * 64 + words[index].trailingZeroBitCount)
        }
        return nil
    }

    /// Calls `body` with every member, ascending.
    package func forEach(_ body: (UInt8) -> Void) {
        for index in 0..<4 {
            var rest = words[index]
            while rest != 0 {
                body(UInt8(truncatingIfNeeded: index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
    }
}
