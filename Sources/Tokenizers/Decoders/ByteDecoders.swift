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

/// Passes well-formed UTF-8 on and writes U+FFFD for each maximal ill-formed part (Unicode 16, section 3.9, table 3-8).
struct UTF8Repair: Sendable {
    /// Start of a sequence that may still become whole; at most three bytes.
    private var pending: [UInt8] = []
    private var needed = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF
    /// How many ill-formed parts there were.
    private(set) var repairs = 0

    /// Whether a sequence has begun and not ended.
    var isInside: Bool { !pending.isEmpty }

    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            if needed > 0 {
                if byte >= lowest, byte <= highest {
                    pending.append(byte)
                    needed -= 1
                    (lowest, highest) = (0x80, 0xBF)
                    if needed == 0 {
                        output += pending
                        pending.removeAll(keepingCapacity: true)
                    }
                    continue
                }
                finish(&output)
            }
            start(byte, &output)
        }
    }

    private mutating func start(_ byte: UInt8, _ output: inout [UInt8]) {
        switch byte {
        case 0x00...0x7F:
            output.append(byte)
            return
        case 0xC2...0xDF: needed = 1
        case 0xE0: (needed, lowest) = (2, 0xA0)
        case 0xED: (needed, highest) = (2, 0x9F)
        case 0xE1...0xEF: needed = 2
        case 0xF0: (needed, lowest) = (3, 0x90)
        case 0xF1...0xF3: needed = 3
        case 0xF4: (needed, highest) = (3, 0x8F)
        default:
            output += Self.replacement
            repairs += 1
            return
        }
        pending.append(byte)
    }

    /// Writes U+FFFD for a sequence that has begun and not ended.
    mutating func finish(_ output: inout [UInt8]) {
        if !pending.isEmpty {
            output += Self.replacement
            repairs += 1
        }
        pending.removeAll(keepingCapacity: true)
        needed = 0
        (lowest, highest) = (0x80, 0xBF)
    }
}

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
