/// Masks of tokens by length, so that a bound on the length of a string takes its tokens at once.
struct TokenLengths: Sendable {
    /// By number: the tokens in which more scalars than that start; escapes count as they are written.
    let longer: [[UInt64]]
    /// The tokens with a quote or a backslash: they may be shorter than they look.
    let marked: [UInt64]

    /// Beyond this length there are few tokens.
    private static let lengths = 16

    /// - Parameter words: words of a mask.
    init(_ trie: VocabularyTrie, words: Int) {
        let none = [UInt64](repeating: 0, count: words)
        var longer: [[UInt64]] = []
        for length in 0..<min(Self.lengths, trie.longerCount.count) {
            var mask = none
            for rank in trie.longestFirst[..<Int(trie.longerCount[length])] {
                let id = trie.tokens[Int(rank)]
                mask[Int(id) >> 6] |= 1 << UInt64(id & 63)
            }
            longer.append(mask)
        }
        self.longer = longer
        let marks = ByteGroups.bit(UInt8(ascii: "\"")) | ByteGroups.bit(UInt8(ascii: "\\"))
        var marked = none
        for (rank, id) in trie.tokens.enumerated() where trie.tokenGroups[rank] & marks != 0 {
            marked[Int(id) >> 6] |= 1 << UInt64(id & 63)
        }
        self.marked = marked
    }
}
