/// The decoders of a file one behind the other.
struct DecoderChain: Sendable {
    private var steps: [any DecoderStep]

    /// The first step wants byte-level tokens as bytes.
    let takesBytes: Bool

    /// Reads the decoder at `field`; nil: the file has none.
    init(_ field: JSONField?) throws(TokenizerError) {
        guard let field else {
            steps = [SpaceJoinDecoder()]
            takesBytes = false
            return
        }
        var fields: [JSONField] = []
        try Self.flatten(field, into: &fields)
        steps = []
        var takesBytes = false
        for (index, field) in fields.enumerated() {
            let type = try field.required("type").string()
            if index == 0, type == "ByteLevel" { takesBytes = true }
            steps.append(try Self.read(field, type, isFirst: index == 0))
        }
        self.takesBytes = takesBytes
    }

    private static func flatten(_ field: JSONField, into fields: inout [JSONField]) throws(TokenizerError) {
        guard try field.required("type").string() == "Sequence" else {
            fields.append(field)
            return
        }
        for element in try field.required("decoders").elements() { try flatten(element, into: &fields) }
    }

    private static func read(
        _ field: JSONField, _ type: String, isFirst: Bool
    ) throws(TokenizerError) -> any DecoderStep {
        switch type {
        case "ByteLevel": return ByteLevelDecoder(takesBytes: isFirst)
        case "ByteFallback": return ByteFallbackDecoder()
        case "Fuse": return FuseDecoder()
        case "Replace":
            let pattern = try field.required("pattern")
            let content = try field.required("content").bytes()
            if let literal = try pattern.optional("String")?.bytes(), !literal.isEmpty {
                return LiteralReplaceDecoder(literal: literal, content: content)
            }
            return ReplaceDecoder(pattern: try pattern.pattern(), content: content)
        case "Strip":
            let content = try field.required("content")
            _ = try content.scalar()
            return StripDecoder(
                content: try content.bytes(), start: try field.required("start").natural(limit: 1 << 20),
                stop: try field.required("stop").natural(limit: 1 << 20))
        case "Metaspace":
            return MetaspaceDecoder(
                replacement: try readMetaspaceReplacement(field),
                dropsInFirst: try readMetaspaceScheme(field) != .never)
        case "WordPiece":
            return WordPieceDecoder(
                prefix: try field.required("prefix").bytes(), cleansUp: try field.bool("cleanup", default: true))
        case "BPEDecoder":
            return SuffixDecoder(suffix: LiteralText(try field.required("suffix").bytes()))
        default: throw TokenizerError.unsupportedComponent(path: field.path, type: type)
        }
    }

    /// Runs the tokens through all steps; what comes out is text that no later token can change.
    mutating func process(_ input: TokenFragments, isFinal: Bool) -> [UInt8] {
        var fragments = input
        for index in steps.indices { fragments = steps[index].process(fragments, isFinal: isFinal) }
        return fragments.bytes
    }

    /// The bytes of a token in running text.
    func running(_ token: [UInt8]) -> [UInt8] {
        var piece = RunningPiece(bytes: token)
        for step in steps { step.running(&piece) }
        return piece.bytes
    }
}
