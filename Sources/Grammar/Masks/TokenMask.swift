/// One bit per token id: 1 where the token may come next. Bit `id & 63` of word `id >> 6`.
package struct TokenMask: Hashable, Sendable {
    package var words: [UInt64]
    /// How many ids the mask covers; bits beyond are 0.
    package let count: Int

    /// No token allowed.
    package init(count: Int) {
        self.count = count
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    package func contains(_ token: Int32) -> Bool {
        token >= 0 && Int(token) < count && words[Int(token) >> 6] >> UInt64(token & 63) & 1 != 0
    }

    package mutating func insert(_ token: Int32) { words[Int(token) >> 6] |= 1 << UInt64(token & 63) }

    package mutating func remove(_ token: Int32) { words[Int(token) >> 6] &= ~(1 << UInt64(token & 63)) }

    /// How many tokens are allowed.
    package var allowedCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The allowed ids, ascending.
    package var allowedTokens: [Int32] {
        var found: [Int32] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                found.append(Int32(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return found
    }
}
