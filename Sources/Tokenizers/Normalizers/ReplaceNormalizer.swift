/// `Replace`: each match of the pattern becomes `content`.
struct ReplaceNormalizer: Normalizer {
    let pattern: SplitPattern
    let content: [UInt8]

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        text = pattern.replacingMatches(in: text, with: content, matcher: &matcher)
    }
}
