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
