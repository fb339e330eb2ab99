/// JSON strings as bytes.
enum JSONText {
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    /// Without the space around it.
    static func trimmed(_ text: [UInt8]) -> [UInt8] {
        Array(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// What a string literal, with its quotes, stands for. Escapes that are none stay as they are.
    static func decoded(_ literal: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = literal.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(&rest) else {
                    result += [byte, escape]
                    continue
                }
                result += Array(String(scalar).utf8)
            default: result.append(escape)
            }
        }
        return result
    }

    /// Four hexadecimal digits, or twice four that are a surrogate pair (RFC 8259, section 7).
    private static func scalar<Rest: Collection<UInt8>>(_ rest: inout Rest) -> Unicode.Scalar?
    where Rest.SubSequence == Rest {
        guard let first = unit(rest) else { return nil }
        if let scalar = Unicode.Scalar(first) {
            rest = rest.dropFirst(4)
            return scalar
        }
        let second = rest.dropFirst(4)
        guard second.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]), let low = unit(second.dropFirst(2)),
            (0xD800..<0xDC00).contains(first), (0xDC00..<0xE000).contains(low)
        else { return nil }
        rest = second.dropFirst(6)
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (low - 0xDC00))
    }

    private static func unit(_ text: some Collection<UInt8>) -> UInt32? {
        let digits = text.prefix(4)
        guard digits.count == 4 else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// A byte as it stands in a string literal.
    static func escaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [UInt8(ascii: "\\"), byte]
        case 0x0A: return Array("\\n".utf8)
        case 0x09: return Array("\\t".utf8)
        case 0x0D: return Array("\\r".utf8)
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            return Array("\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
        default: return [byte]
        }
    }
}
