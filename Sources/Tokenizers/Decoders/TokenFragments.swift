/// What flows between decoders: texts of tokens, one after the other, cut at `ends`. Bytes behind the last end belong
/// to a token that is not complete yet.
struct TokenFragments: Sendable {
    var bytes: [UInt8] = []
    /// Offsets into `bytes`; equal neighbours are empty tokens.
    var ends: [Int] = []

    /// Calls `body` for each part of a token: the bytes, and whether the token ends with them.
    @inline(__always)
    func forEachPart(_ body: (Range<Int>, Bool) -> Void) {
        var start = 0
        for end in ends {
            body(start..<end, true)
            start = end
        }
        if start < bytes.count { body(start..<bytes.count, false) }
    }
}

/// A decoder of `tokenizer.json` as a machine that is fed with fragments.
///
/// One machine serves both the decoding of a whole text and streaming, so that the two cannot differ. A step gives out
/// what no later input can change, and keeps the rest; with `isFinal` it gives out everything.
protocol DecoderStep: Sendable {
    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments
    /// What the step makes of a token in running text, away from the ends.
    func running(_ piece: inout RunningPiece)
}

/// A token on its way through the decoders, for `Tokenizer.bytes(ofID:)`.
struct RunningPiece {
    var bytes: [UInt8]
    /// The bytes are not text any more: a byte token, or byte-level decoded.
    var isRaw = false
    /// A step before has joined all tokens, so that rules for the ends of a token do not concern this one.
    var isFused = false
}
