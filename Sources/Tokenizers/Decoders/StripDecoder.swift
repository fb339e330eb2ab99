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
