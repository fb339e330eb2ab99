/// `Fuse`: all tokens become one.
struct FuseDecoder: DecoderStep {
    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        TokenFragments(bytes: input.bytes, ends: isFinal ? [input.bytes.count] : [])
    }

    func running(_ piece: inout RunningPiece) {
        piece.isFused = true
    }
}
