/// `Lowercase`: each code point by itself, without context (no final sigma).
struct LowercaseNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if UTF8Text.isASCII(text) {
            for index in text.indices where (0x41...0x5A).contains(text[index]) { text[index] += 0x20 }
            return
        }
        let mapping = UnicodeTables.lowercase
        text = rewritten(text) { scalar, output in
            if scalar < 0x80 {
                output.append(UInt8(scalar) + ((0x41...0x5A).contains(scalar) ? 0x20 : 0))
            } else if let lower = mapping[scalar] {
                for scalar in lower { UTF8Text.append(scalar, to: &output) }
            } else {
                UTF8Text.append(scalar, to: &output)
            }
        }
    }
}
