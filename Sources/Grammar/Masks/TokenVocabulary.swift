/// The tokens that a model can emit, as the bytes they stand for. Made once per tokenizer and shared by all grammars.
package final class TokenVocabulary: Sendable {
    /// Rows of the model's output; ids are `0 ..< size`. May exceed the tokenizer's own count.
    package let size: Int
    /// Ids that end a generation; allowed exactly where a grammar may end.
    package let endTokens: [Int32]
    /// Ids that stand for no text.
    package let specialTokens: Set<Int32>
    /// Tells vocabularies apart in cache keys.
    package let fingerprint: UInt64
    let trie: VocabularyTrie
    /// A mask with the bits of all tokens in the trie.
    let everyToken: [UInt64]
    let stringTail: StringTail?
    let lengths: TokenLengths
    /// Automata that many schemas need.
    private let prepared: [GrammarBuilder.Leaf: PreparedLeaf]
    private static let smallSize = 4_096
    private let bytes: [UInt8]
    /// Where each id's bytes start in `bytes`; one more at the end.
    private let offsets: [Int32]

    /// - Parameters:
    ///   - size: rows of the model's output.
    ///   - endTokens: ids that end a generation.
    ///   - specialTokens: ids that no text may produce (control tokens, padding); end tokens count as such anyway.
    ///   - tokenBytes: the bytes that id adds to the output: real bytes, so `0x0A` for `<0x0A>` and for byte-level
    ///     `Ċ`, a space for `▁`. Nil or empty for ids that are not in the tokenizer. Not asked for special tokens.
    /// - Complexity: O(total bytes × log tokens), and walks for what is prepared; a fraction of a second for 150,000 tokens.
    package init(
        size: Int, endTokens: [Int32], specialTokens: some Sequence<Int32>, tokenBytes: (Int32) -> [UInt8]?
    ) {
        self.size = size
        self.endTokens = endTokens.filter { $0 >= 0 && Int($0) < size }
        let special = Set(specialTokens).union(endTokens)
        self.specialTokens = special
        var bytes: [UInt8] = []
        var offsets: [Int32] = [0]
        var entries: [(id: Int32, start: Int32, end: Int32)] = []
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        offsets.reserveCapacity(size + 1)
        for index in 0..<size {
            let id = Int32(index)
            // Special tokens get a spelling that no text has, so that a grammar can still ask for one by id.
            var spelling = special.contains(id) ? SpecialTokenBytes.spelling(of: id) : tokenBytes(id) ?? []
            // The byte-fallback token of 0xFF is in no text, and must not pass for the beginning of such a spelling.
            if spelling.contains(0xFF), !special.contains(id) { spelling = [] }
            let start = Int32(bytes.count)
            bytes += spelling
            offsets.append(Int32(bytes.count))
            if !spelling.isEmpty { entries.append((id, start, Int32(bytes.count))) }
            for byte in spelling { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0x1FF) &* 0x100_0000_01B3
        }
        for id in self.endTokens { hash = (hash ^ UInt64(UInt32(bitPattern: id))) &* 0x100_0000_01B3 }
        fingerprint = hash
        self.bytes = bytes
        self.offsets = offsets
        let trie = VocabularyTrie(bytes: bytes, entries: entries)
        var everyToken = [UInt64](repeating: 0, count: (size + 63) / 64)
        for id in trie.tokens { everyToken[Int(id) >> 6] |= 1 << UInt64(id & 63) }
        lengths = TokenLengths(trie, words: everyToken.count)
        let anyString = GrammarBuilder.Leaf.language(.anyText, .jsonString)
        if var strings = try? LeafAutomaton(anyString, limits: GrammarLimits(), horizon: trie.maximumDepth) {
            let inside = strings.next(strings.start, 0x22)
            stringTail = FragmentBuilder.tail(&strings, inside, trie, everyToken)
        } else {
            stringTail = nil
        }
        var prepared: [GrammarBuilder.Leaf: PreparedLeaf] = [:]
        // A small vocabulary, of a test or of a judge of texts, is walked in no time.
        let formats = size < Self.smallSize ? [] : StringFormat.allCases
        for leaf in [anyString] + formats.map(GrammarBuilder.Leaf.format) {
            prepared[leaf] = PreparedLeaf(leaf, trie, everyToken, stringTail)
        }
        self.prepared = prepared
        self.trie = trie
        self.everyToken = everyToken
    }

    /// The bytes of token `id`; empty for ids out of range or without text. Special tokens have a private spelling.
    package func bytes(of id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < size else { return [] }
        return bytes[Int(offsets[Int(id)])..<Int(offsets[Int(id) + 1])]
    }

    /// What was made of `leaf` together with the vocabulary.
    func preparedLeaf(_ leaf: GrammarBuilder.Leaf) -> PreparedLeaf? {
        switch leaf {
        case .format: prepared[leaf]
        // Terms can be large, and are not hashed for nothing.
        case .language(let language, let encoding):
            language == .anyText && encoding == .jsonString ? prepared[leaf] : nil
        case .texts: nil
        }
    }

    /// A stretch of what a grammar matches.
    package enum Part: Equatable, Sendable {
        case text([UInt8])
        case special(Int32)
    }

    /// Text and special tokens in `bytes`, which have a spelling of their own there.
    package static func parts(of bytes: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var text: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.first {
            if let id = SpecialTokenBytes.id(from: rest.prefix(SpecialTokenBytes.length)) {
                if !text.isEmpty { parts.append(.text(text)) }
                text = []
                parts.append(.special(id))
                rest = rest.dropFirst(SpecialTokenBytes.length)
            } else {
                text.append(byte)
                rest = rest.dropFirst()
            }
        }
        if !text.isEmpty { parts.append(.text(text)) }
        return parts
    }

    package func isEnd(_ id: Int32) -> Bool { endTokens.contains(id) }
}
