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
