/// `ByteLevel`: characters of `ByteLevelAlphabet` back to bytes, then UTF-8 with U+FFFD for each ill-formed part. All
/// tokens become one.
struct ByteLevelDecoder: DecoderStep {
    /// The tokens come as bytes already, because the vocabulary holds them so.
    let takesBytes: Bool
    private var token: [UInt8] = []
    private var text = UTF8Repair()

    init(takesBytes: Bool) {
        self.takesBytes = takesBytes
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        if takesBytes {
            text.append(input.bytes[...], to: &output.bytes)
        } else {
            input.forEachPart { range, isEnd in
                token += input.bytes[range]
                guard isEnd else { return }
                var bytes: [UInt8] = []
                if !ByteLevelAlphabet.decode(token.span, into: &bytes) { bytes = token }
                text.append(bytes[...], to: &output.bytes)
                token.removeAll(keepingCapacity: true)
            }
        }
        if isFinal {
            text.finish(&output.bytes)
            output.ends = [output.bytes.count]
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if !takesBytes {
            var bytes: [UInt8] = []
            if ByteLevelAlphabet.decode(piece.bytes.span, into: &bytes) { piece.bytes = bytes }
        }
        piece.isRaw = true
        piece.isFused = true
    }
}
