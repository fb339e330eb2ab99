/// The model section: settings as values; vocabulary and merges as places in the file, because they are by far the
/// largest part and are read straight into tables.
struct ModelSource {
    private enum Kind {
        case bpe
        case wordPiece
        case unigram
    }

    private let kind: Kind
    private let settings: JSONField
    private let vocabulary: Range<Int>
    private let merges: Range<Int>?

    /// Whether the model can work on bytes instead of the characters of the byte-level alphabet. Affixes are spelt in
    /// characters.
    let takesBytes: Bool

    /// Reads the object in front of which the scanner stands.
    init(_ scanner: inout JSONScanner) throws(TokenizerError) {
        var members: [JSONValue.Member] = []
        var vocabulary: Range<Int>?
        var vocabularyIsList = false
        var merges: Range<Int>?
        try scanner.object { (key, scanner) throws(TokenizerError) in
            switch key {
            case "vocab":
                vocabularyIsList = scanner.peek() == UInt8(ascii: "[")
                vocabulary = try scanner.skipValue(depth: 2)
            case "merges":
                merges = try scanner.skipValue(depth: 2)
            default:
                members.append(.init(key: key, value: try scanner.value(depth: 2)))
            }
        }
        settings = JSONField(value: .object(members), path: "model")
        self.merges = merges

        let type: String
        if let field = try settings.optional("type") {
            type = try field.string()
        } else {
            // Old files name no type; the library tries the models in this order.
            type = vocabularyIsList ? "Unigram" : merges != nil ? "BPE" : "WordPiece"
        }
        switch type {
        case "BPE": kind = .bpe
        case "WordPiece": kind = .wordPiece
        case "Unigram": kind = .unigram
        default: throw TokenizerError.unsupportedComponent(path: "model", type: type)
        }
        guard let vocabulary else { throw TokenizerError.missingField(path: "model.vocab") }
        self.vocabulary = vocabulary
        let prefix = try settings.optional("continuing_subword_prefix")?.bytes() ?? []
        let suffix = try settings.optional("end_of_word_suffix")?.bytes() ?? []
        takesBytes = kind == .bpe && prefix.isEmpty && suffix.isEmpty
    }

    /// Builds the model.
    ///
    /// - Parameter isByteLevel: the text comes as bytes; the vocabulary is kept so.
    func build(_ scanner: JSONScanner, isByteLevel: Bool) throws(TokenizerError) -> any TokenModel {
        var scanner = scanner
        if kind == .unigram { return try unigram(&scanner) }
        let vocabulary = try readVocabulary(&scanner, isByteLevel: isByteLevel)
        switch kind {
        case .bpe: return try bpe(vocabulary, &scanner)
        case .wordPiece: return try wordPiece(vocabulary)
        case .unigram: return try unigram(&scanner)
        }
    }

