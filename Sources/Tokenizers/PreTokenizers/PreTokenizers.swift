/// `Split`: by a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: SplitPattern
    let behavior: SplitBehavior
    let inverted: Bool

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(behavior, inverted: inverted) { bytes, range, report in
            pattern.forEachPart(in: bytes, bounds: range, matcher: &matcher, report)
        }
    }
}

/// `Digits`: numbers apart, or each digit by itself.
struct DigitsPreTokenizer: PreTokenizer {
    let individual: Bool

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(individual ? .isolated : .contiguous, at: UnicodeTables.numeric)
    }
}

/// `Punctuation`.
struct PunctuationPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(behavior, at: UnicodeTables.punctuation)
    }
}

/// `WhitespaceSplit`: what lies between white space.
struct WhitespaceSplitPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(.removed, at: UnicodeTables.whiteSpace)
    }
}

/// `Whitespace`: runs of word characters and runs of anything else that is not white space.
struct WhitespacePreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        let word = UnicodeTables.word
        let space = UnicodeTables.whiteSpace
        text.cut(.removed) { bytes, range, report in
            var start = range.lowerBound
            var kind = -1
            var index = start
            while index < range.upperBound {
                let (scalar, next) = UTF8Text.scalar(in: bytes, at: index)
                let current = word.contains(scalar) ? 0 : space.contains(scalar) ? 1 : 2
                if current != kind, index > start {
                    report(start..<index, kind == 1)
                    start = index
                }
                kind = current
                index = next
            }
            if start < range.upperBound { report(start..<range.upperBound, kind == 1) }
        }
    }
}

/// `BertPreTokenizer`: words between white space, punctuation apart.
struct BertPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(.removed, at: UnicodeTables.whiteSpace)
        text.cut(.isolated, at: UnicodeTables.punctuation)
    }
}

/// `ByteLevel`: GPT-2's pattern, then each byte as its character of `ByteLevelAlphabet`.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    /// GPT-2's own pattern; nil where another pre-tokenizer has split already.
    let pattern: SplitPattern?
    /// False where the model looks bytes up as they are, which spares the detour over the alphabet.
    let writesAlphabet: Bool

    /// The pattern of GPT-2's published encoder.
    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        if addsPrefixSpace {
            text.rewrite { bytes, piece, output in
                if bytes[piece.range.lowerBound] != 0x20 { output.append(0x20) }
                for index in piece.range { output.append(bytes[index]) }
            }
        }
        if let pattern {
            text.cut(.isolated) { bytes, range, report in
                pattern.forEachPart(in: bytes, bounds: range, matcher: &matcher, report)
            }
        }
        if writesAlphabet {
            text.rewrite { bytes, piece, output in
                ByteLevelAlphabet.encode(bytes.extracting(piece.range), into: &output)
            }
        }
    }
}

/// `Metaspace`: spaces become a visible character (`▁`), which starts each piece.
struct MetaspacePreTokenizer: PreTokenizer {
    enum PrependScheme: Sendable {
        /// Only at the start of the text.
        case first
        case never
        /// Before each piece.
        case always
    }

    let replacement: [UInt8]
    let prepends: PrependScheme
    let splits: Bool

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.rewrite { bytes, piece, output in
            let start = output.count
            for index in piece.range {
                if bytes[index] == 0x20 { output += replacement } else { output.append(bytes[index]) }
            }
            let wanted = prepends == .always || prepends == .first && piece.opensText
            if wanted, !output[start...].starts(with: replacement) {
                output.insert(contentsOf: replacement, at: start)
            }
        }
        guard splits else { return }
        text.cut(.mergedWithNext) { bytes, range, report in
            var start = range.lowerBound
            var index = start
            while index < range.upperBound {
                let next = index + UTF8Text.length(lead: bytes[index])
                if matches(bytes, at: index, to: next) {
                    if start < index { report(start..<index, false) }
                    report(index..<next, true)
                    start = next
                }
                index = next
            }
            if start < range.upperBound { report(start..<range.upperBound, false) }
        }
    }

    private func matches(_ bytes: Span<UInt8>, at start: Int, to end: Int) -> Bool {
        guard end - start == replacement.count else { return false }
        for (offset, byte) in replacement.enumerated() where bytes[start + offset] != byte { return false }
        return true
    }
}

