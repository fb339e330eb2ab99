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
