/// `Prepend`: writes a text before any text that is not empty.
struct PrependNormalizer: Normalizer {
    let prefix: [UInt8]

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if !text.isEmpty { text = prefix + text }
    }
}
