/// `Fuse`: all tokens become one.
struct FuseDecoder: DecoderStep {
    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        TokenFragments(bytes: input.bytes, ends: isFinal ? [input.bytes.count] : [])
    }

    func running(_ piece: inout RunningPiece) {
        piece.isFused = true
    }
}

/// `Replace`: matches of a pattern inside each token.
struct ReplaceDecoder: DecoderStep {
    let pattern: SplitPattern
    let content: [UInt8]
    private var token: [UInt8] = []
    private var matcher = PatternMatcher()

    init(pattern: SplitPattern, content: [UInt8]) {
        self.pattern = pattern
        self.content = content
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        input.forEachPart { range, isEnd in
            token += input.bytes[range]
            guard isEnd else { return }
            output.bytes += pattern.replacingMatches(in: token, with: content, matcher: &matcher)
            output.ends.append(output.bytes.count)
            token.removeAll(keepingCapacity: true)
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if piece.isRaw { return }
        var matcher = PatternMatcher()
        piece.bytes = pattern.replacingMatches(in: piece.bytes, with: content, matcher: &matcher)
    }
}

/// `Replace` of a literal text, which need not wait for the end of the token.
struct LiteralReplaceDecoder: DecoderStep {
    let literal: [UInt8]
    let content: [UInt8]
    /// End of the token so far that may be the start of a match; a proper prefix of `literal`.
    private var held: [UInt8] = []

    /// - Precondition: `literal` is not empty.
    init(literal: [UInt8], content: [UInt8]) {
        self.literal = literal
        self.content = content
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        output.bytes.reserveCapacity(input.bytes.count)
        input.forEachPart { range, isEnd in
            for byte in input.bytes[range] {
                held.append(byte)
                if held.count == literal.count, held == literal {
                    output.bytes += content
                    held.removeAll(keepingCapacity: true)
                }
                // Give out what cannot start a match any more.
                while !held.isEmpty, !literal.starts(with: held) { output.bytes.append(held.removeFirst()) }
            }
            guard isEnd else { return }
            output.bytes += held
            held.removeAll(keepingCapacity: true)
            output.ends.append(output.bytes.count)
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if piece.isRaw { return }
        var step = LiteralReplaceDecoder(literal: literal, content: content)
        piece.bytes = step.process(TokenFragments(bytes: piece.bytes, ends: [piece.bytes.count]), isFinal: true).bytes
    }
}

/// `Strip`: up to `start` characters at the start and `stop` at the end of each token, where they are `content`.
struct StripDecoder: DecoderStep {
    let content: [UInt8]
    let start: Int
    let stop: Int
    /// How many have been stripped from the token; nil once another character has come.
    private var stripped: Int? = 0
    /// Characters `content` at the end so far, at most `stop`, that may have to go.
    private var held = 0

    init(content: [UInt8], start: Int, stop: Int) {
        self.content = content
        self.start = start
        self.stop = stop
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        output.bytes.reserveCapacity(input.bytes.count)
        input.forEachPart { range, isEnd in
            var index = range.lowerBound
            while index < range.upperBound {
                let next = min(index + UTF8Text.length(lead: input.bytes[index]), range.upperBound)
                take(input.bytes[index..<next], &output)
                index = next
            }
            guard isEnd else { return }
            output.ends.append(output.bytes.count)
            stripped = 0
            held = 0
        }
        return output
    }

    private mutating func take(_ character: ArraySlice<UInt8>, _ output: inout TokenFragments) {
        let isContent = character.elementsEqual(content)
        if let count = stripped {
            if isContent, count < start {
                stripped = count + 1
                return
            }
            stripped = nil
        }
        if isContent, stop > 0 {
            if held < stop { held += 1 } else { output.bytes += content }
            return
        }
        for _ in 0..<held { output.bytes += content }
        held = 0
        output.bytes += character
    }

    func running(_ piece: inout RunningPiece) {
        if piece.isRaw || piece.isFused { return }
        var step = StripDecoder(content: content, start: start, stop: stop)
        piece.bytes = step.process(TokenFragments(bytes: piece.bytes, ends: [piece.bytes.count]), isFinal: true).bytes
    }
}

/// `Metaspace`: `▁` becomes a space, and nothing in the first token if a space was prepended there.
struct MetaspaceDecoder: DecoderStep {
    let replacement: [UInt8]
    let dropsInFirst: Bool
    private var isFirst = true

    init(replacement: [UInt8], dropsInFirst: Bool) {
        self.replacement = replacement
        self.dropsInFirst = dropsInFirst
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        output.bytes.reserveCapacity(input.bytes.count)
        input.forEachPart { range, isEnd in
            var index = range.lowerBound
            while index < range.upperBound {
                let next = min(index + UTF8Text.length(lead: input.bytes[index]), range.upperBound)
                if input.bytes[index..<next].elementsEqual(replacement) {
                    if !(isFirst && dropsInFirst) { output.bytes.append(0x20) }
                } else {
                    output.bytes += input.bytes[index..<next]
                }
                index = next
            }
            guard isEnd else { return }
            output.ends.append(output.bytes.count)
            isFirst = false
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if piece.isRaw { return }
        var step = MetaspaceDecoder(replacement: replacement, dropsInFirst: false)
        piece.bytes = step.process(TokenFragments(bytes: piece.bytes, ends: [piece.bytes.count]), isFinal: true).bytes
    }
}

/// `BPEDecoder`: the end-of-word suffix becomes a space, and nothing in the last token.
struct SuffixDecoder: DecoderStep {
    let suffix: LiteralText
    private var token: [UInt8] = []
    /// The last whole token, which is not known to be the last of all.
    private var previous: [UInt8]?

    init(suffix: LiteralText) {
        self.suffix = suffix
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        input.forEachPart { range, isEnd in
            token += input.bytes[range]
            guard isEnd else { return }
            give(" ", &output)
            previous = token
            token.removeAll(keepingCapacity: true)
        }
        if isFinal {
            give("", &output)
            previous = nil
        }
        return output
    }

    private func give(_ replacement: StaticString, _ output: inout TokenFragments) {
        guard let previous else { return }
        output.bytes += suffix.replaced(in: previous, with: replacement)
        output.ends.append(output.bytes.count)
    }

    func running(_ piece: inout RunningPiece) {
        piece.bytes = suffix.replaced(in: piece.bytes, with: " ")
    }
}

/// Without a decoder the library joins the tokens with spaces.
struct SpaceJoinDecoder: DecoderStep {
    private var isFirst = true
    private var isInside = false

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        input.forEachPart { range, isEnd in
            if !isFirst, !isInside { output.bytes.append(0x20) }
            output.bytes += input.bytes[range]
            isFirst = false
            isInside = !isEnd
            if isEnd { output.ends.append(output.bytes.count) }
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        piece.bytes.insert(0x20, at: 0)
    }
}
