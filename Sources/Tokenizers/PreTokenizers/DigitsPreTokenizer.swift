/// `Digits`: numbers apart, or each digit by itself.
struct DigitsPreTokenizer: PreTokenizer {
    let individual: Bool

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(individual ? .isolated : .contiguous, at: UnicodeTables.numeric)
    }
}
