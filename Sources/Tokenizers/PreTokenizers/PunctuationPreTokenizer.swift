/// `Punctuation`.
struct PunctuationPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(behavior, at: UnicodeTables.punctuation)
    }
}
