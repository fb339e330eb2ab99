/// `Lowercase`: each code point by itself, without context (no final sigma).
struct LowercaseNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if UTF8Text.isASCII(text) {
            for index in text.indices where (0x41...0x5A).contains(text[index]) { text[index] += 0x20 }
            return
        }
        let mapping = UnicodeTables.lowercase
        text = rewritten(text) { scalar, output in
            if scalar < 0x80 {
                output.append(UInt8(scalar) + ((0x41...0x5A).contains(scalar) ? 0x20 : 0))
            } else if let lower = mapping[scalar] {
                for scalar in lower { UTF8Text.append(scalar, to: &output) }
            } else {
                UTF8Text.append(scalar, to: &output)
            }
        }
    }
}

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

/// `Prepend`: writes a text before any text that is not empty.
struct PrependNormalizer: Normalizer {
    let prefix: [UInt8]

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if !text.isEmpty { text = prefix + text }
    }
}

/// `Replace`: each match of the pattern becomes `content`.
struct ReplaceNormalizer: Normalizer {
    let pattern: SplitPattern
    let content: [UInt8]

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        text = pattern.replacingMatches(in: text, with: content, matcher: &matcher)
    }
}

/// `ByteLevel`: writes each byte as its character of `ByteLevelAlphabet`.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        var output: [UInt8] = []
        output.reserveCapacity(text.count * 2)
        ByteLevelAlphabet.encode(text.span, into: &output)
        text = output
    }
}

/// `text` with each scalar given to `body`, which appends what shall stand in its place.
@inline(__always)
func rewritten(_ text: [UInt8], _ body: (UInt32, inout [UInt8]) -> Void) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.count)
    let span = text.span
    var index = 0
    while index < span.count {
        let (scalar, next) = UTF8Text.scalar(in: span, at: index)
        body(scalar, &output)
        index = next
    }
    return output
}
