/// `Precompiled`: the character map of SentencePiece models. The map is a double-array trie (Aoe 1989, in the layout of
/// the library Darts) from texts to places in a list of replacements that end with a zero byte.
///
/// As in the `tokenizers` library a grapheme of less than six bytes is looked up as a whole, and all of it is replaced by
/// what its shortest known beginning stands for; otherwise each character is looked up by itself.
struct PrecompiledNormalizer: Normalizer {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// Longest grapheme that is looked up as a whole.
    private static let longestGrapheme = 5

    /// - Parameter map: number of bytes of the trie (32 bits, little endian), the trie, the replacements.
    /// - Returns: nil if the map is not of that form.
    init?(map: [UInt8]) {
        guard map.count >= 4 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(map[offset + $1]) << (8 * $1) }
        }
        let size = Int(word(0))
        guard size % 4 == 0, size > 0, size <= map.count - 4 else { return nil }
        units = (0..<size / 4).map { word(4 + 4 * $0) }
        let rest = map[(4 + size)...]
        guard (try? UTF8Span(validating: rest.span)) != nil else { return nil }
        replacements = Array(rest)
    }

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) { text = normalized(text) }

    private func normalized(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        let span = text.span
        if UTF8Text.isASCII(text) {
            // All graphemes are single bytes but one.
            var index = 0
            while index < span.count {
                let isLineEnd = span[index] == 0x0D && index + 1 < span.count && span[index + 1] == 0x0A
                let end = index + (isLineEnd ? 2 : 1)
                grapheme(span, index..<end, into: &output)
                index = end
            }
        } else {
            var index = 0
            for character in String(decoding: text, as: UTF8.self) {
                let end = index + character.utf8.count
                grapheme(span, index..<end, into: &output)
                index = end
            }
        }
        return output
    }

    private func grapheme(_ text: Span<UInt8>, _ range: Range<Int>, into output: inout [UInt8]) {
        if range.count <= Self.longestGrapheme, append(replacementOf: text, range, to: &output) { return }
        var index = range.lowerBound
        while index < range.upperBound {
            let next = index + UTF8Text.length(lead: text[index])
            if !append(replacementOf: text, index..<next, to: &output) {
                for position in index..<next { output.append(text[position]) }
            }
            index = next
        }
    }

    /// - Returns: whether the map has a beginning of the text; if so, its replacement was appended.
    private func append(replacementOf text: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8]) -> Bool {
        var node = Self.offset(units[0])
        for index in range {
            let byte = text[index]
            if byte == 0 { return false }
            node ^= Int(byte)
            guard node < units.count else { return false }
            let unit = units[node]
            // The label, and that this is no value.
            guard unit & 0x8000_00FF == UInt32(byte) else { return false }
            node ^= Self.offset(unit)
            guard unit >> 8 & 1 == 1 else { continue }
            guard node < units.count else { return false }
            var place = Int(units[node] & 0x7FFF_FFFF)
            // A damaged map must not cut a character.
            guard place < replacements.count, replacements[place] & 0xC0 != 0x80 else { return false }
            while place < replacements.count, replacements[place] != 0 {
                output.append(replacements[place])
                place += 1
            }
            return true
        }
        return false
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}

/// Base64 (RFC 4648, section 4) without white space; nil for anything else.
func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    let padding = text.reversed().prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
    var bits: UInt32 = 0
    for (index, character) in text.enumerated() {
        let value: UInt8
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        case UInt8(ascii: "=") where index >= text.count - padding: value = 0
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        if index % 4 == 3 {
            result += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
            bits = 0
        }
    }
    result.removeLast(padding)
    return result
}
