/// The sections of a `tokenizer.json`, read strictly: what is not known is an error that names its place.
///
/// `truncation` and `padding` are not read. They prepare batches for training; a server that cut a prompt silently
/// would answer another question.
struct TokenizerJSON {
    let normalizer: (any Normalizer)?
    let preTokenizers: [any PreTokenizer]
    let postProcessor: PostProcessor
    /// Nil: there is no rule for two texts.
    let pairTemplate: PairTemplate?
    let decoder: DecoderChain
    let model: any TokenModel
    let addedTokens: AddedTokens

    /// - Throws: what is wrong, and where.
    init(_ bytes: [UInt8]) throws(TokenizerError) {
        var scanner = try JSONScanner(bytes)
        var members: [JSONValue.Member] = []
        var modelSource: ModelSource?
        try scanner.object { (key, scanner) throws(TokenizerError) in
            switch key {
            case "model":
                modelSource = try ModelSource(&scanner)
            case "version", "normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens":
                members.append(.init(key: key, value: try scanner.value(depth: 1)))
            default:
                _ = try scanner.value(depth: 1)
            }
        }
        try scanner.expectEnd()
        let root = JSONField(value: .object(members), path: "")
        if let version = try root.optional("version"), try version.string() != "1.0" {
            throw TokenizerError.unsupportedOption(
                path: "version", value: "\"\(try version.string())\"", reason: "expected \"1.0\"")
        }
        guard let modelSource else { throw TokenizerError.missingField(path: "model") }

        var normalizer: (any Normalizer)?
        if let field = try root.optional("normalizer") { normalizer = try readNormalizer(field) }
        self.normalizer = normalizer
        var isByteLevel = false
        if let field = try root.optional("pre_tokenizer") {
            (preTokenizers, isByteLevel) = try readPreTokenizers(field, modelTakesBytes: modelSource.takesBytes)
        } else {
            preTokenizers = []
        }
        postProcessor = if let field = try root.optional("post_processor") { try PostProcessor(field) } else { .none }
        // Whoever never encodes a pair is not to be stopped by its template.
        pairTemplate =
            if let field = try root.optional("post_processor") { try? PairTemplate(field) } else { .plain }
        decoder = try DecoderChain(root.optional("decoder"))
        model = try modelSource.build(scanner, isByteLevel: isByteLevel)
        addedTokens = try Self.addedTokens(root, model.vocabulary, normalizer)
    }

    /// Ids as the library gives them: that of the model for a text the model has, else the next free one. The id in
    /// the file is not consulted.
    private static func addedTokens(
        _ root: JSONField, _ vocabulary: Vocabulary, _ normalizer: (any Normalizer)?
    ) throws(TokenizerError) -> AddedTokens {
        guard let list = try root.optional("added_tokens") else { return AddedTokens([]) }
        var tokens: [AddedTokens.Token] = []
        var known: [[UInt8]: Int32] = [:]
        var nextID = Int32(vocabulary.count)
        var matcher = PatternMatcher()
        for field in try list.elements() {
            let content = try field.required("content").bytes()
            if content.isEmpty { continue }
            _ = try field.required("id").natural(limit: Vocabulary.idLimit)
            let id: Int32
            if let existing = known[content] ?? vocabulary.id(ofText: content) {
                id = existing
            } else {
                id = nextID
                nextID += 1
            }
            known[content] = id
            let isNormalized = try field.required("normalized").bool()
            var spelling = content
            if isNormalized { normalizer?.normalize(&spelling, matcher: &matcher) }
            tokens.append(
                AddedTokens.Token(
                    content: content, id: id, isSingleWord: try field.required("single_word").bool(),
                    stripsLeft: try field.required("lstrip").bool(), stripsRight: try field.required("rstrip").bool(),
                    isNormalized: isNormalized, isSpecial: try field.required("special").bool(), spelling: spelling))
        }
        return AddedTokens(tokens)
    }
}
