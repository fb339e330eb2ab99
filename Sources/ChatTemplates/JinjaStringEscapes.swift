/// Backslash escapes of Python string literals.
enum StringEscapes {
    static func resolve(_ content: String) throws(Fault) -> String {
        let scalars = Array(content.unicodeScalars)
        var result = String.UnicodeScalarView()
        var index = 0

        func code(_ range: Range<Int>, radix: Int) -> UInt32? {
            guard range.upperBound <= scalars.count else { return nil }
            let digits = scalars[range]
            guard digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
            return UInt32(String(String.UnicodeScalarView(digits)), radix: radix)
        }

        while index < scalars.count {
            guard scalars[index] == "\\", index + 1 < scalars.count else {
                result.append(scalars[index])
                index += 1
                continue
            }
            let escape = scalars[index + 1]
            index += 2
            switch escape {
            case "\n": break
            case "\\", "'", "\"": result.append(escape)
            case "a": result.append("\u{07}")
            case "b": result.append("\u{08}")
            case "f": result.append("\u{0C}")
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "v": result.append("\u{0B}")
            case "0"..."7":
                var end = index
                while end < scalars.count, end < index + 2, ("0"..."7").contains(scalars[end]) { end += 1 }
                if let value = code((index - 1)..<end, radix: 8), let scalar = Unicode.Scalar(value) {
                    result.append(scalar)
                }
                index = end
            case "x", "u", "U":
                let width = escape == "x" ? 2 : escape == "u" ? 4 : 8
                guard var value = code(index..<(index + width), radix: 16) else {
                    throw .value("truncated \\\(escape) escape")
                }
                index += width
                // A pair of surrogates is one scalar here; a single one has no UTF-8 form.
                if (0xD800..<0xDC00).contains(value), index + 1 < scalars.count, scalars[index] == "\\",
                    scalars[index + 1] == "u", let low = code((index + 2)..<(index + 6), radix: 16),
                    (0xDC00..<0xE000).contains(low)
                {
                    value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                result.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            default:
                result.append("\\")
                result.append(escape)
            }
        }
        return String(result)
    }
}
