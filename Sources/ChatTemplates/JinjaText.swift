// Strings as Python sees them: sequences of Unicode scalars, compared byte by byte, printed by `repr`.

extension String {
    /// Whether both have the same scalars. `==` would also accept canonically equivalent ones.
    func isExactly(_ other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Order by code point, which is the order of the UTF-8 bytes.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

    /// Number of Unicode scalars: Python's `len`.
    var scalarCount: Int { unicodeScalars.count }

    /// `repr` of a Python string: quoted, with everything unprintable escaped.
    var pythonRepr: String {
        let quote: Unicode.Scalar = utf8.contains(0x27) && !utf8.contains(0x22) ? "\"" : "'"
        var result = String(quote)
        for scalar in unicodeScalars {
            switch scalar {
            case quote, "\\":
                result.unicodeScalars.append("\\")
                result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.isPythonPrintable {
                    result.unicodeScalars.append(scalar)
                } else if scalar.value < 0x100 {
                    result += "\\x" + scalar.value.hex(width: 2)
                } else if scalar.value < 0x10000 {
                    result += "\\u" + scalar.value.hex(width: 4)
                } else {
                    result += "\\U" + scalar.value.hex(width: 8)
                }
            }
        }
        result.unicodeScalars.append(quote)
        return result
    }

    /// Without the scalars at the ends that `drop` accepts: `strip`, `lstrip`, `rstrip`.
    func stripped(
        leading: Bool = true, trailing: Bool = true, _ drop: (Unicode.Scalar) -> Bool = \.isPythonSpace
    ) -> String {
        var view = unicodeScalars[...]
        if leading { view = view.drop(while: drop) }
        if trailing {
            while let last = view.last, drop(last) { view.removeLast() }
        }
        return String(view)
    }

    /// Python's `splitlines`: more line ends than `\n`.
    func pythonLines(keepEnds: Bool = false) -> [String] {
        var lines: [String] = []
        let scalars = unicodeScalars
        var start = scalars.startIndex
        var position = start
        while position < scalars.endIndex {
            guard scalars[position].isPythonLineEnd else {
                scalars.formIndex(after: &position)
                continue
            }
            let contentEnd = position
            let isReturn = scalars[position] == "\r"
            scalars.formIndex(after: &position)
            if isReturn, position < scalars.endIndex, scalars[position] == "\n" { scalars.formIndex(after: &position) }
            lines.append(String(scalars[start..<(keepEnds ? position : contentEnd)]))
            start = position
        }
        if start < scalars.endIndex { lines.append(String(scalars[start...])) }
        return lines
    }

    /// HTML-escaped as `markupsafe.escape` does.
    var htmlEscaped: String {
        guard utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x27, 0x22].contains($0) }) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Python's `str.isspace` of one code point, also `\s` of its regular expressions.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    var isPythonLineEnd: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Whether `repr` shows it as it is.
    var isPythonPrintable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    var isPythonAlphabetic: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isPythonDecimal: Bool { properties.numericType == .decimal }
    var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }
    var isPythonNumeric: Bool { properties.numericType != nil }
    var isPythonAlphanumeric: Bool { isPythonAlphabetic || isPythonNumeric }
}

extension UnsignedInteger {
    /// Lower-case hexadecimal with leading zeros.
    func hex(width: Int) -> String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

extension Double {
    /// `repr` of a Python float: the shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
    var pythonRepr: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        // The standard library's description has the same digits, but changes to an exponent elsewhere.
        var digits: [UInt8] = []
        var pointPosition: Int?
        var exponent = 0
        let bytes = Array(magnitude.description.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: ".") {
                pointPosition = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: bytes[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        var point = (pointPosition ?? digits.count) + exponent
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        if leadingZeros == digits.count { return sign == .minus ? "-0.0" : "0.0" }
        digits.removeFirst(leadingZeros)
        point -= leadingZeros
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }

        func text(_ part: ArraySlice<UInt8>) -> String { String(decoding: part, as: UTF8.self) }
        let body: String
        if point > 16 || point < -3 {
            let power = point - 1
            let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
            let magnitude = String(power.magnitude)
            body =
                text(digits[..<1]) + fraction + "e" + (power < 0 ? "-" : "+")
                + (magnitude.count < 2 ? "0" : "") + magnitude
        } else if point <= 0 {
            body = "0." + String(repeating: "0", count: -point) + text(digits[...])
        } else if point >= digits.count {
            body = text(digits[...]) + String(repeating: "0", count: point - digits.count) + ".0"
        } else {
            body = text(digits[..<point]) + "." + text(digits[point...])
        }
        return (sign == .minus ? "-" : "") + body
    }
}
