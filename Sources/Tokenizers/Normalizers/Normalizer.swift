/// A normalizer of `tokenizer.json`: rewrites text before it is split.
protocol Normalizer: Sendable {
    /// `text` is valid UTF-8 and stays so.
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher)
}

/// `Sequence`: one after the other.
struct SequenceNormalizer: Normalizer {
    let normalizers: [any Normalizer]

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        for normalizer in normalizers { normalizer.normalize(&text, matcher: &matcher) }
    }
}

/// Reads the normalizer at `field`.
func readNormalizer(_ field: JSONField) throws(TokenizerError) -> any Normalizer {
    let type = try field.required("type").string()
    switch type {
    case "Sequence":
        var parts: [any Normalizer] = []
        for element in try field.required("normalizers").elements() { parts.append(try readNormalizer(element)) }
        return SequenceNormalizer(normalizers: parts)
    case "NFC": return UnicodeFormNormalizer(form: .nfc)
    case "NFD": return UnicodeFormNormalizer(form: .nfd)
    case "NFKC": return UnicodeFormNormalizer(form: .nfkc)
    case "NFKD": return UnicodeFormNormalizer(form: .nfkd)
    case "Lowercase": return LowercaseNormalizer()
    case "StripAccents": return StripAccentsNormalizer()
    case "Strip":
        return StripNormalizer(
            left: try field.required("strip_left").bool(), right: try field.required("strip_right").bool())
    case "Prepend": return PrependNormalizer(prefix: try field.required("prepend").bytes())
    case "Replace":
        return ReplaceNormalizer(
            pattern: try field.required("pattern").pattern(), content: try field.required("content").bytes())
    case "BertNormalizer":
        return BertNormalizer(
            cleansText: try field.bool("clean_text", default: true),
            spacesChinese: try field.bool("handle_chinese_chars", default: true),
            stripsAccents: try field.optional("strip_accents")?.bool(),
            lowercases: try field.bool("lowercase", default: true))
    case "Precompiled":
        let map = try field.required("precompiled_charsmap")
        guard let bytes = base64Decoded(try map.bytes()), let normalizer = PrecompiledNormalizer(map: bytes) else {
            throw TokenizerError.invalidValue(
                path: map.path, value: "\(try map.bytes().count) characters",
                reason: "expected a character map of SentencePiece in Base64")
        }
        return normalizer
    case "ByteLevel": return ByteLevelNormalizer()
    default: throw TokenizerError.unsupportedComponent(path: field.path, type: type)
    }
}
