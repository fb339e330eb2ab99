/// Text ↔ token ids, as the `tokenizers` library of Hugging Face does it for the same `tokenizer.json`.
///
/// A tokenizer never changes after loading and holds no cache, so any number of tasks may use one at once without
/// waiting for each other.
package final class Tokenizer: Sendable {
    private let normalizer: (any Normalizer)?
    private let preTokenizers: [any PreTokenizer]
    let postProcessor: PostProcessor
    let pairTemplate: PairTemplate?
    private let decoder: DecoderChain
    let model: any TokenModel
    private let addedTokens: AddedTokens
    /// What decoding sees of an added token, and whether it is left out on request.
    private let decodedForms: [Int32: (bytes: [UInt8], isSkipped: Bool)]

    /// Number of ids including added tokens: the highest id + 1.
    package let vocabularySize: Int

    /// Ids of the special tokens in ascending order.
    package let specialTokenIDs: [Int32]

    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// - Throws: what is wrong and where; a component that is not known is named with its path.
    package init(json: [UInt8]) throws(TokenizerError) {
        let file = try TokenizerJSON(json)
        normalizer = file.normalizer
        preTokenizers = file.preTokenizers
        postProcessor = file.postProcessor
        pairTemplate = file.pairTemplate
        decoder = file.decoder
        model = file.model
        addedTokens = file.addedTokens

        let special = Set(file.addedTokens.tokens.filter(\.isSpecial).map(\.content))
        var forms: [Int32: (bytes: [UInt8], isSkipped: Bool)] = [:]
        for token in file.addedTokens.tokens {
            var bytes: [UInt8] = []
            if !file.decoder.takesBytes || !ByteLevelAlphabet.decode(token.spelling.span, into: &bytes) {
                bytes = token.spelling
            }
            forms[token.id] = (bytes, special.contains(token.spelling))
        }
        decodedForms = forms
        specialTokenIDs = file.addedTokens.tokens.filter(\.isSpecial).map(\.id)
        vocabularySize = max(file.model.vocabulary.size, Int((file.addedTokens.tokens.last?.id ?? -1) + 1))
    }

    // MARK: Text to ids

    /// Ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: whether the post-processor adds its tokens, such as BOS.
    ///   - parseSpecial: whether special tokens written in the text are recognised. Pass false for text that is not
    ///     trusted, so that a user cannot write `<|im_start|>`.
    /// - Complexity: O(n log n) in the bytes of the longest piece between splits.
    package func encode(_ text: String, addSpecialTokens: Bool, parseSpecial: Bool = true) -> [Int32] {
        let bytes = Array(text.utf8)
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 4 + 8)
        var scratch = BPEScratch()
        var matcher = PatternMatcher()
        for part in addedTokens.plain.parts(of: bytes, parseSpecial: parseSpecial) {
            guard part.id < 0 else {
                ids.append(part.id)
                continue
            }
            var segment = part.range.count == bytes.count ? bytes : Array(bytes[part.range])
            normalizer?.normalize(&segment, matcher: &matcher)
            let opensText = part.range.lowerBound == 0
            guard !addedTokens.normalized.isEmpty else {
                encode(segment, opensText: opensText, into: &ids, &scratch, &matcher)
                continue
            }
            for part in addedTokens.normalized.parts(of: segment, parseSpecial: parseSpecial) {
                guard part.id < 0 else {
                    ids.append(part.id)
                    continue
                }
                encode(
                    Array(segment[part.range]), opensText: opensText && part.range.lowerBound == 0, into: &ids,
                    &scratch, &matcher)
            }
        }
        return addSpecialTokens ? postProcessor.process(ids) : ids
    }

    private func encode(
        _ segment: [UInt8], opensText: Bool, into ids: inout [Int32], _ scratch: inout BPEScratch,
        _ matcher: inout PatternMatcher
    ) {
        var text = PreTokenizedText(segment, opensText: opensText)
        for preTokenizer in preTokenizers { preTokenizer.split(&text, matcher: &matcher) }
        let span = text.bytes.span
        for piece in text.pieces { model.encode(span, piece.range, into: &ids, scratch: &scratch) }
    }

    // MARK: Ids to text

    /// Text of `ids`. Ids without a token are skipped; bytes that are no UTF-8 become U+FFFD.
    package func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String {
        var fragments = TokenFragments()
        for id in ids { append(id, to: &fragments, skipSpecialTokens: skipSpecialTokens) }
        var decoder = self.decoder
        return String(decoding: decoder.process(fragments, isFinal: true), as: UTF8.self)
    }

    /// A decoder that has seen nothing yet.
    var freshDecoder: DecoderChain { decoder }

    /// Appends the token as the first decoder wants it; nothing for an id that is skipped.
    func append(_ id: Int32, to fragments: inout TokenFragments, skipSpecialTokens: Bool) {
        if let form = decodedForms[id] {
            if skipSpecialTokens, form.isSkipped { return }
            fragments.bytes += form.bytes
        } else {
            guard model.vocabulary.contains(id) else { return }
            appendModelToken(id, to: &fragments.bytes)
        }
        fragments.ends.append(fragments.bytes.count)
    }

    private func appendModelToken(_ id: Int32, to bytes: inout [UInt8]) {
        if decoder.takesBytes {
            model.vocabulary.appendDecodedBytes(of: id, to: &bytes)
        } else {
            model.vocabulary.appendText(of: id, to: &bytes)
        }
    }

    // MARK: Single tokens

    /// Id of the token that `tokenizer.json` spells so.
    package func id(ofToken token: String) -> Int32? {
        let bytes = Array(token.utf8)
        return addedTokens.id(of: bytes) ?? model.vocabulary.id(ofText: bytes)
    }

    /// The token as `tokenizer.json` spells it.
    package func token(ofID id: Int32) -> String? {
        if let token = addedTokens.token(of: id) { return String(decoding: token.content, as: UTF8.self) }
        guard model.vocabulary.contains(id) else { return nil }
        var text: [UInt8] = []
        model.vocabulary.appendText(of: id, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that the token stands for in running text: byte-level decoded, byte fallback resolved, `▁` as a
    /// space. They need not be UTF-8. Nil for special tokens and unknown ids.
    package func bytes(ofID id: Int32) -> [UInt8]? {
        if isSpecial(id) { return nil }
        if let form = decodedForms[id] { return decoder.running(form.bytes) }
        guard model.vocabulary.contains(id) else { return nil }
        var bytes: [UInt8] = []
        appendModelToken(id, to: &bytes)
        return decoder.running(bytes)
    }

    /// Whether the file marks the token as special.
    package func isSpecial(_ id: Int32) -> Bool {
        addedTokens.token(of: id)?.isSpecial ?? false
    }
}
