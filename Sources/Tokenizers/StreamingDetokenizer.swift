/// Turns ids into text one by one. The pieces put together are exactly what `Tokenizer.decode` makes of all ids, and no
/// piece ends inside a character.
///
/// It is the same decoder that `Tokenizer.decode` runs, fed token by token, so nothing is ever decoded twice.
package struct StreamingDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private let kept: Set<Int32>
    private var decoder: DecoderChain

    /// - Parameters:
    ///   - skipSpecialTokens: as in `Tokenizer.decode`.
    ///   - kept: special tokens that are never skipped.
    package init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool, keeping kept: Set<Int32> = []) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        self.kept = kept
        decoder = tokenizer.freshDecoder
    }

    /// Adds a token and returns the text that became certain with it; often empty inside a character.
    ///
    /// - Complexity: amortised O(bytes of the token).
    package mutating func append(_ id: Int32) -> String {
        var fragments = TokenFragments()
        tokenizer.append(id, to: &fragments, skipSpecialTokens: skipSpecialTokens && !kept.contains(id))
        return String(decoding: decoder.process(fragments, isFinal: false), as: UTF8.self)
    }

    /// Returns the rest, with U+FFFD for a character that was not completed, and starts anew.
    package mutating func finish() -> String {
        let rest = decoder.process(TokenFragments(), isFinal: true)
        decoder = tokenizer.freshDecoder
        return String(decoding: rest, as: UTF8.self)
    }
}
