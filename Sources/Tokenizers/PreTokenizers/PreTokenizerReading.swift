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
