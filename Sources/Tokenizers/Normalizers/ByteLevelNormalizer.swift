/// `ByteLevel`: writes each byte as its character of `ByteLevelAlphabet`.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        var output: [UInt8] = []
        output.reserveCapacity(text.count * 2)
        ByteLevelAlphabet.encode(text.span, into: &output)
        text = output
    }
}