/// Reads the pre-tokenizer at `field`, sequences laid out flat. A `ByteLevel` at the end leaves the bytes as they are
/// where the model can take them so, and has its vocabulary in bytes.
///
/// - Returns: the steps, and whether the model shall take bytes.
func readPreTokenizers(
    _ field: JSONField, modelTakesBytes: Bool
) throws(TokenizerError) -> (steps: [any PreTokenizer], endsInBytes: Bool) {
    var fields: [JSONField] = []
    try flattenPreTokenizers(field, into: &fields)
    var steps: [any PreTokenizer] = []
    var endsInBytes = false
    for (index, field) in fields.enumerated() {
        let type = try field.required("type").string()
        if index == fields.count - 1, type == "ByteLevel", modelTakesBytes { endsInBytes = true }
        steps.append(try readPreTokenizer(field, type, writesAlphabet: !endsInBytes))
    }
    return (steps, endsInBytes)
}

private func flattenPreTokenizers(_ field: JSONField, into fields: inout [JSONField]) throws(TokenizerError) {
    guard try field.required("type").string() == "Sequence" else {
        fields.append(field)
        return
    }
    for element in try field.required("pretokenizers").elements() {
        try flattenPreTokenizers(element, into: &fields)
    }
}

private func readPreTokenizer(
    _ field: JSONField, _ type: String, writesAlphabet: Bool
) throws(TokenizerError) -> any PreTokenizer {
    switch type {
    case "Split":
        return SplitPreTokenizer(
            pattern: try field.required("pattern").pattern(),
            behavior: try SplitBehavior(field.required("behavior")),
            inverted: try field.bool("invert", default: false))
    case "Digits":
        return DigitsPreTokenizer(individual: try field.bool("individual_digits", default: false))
    case "Punctuation":
        let behavior = try field.optional("behavior")
        if let behavior { return PunctuationPreTokenizer(behavior: try SplitBehavior(behavior)) }
        return PunctuationPreTokenizer(behavior: .isolated)
    case "WhitespaceSplit": return WhitespaceSplitPreTokenizer()
    case "Whitespace": return WhitespacePreTokenizer()
    case "BertPreTokenizer": return BertPreTokenizer()
    case "ByteLevel":
        var pattern: SplitPattern?
        if try field.bool("use_regex", default: true) {
            do {
                pattern = try SplitPattern(regularExpression: ByteLevelPreTokenizer.gpt2Pattern)
            } catch {
                throw TokenizerError.unsupportedPattern(
                    path: field.path, pattern: ByteLevelPreTokenizer.gpt2Pattern, syntax: error.syntax,
                    offset: error.offset)
            }
        }
        return ByteLevelPreTokenizer(
            addsPrefixSpace: try field.bool("add_prefix_space", default: true), pattern: pattern,
            writesAlphabet: writesAlphabet)
    case "Metaspace":
        return MetaspacePreTokenizer(
            replacement: try readMetaspaceReplacement(field), prepends: try readMetaspaceScheme(field),
            splits: try field.bool("split", default: true))
    default: throw TokenizerError.unsupportedComponent(path: field.path, type: type)
    }
}

/// The replacement character of `Metaspace`, as pre-tokenizer or decoder.
func readMetaspaceReplacement(_ field: JSONField) throws(TokenizerError) -> [UInt8] {
    let replacement = try field.required("replacement")
    _ = try replacement.scalar()
    return try replacement.bytes()
}

/// Where `Metaspace` prepends; older files say it with `add_prefix_space`.
func readMetaspaceScheme(_ field: JSONField) throws(TokenizerError) -> MetaspacePreTokenizer.PrependScheme {
    if let scheme = try field.optional("prepend_scheme") {
        switch try scheme.string() {
        case "first": return .first
        case "never": return .never
        case "always": return .always
        case let name:
            throw TokenizerError.invalidValue(
                path: scheme.path, value: "\"\(name)\"", reason: "expected first, never or always")
        }
    }
    return try field.bool("add_prefix_space", default: true) ? .always : .never
}
