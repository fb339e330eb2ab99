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
