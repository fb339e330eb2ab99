/// The alphabet of byte-level vocabularies (GPT-2): each byte is one printable character. Bytes that print stand for
/// themselves; the others are numbered from U+0100 on.
enum ByteLevelAlphabet {
    /// Byte → code point; all lie below U+0144, so each is one or two bytes of UTF-8.
    static let codePoints: [UInt32] = {
        var result = [UInt32](repeating: 0, count: 256)
        var next: UInt32 = 0x100
        for byte in 0..<256 {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                result[byte] = UInt32(byte)
            default:
                result[byte] = next
                next += 1
            }
        }
        return result
    }()

    /// Code point → byte, −1 for the code points outside the alphabet.
    static let bytes: [Int16] = {
        var result = [Int16](repeating: -1, count: 0x144)
        for (byte, codePoint) in codePoints.enumerated() { result[Int(codePoint)] = Int16(byte) }
        return result
    }()

    /// Appends the bytes that the characters of `text` stand for; false, with `output` unchanged, if some character is
    /// outside the alphabet.
    static func decode(_ text: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        let table = bytes.span
        let start = output.count
        var index = 0
        while index < text.count {
            let (value, next) = UTF8Text.scalar(in: text, at: index)
            let byte = Int(value) < table.count ? table[Int(value)] : -1
            guard byte >= 0 else {
                output.removeSubrange(start...)
                return false
            }
            output.append(UInt8(truncatingIfNeeded: byte))
            index = next
        }
        return true
    }

    /// Appends the characters of the bytes of `text`.
    static func encode(_ text: Span<UInt8>, into output: inout [UInt8]) {
        let table = codePoints.span
        for index in text.indices { UTF8Text.append(table[Int(text[index])], to: &output) }
    }
}
