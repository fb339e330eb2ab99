/// `ByteFallback`: a run of tokens `<0x00>`…`<0xFF>` becomes the text of its bytes, or one U+FFFD a byte if the run as
/// a whole is not UTF-8. So nothing of a run is certain before it ends, except that it has failed.
struct ByteFallbackDecoder: DecoderStep {
    private var token: [UInt8] = []
    /// Bytes of the run that have not been given out.
    private var run: [UInt8] = []
    /// Looks for ill-formed parts in the run.
    private var check = UTF8Repair()

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        input.forEachPart { range, isEnd in
            token += input.bytes[range]
            guard isEnd else { return }
            if let byte = Self.byte(of: token) {
                run.append(byte)
                var ignored: [UInt8] = []
                check.append([byte], to: &ignored)
                if check.repairs > 0 { fail(&output) }
            } else {
                endRun(&output)
                output.bytes += token
                output.ends.append(output.bytes.count)
            }
            token.removeAll(keepingCapacity: true)
        }
        if isFinal { endRun(&output) }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if let byte = Self.byte(of: piece.bytes) {
            piece.bytes = [byte]
            piece.isRaw = true
        }
    }

    private mutating func fail(_ output: inout TokenFragments) {
        for _ in run {
            output.bytes += UTF8Repair.replacement
            output.ends.append(output.bytes.count)
        }
        run.removeAll(keepingCapacity: true)
    }

    private mutating func endRun(_ output: inout TokenFragments) {
        if check.isInside {
            fail(&output)
        } else if !run.isEmpty {
            output.bytes += run
            output.ends.append(output.bytes.count)
            run.removeAll(keepingCapacity: true)
        }
        check = UTF8Repair()
    }

    /// The byte of a token such as `<0xE2>`; either case of the digits.
    static func byte(of token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: [0x3C, 0x30, 0x78]), token[5] == 0x3E,
            let high = Character(Unicode.Scalar(token[3])).hexDigitValue,
            let low = Character(Unicode.Scalar(token[4])).hexDigitValue
        else { return nil }
        return UInt8(high << 4 | low)
    }
}