    private func readVocabulary(
        _ scanner: inout JSONScanner, isByteLevel: Bool
    ) throws(TokenizerError) -> Vocabulary {
        var texts: [UInt8] = []
        var ends: [Int] = []
        var ids: [Int32] = []
        texts.reserveCapacity(vocabulary.count / 2)
        scanner.seek(to: vocabulary.lowerBound)
        if scanner.peek() != UInt8(ascii: "{") {
            throw TokenizerError.wrongType(path: "model.vocab", expected: "an object", found: "something else")
        }
        try scanner.expect(UInt8(ascii: "{"))
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                let start = texts.count
                try scanner.string(into: &texts)
                ends.append(texts.count)
                try scanner.expect(UInt8(ascii: ":"))
                guard let id = try scanner.naturalNumber(limit: Vocabulary.idLimit) else {
                    throw TokenizerError.invalidValue(
                        path: "model.vocab", value: "the id of \"\(String(decoding: texts[start...], as: UTF8.self))\"",
                        reason: "expected an integer from 0 to \(Vocabulary.idLimit)")
                }
                ids.append(Int32(id))
            } while scanner.take(UInt8(ascii: ","))
            try scanner.expect(UInt8(ascii: "}"))
        }
        let vocabulary = Vocabulary(texts: texts, ends: ends, ids: ids, isByteLevel: isByteLevel)
        if let id = vocabulary.conflictingID {
            throw TokenizerError.invalidValue(path: "model.vocab", value: "\(id)", reason: "the id of two tokens")
        }
        return vocabulary
    }

    // MARK: BPE

    private func bpe(_ vocabulary: Vocabulary, _ scanner: inout JSONScanner) throws(TokenizerError) -> BPE {
        if let dropout = try settings.optional("dropout") {
            guard case .number(let rate) = dropout.value, rate == 0 else {
                throw TokenizerError.unsupportedOption(
                    path: dropout.path, value: "set", reason: "dropout makes ids random; only null is served")
            }
        }
        var options = BPE.Options()
        options.continuingPrefix = try settings.optional("continuing_subword_prefix")?.bytes() ?? []
        options.wordSuffix = try settings.optional("end_of_word_suffix")?.bytes() ?? []
        options.fusesUnknown = try settings.bool("fuse_unk", default: false)
        options.usesByteFallback = try settings.bool("byte_fallback", default: false)
        options.ignoresMerges = try settings.bool("ignore_merges", default: false)
        if let unknown = try settings.optional("unk_token"), case let text = try unknown.bytes(), !text.isEmpty {
            if let id = vocabulary.id(ofText: text) {
                options.unknownID = id
            } else if !vocabulary.isByteLevel {
                throw TokenizerError.invalidValue(
                    path: unknown.path, value: "\"\(try unknown.string())\"", reason: "not in the vocabulary")
            }
        }
        guard let merges else { throw TokenizerError.missingField(path: "model.merges") }
        scanner.seek(to: merges.lowerBound)
        var reader = MergeReader(vocabulary: vocabulary, prefixLength: options.continuingPrefix.count)
        try reader.read(&scanner)
        return BPE(vocabulary: vocabulary, merges: reader.table, pairs: reader.pairs, options: options)
    }

    // MARK: Unigram

    /// The vocabulary is a list of tokens and their scores; a token's place is its id.
    private func unigram(_ scanner: inout JSONScanner) throws(TokenizerError) -> Unigram {
        var texts: [UInt8] = []
        var ends: [Int] = []
        var scores: [Double] = []
        scanner.seek(to: vocabulary.lowerBound)
        try scanner.array { (scanner) throws(TokenizerError) in
            try scanner.expect(UInt8(ascii: "["))
            try scanner.string(into: &texts)
            try scanner.expect(UInt8(ascii: ","))
            guard case .number(let score) = try scanner.value(), score.isFinite, ends.count < Vocabulary.idLimit else {
                throw TokenizerError.invalidValue(
                    path: "model.vocab[\(ends.count)]", value: "not a number", reason: "expected a score")
            }
            try scanner.expect(UInt8(ascii: "]"))
            ends.append(texts.count)
            scores.append(score)
        }
        if ends.isEmpty {
            throw TokenizerError.invalidValue(path: "model.vocab", value: "empty", reason: "expected tokens")
        }
        let vocabulary = Vocabulary(
            texts: texts, ends: ends, ids: (0..<Int32(ends.count)).map { $0 }, isByteLevel: false)
        var unknownID: Int32?
        if let field = try settings.optional("unk_id") {
            let id = try field.natural(limit: Vocabulary.idLimit)
            guard id < ends.count else {
                throw TokenizerError.invalidValue(
                    path: field.path, value: "\(id)", reason: "the vocabulary ends at \(ends.count - 1)")
            }
            unknownID = Int32(id)
        }
        var byteTokens: [Int32] = []
        if try settings.bool("byte_fallback", default: false) {
            let digits = Array("0123456789ABCDEF".utf8)
            byteTokens = (0..<256).compactMap { byte in
                vocabulary.id(ofText: Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15]] + Array(">".utf8))
            }
            if byteTokens.count < 256 { byteTokens = [] }
        }
        return Unigram(vocabulary: vocabulary, scores: scores, unknownID: unknownID, byteTokens: byteTokens)
    }

    // MARK: WordPiece

    private func wordPiece(_ vocabulary: Vocabulary) throws(TokenizerError) -> WordPiece {
        let unknown = try settings.optional("unk_token")
        let text = try unknown?.bytes() ?? Array("[UNK]".utf8)
        guard let unknownID = vocabulary.id(ofText: text) else {
            throw TokenizerError.invalidValue(
                path: "model.unk_token", value: "\"\(String(decoding: text, as: UTF8.self))\"",
                reason: "not in the vocabulary")
        }
        return WordPiece(
            vocabulary: vocabulary, unknownID: unknownID,
            continuingPrefix: try settings.optional("continuing_subword_prefix")?.bytes() ?? Array("##".utf8),
            longestWord: try settings.optional("max_input_chars_per_word")?.natural(limit: 1 << 20) ?? 100)
    }
}

