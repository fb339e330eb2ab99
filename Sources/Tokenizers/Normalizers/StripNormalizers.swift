/// `StripAccents`: deletes combining marks.
struct StripAccentsNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if UTF8Text.isASCII(text) { return }
        let marks = UnicodeTables.combiningMark
        text = rewritten(text) { scalar, output in
            if !marks.contains(scalar) { UTF8Text.append(scalar, to: &output) }
        }
    }
}

/// `Strip`: deletes white space at the ends.
struct StripNormalizer: Normalizer {
    let left: Bool
    let right: Bool

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        text = Array(text[keptRange(text.span)])
    }

    private func keptRange(_ span: Span<UInt8>) -> Range<Int> {
        let space = UnicodeTables.whiteSpace
        var start = 0
        var end = span.count
        while left, start < end {
            let (scalar, next) = UTF8Text.scalar(in: span, at: start)
            guard space.contains(scalar) else { break }
            start = next
        }
        while right, end > start {
            let previous = UTF8Text.start(before: end, in: span, lower: start)
            guard space.contains(UTF8Text.scalar(in: span, at: previous).value) else { break }
            end = previous
        }
        return start..<end
    }
}
