/// A compiled pattern of `tokenizer.json`: a regular expression or a literal text.
struct SplitPattern: Sendable {
    private let program: PatternProgram

    /// - Throws: syntax that is not supported.
    init(regularExpression: String) throws(PatternError) {
        program = try PatternProgram(PatternParser.parse(regularExpression))
    }

    /// - Throws: a text too long to be compiled.
    init(literal: String) throws(PatternError) {
        program = try PatternProgram(PatternParser.literal(literal))
    }

    /// Cuts `bounds` into matches and the gaps between them, in order and without holes.
    ///
    /// An empty match directly behind the match before is not reported, so the walk always ends.
    @inline(__always)
    func forEachPart(
        in text: Span<UInt8>, bounds: Range<Int>, matcher: inout PatternMatcher, _ body: (Range<Int>, Bool) -> Void
    ) {
        if bounds.isEmpty {
            body(bounds, false)
            return
        }
        var previous = bounds.lowerBound
        var search = bounds.lowerBound
        var lastEnd = -1
        while search <= bounds.upperBound {
            guard let match = matcher.firstMatch(of: program, in: text, bounds: bounds, from: search) else { break }
            if match.isEmpty, match.upperBound == lastEnd {
                guard search < bounds.upperBound else { break }
                search += UTF8Text.length(lead: text[search])
                continue
            }
            if previous < match.lowerBound { body(previous..<match.lowerBound, false) }
            body(match, true)
            previous = match.upperBound
            lastEnd = match.upperBound
            search = match.upperBound
        }
        if previous < bounds.upperBound { body(previous..<bounds.upperBound, false) }
    }
}

extension SplitPattern {
    /// `text` with each match replaced by `content`; the empty text has no matches.
    func replacingMatches(in text: [UInt8], with content: [UInt8], matcher: inout PatternMatcher) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        forEachPart(in: text.span, bounds: 0..<text.count, matcher: &matcher) { range, isMatch in
            if isMatch { output += content } else { output += text[range] }
        }
        return output
    }
}