/// Reads the list of merges in both its spellings: `"a b"` and `["a", "b"]`.
private struct MergeReader {
    let vocabulary: Vocabulary
    /// Bytes at the start of the right part that the merged token does not repeat.
    let prefixLength: Int
    private(set) var pairs: [(left: Int32, right: Int32)] = []
    private(set) var table = MergeTable(capacity: 0)
    private var ranks: [(rank: UInt32, merged: Int32)] = []
    private var text: [UInt8] = []
    private var key: [UInt8] = []
    private var number = 0

    init(vocabulary: Vocabulary, prefixLength: Int) {
        self.vocabulary = vocabulary
        self.prefixLength = prefixLength
    }

    mutating func read(_ scanner: inout JSONScanner) throws(TokenizerError) {
        if scanner.peek() != UInt8(ascii: "[") {
            throw TokenizerError.wrongType(path: "model.merges", expected: "an array", found: "something else")
        }
        try scanner.expect(UInt8(ascii: "["))
        if !scanner.take(UInt8(ascii: "]")) {
            repeat { try element(&scanner) } while scanner.take(UInt8(ascii: ","))
            try scanner.expect(UInt8(ascii: "]"))
        }
        table = MergeTable(capacity: pairs.count)
        for (pair, merge) in zip(pairs, ranks) {
            table.insert(left: pair.left, right: pair.right, rank: merge.rank, merged: merge.merged)
        }
    }

    private mutating func element(_ scanner: inout JSONScanner) throws(TokenizerError) {
        text.removeAll(keepingCapacity: true)
        let boundary: Int
        let rightStart: Int
        if scanner.peek() == UInt8(ascii: "[") {
            try scanner.expect(UInt8(ascii: "["))
            try scanner.string(into: &text)
            boundary = text.count
            rightStart = boundary
            try scanner.expect(UInt8(ascii: ","))
            try scanner.string(into: &text)
            try scanner.expect(UInt8(ascii: "]"))
        } else {
            try scanner.string(into: &text)
            // Files made from `merges.txt` may still carry its first line.
            if text.starts(with: "#version".utf8) { return }
            guard let space = text.firstIndex(of: 0x20), text.lastIndex(of: 0x20) == space else {
                throw failure("expected two parts with one space between them")
            }
            boundary = space
            rightStart = space + 1
        }
        let left = try id(text[..<boundary])
        let right = try id(text[rightStart...])
        guard text.count - rightStart >= prefixLength else {
            throw failure("the right part is shorter than the prefix")
        }
        let merged = try id(text[..<boundary] + text[(rightStart + prefixLength)...])
        pairs.append((left, right))
        ranks.append((UInt32(number), merged))
        number += 1
    }

    private func failure(_ reason: String) -> TokenizerError {
        .invalidValue(
            path: "model.merges[\(number)]", value: "\"\(String(decoding: text, as: UTF8.self))\"", reason: reason)
    }

    private mutating func id(_ token: ArraySlice<UInt8>) throws(TokenizerError) -> Int32 {
        key.removeAll(keepingCapacity: true)
        var id: Int32 = -1
        if vocabulary.isByteLevel {
            if ByteLevelAlphabet.decode(token.span, into: &key) {
                id = vocabulary.id(ofKey: key.span)
            } else {
                id = vocabulary.id(ofText: Array(token)) ?? -1
            }
        } else {
            id = vocabulary.id(ofKey: token.span)
        }
        guard id >= 0 else {
            throw failure("\"\(String(decoding: token, as: UTF8.self))\" is not in the vocabulary")
        }
        return id
    }
}
