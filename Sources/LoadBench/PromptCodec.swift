import Statistics

/// Text ↔ ids of the model under test, as far as datasets need it. Closures, because this module runs where no model is
/// and the tokenizer is not its own.
package struct PromptCodec: Sendable {
    package var vocabularySize: Int
    /// Ids of a text, without special tokens.
    package var encode: @Sendable (String) -> [Int32]
    package var decode: @Sendable ([Int32]) -> String
    /// Tokens that the server puts around a plain prompt, such as BOS.
    package var addedTokens: Int
    /// Never drawn at random.
    package var specialIDs: Set<Int32>
    /// A user's message through the model's chat template; nil without a template.
    package var renderChat: (@Sendable (String) -> String?)?

    package init(
        vocabularySize: Int, addedTokens: Int, specialIDs: Set<Int32>, encode: @escaping @Sendable (String) -> [Int32],
        decode: @escaping @Sendable ([Int32]) -> String, renderChat: (@Sendable (String) -> String?)? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.addedTokens = addedTokens
        self.specialIDs = specialIDs
        self.encode = encode
        self.decode = decode
        self.renderChat = renderChat
    }

    /// A random token that is text by itself: no special token, no part of a character.
    func randomID(_ random: inout RandomSource) -> Int32 {
        for _ in 0..<64 {
            let id = Int32(truncatingIfNeeded: Int.random(in: 0..<max(1, vocabularySize), using: &random))
            if specialIDs.contains(id) { continue }
            let text = decode([id])
            if !text.isEmpty, !text.unicodeScalars.contains("\u{FFFD}") { return id }
        }
        return 0
    }

    func randomIDs(_ count: Int, _ random: inout RandomSource) -> [Int32] {
        (0..<count).map { _ in randomID(&random) }
    }

    /// Random text of `count` tokens. Neighbouring tokens may join or split when the text is read back, so it is cut and
    /// filled up until the server will count the same.
    func randomText(tokens count: Int, _ random: inout RandomSource) -> String {
        var ids = randomIDs(count, &random)
        var text = decode(ids)
        for _ in 0..<8 {
            let found = encode(text)
            if found.count == count { break }
            if found.count > count {
                ids = Array(found[..<count])
            } else {
                ids = found + randomIDs(count - found.count, &random)
            }
            text = decode(ids)
        }
        return text
    }

    /// `text` repeated or cut to `count` tokens.
    func text(_ text: String, fittedTo count: Int) -> String {
        let ids = encode(text)
        guard !ids.isEmpty, count > 0 else { return text }
        return decode((0..<count).map { ids[$0 % ids.count] })
    }
}
