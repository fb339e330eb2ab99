/// `BertPreTokenizer`: words between white space, punctuation apart.
struct BertPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(.removed, at: UnicodeTables.whiteSpace)
        text.cut(.isolated, at: UnicodeTables.punctuation)
    }
}
