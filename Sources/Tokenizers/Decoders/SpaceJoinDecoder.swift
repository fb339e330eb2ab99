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
