/// `WhitespaceSplit`: what lies between white space.
struct WhitespaceSplitPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.cut(.removed, at: UnicodeTables.whiteSpace)
    }
}

/// `Whitespace`: runs of word characters and runs of anything else that is not white space.
struct WhitespacePreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        let word = UnicodeTables.word
        let space = UnicodeTables.whiteSpace
        text.cut(.removed) { bytes, range, report in
            var start = range.lowerBound
            var kind = -1
            var index = start
            while index < range.upperBound {
                let (scalar, next) = UTF8Text.scalar(in: bytes, at: index)
                let current = word.contains(scalar) ? 0 : space.contains(scalar) ? 1 : 2
                if current != kind, index > start {
                    report(start..<index, kind == 1)
                    start = index
                }
                kind = current
                index = next
            }
            if start < range.upperBound { report(start..<range.upperBound, kind == 1) }
        }
    }
}
