import Glibc

// What Python's two kinds of formatting, `"%s" % value` and `"{}".format(value)`, have in common.

/// How one value is to be laid out.
struct FormatSpec {
    var fill = " "
    var alignment: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var isAlternate = false
    var grouping: Unicode.Scalar?
    var width = 0
    var precision: Int?
    var kind: Unicode.Scalar?
}

/// Reads scalars from the front.
struct ScalarReader {
    let scalars: [Unicode.Scalar]
    var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func next() -> Unicode.Scalar? {
        guard let current else { return nil }
        position += 1
        return current
    }

    mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    mutating func number() -> Int? {
        var value: Int?
        while let scalar = current, ("0"..."9").contains(scalar) {
            position += 1
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), 1 << 40)
        }
        return value
    }
}

extension Interpreter {
    func digits(_ number: Int, _ spec: FormatSpec, alternate: Bool) -> String {
        var text: String
        let prefix: String
        switch spec.kind {
        case "x": (text, prefix) = (String(number.magnitude, radix: 16), "0x")
        case "X": (text, prefix) = (String(number.magnitude, radix: 16, uppercase: true), "0X")
        case "o": (text, prefix) = (String(number.magnitude, radix: 8), "0o")
        case "b": (text, prefix) = (String(number.magnitude, radix: 2), "0b")
        default: (text, prefix) = (String(number.magnitude), "")
        }
        if let precision = spec.precision {
            text = String(repeating: "0", count: max(0, min(precision, 1000) - text.utf8.count)) + text
        }
        return alternate ? prefix + text : text
    }

    func floatDigits(_ number: Double, _ spec: FormatSpec) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return "inf" }
        guard let kind = spec.kind else {
            guard let precision = spec.precision else { return number.pythonRepr }
            let text = printed(number, precision: max(1, precision), kind: "g")
            return text.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") } ? text : text + ".0"
        }
        if kind == "%" { return printed(number * 100, precision: spec.precision ?? 6, kind: "f") + "%" }
        return printed(number, precision: spec.precision ?? 6, kind: kind)
    }

    /// Through the C library, whose rounding of binary fractions is exact, as Python's is.
    func printed(_ number: Double, precision: Int, kind: Unicode.Scalar) -> String {
        let format = "%.\(min(max(precision, 0), 1000))\(kind == "n" ? "g" : kind)"
        // The longest finite number has 309 digits before the point.
        var buffer = [CChar](repeating: 0, count: 1400)
        let count = withVaList([number]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(
            decoding: buffer.prefix(Int(max(0, count))).lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
