import Glibc

// Python's two kinds of formatting: `"%s" % value` and `"{}".format(value)`.

/// How one value is to be laid out.
private struct FormatSpec {
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
private struct ScalarReader {
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
    // MARK: %

    /// `format % value`
    func percentFormat(_ format: String, _ left: JinjaValue, _ value: JinjaValue) throws(Fault) -> JinjaValue {
        var escapes = false
        if case .markup = left { escapes = true }
        var values = [value]
        if case .tuple(let sequence) = value { values = sequence.elements }
        var used = 0
        func nextValue() throws(Fault) -> JinjaValue {
            guard used < values.count else { throw .type("not enough arguments for format string") }
            used += 1
            return values[used - 1]
        }

        var result = ""
        var reader = ScalarReader(format)
        try budget.scan(bytes: 4 * format.utf8.count)
        while let scalar = reader.next() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            var key: String?
            if reader.skip("(") {
                var name = ""
                while let scalar = reader.next(), scalar != ")" { name.unicodeScalars.append(scalar) }
                key = name
            }
            var spec = FormatSpec()
            var hasZero = false
            flags: while let flag = reader.current {
                switch flag {
                case "-": spec.alignment = "<"
                case "+": spec.sign = "+"
                case " ": if spec.sign != "+" { spec.sign = " " }
                case "#": spec.isAlternate = true
                case "0": hasZero = true
                default: break flags
                }
                reader.position += 1
            }
            if reader.skip("*") {
                let width = try integer(try nextValue())
                if width < 0 { spec.alignment = "<" }
                spec.width = Int(clamping: width.magnitude)
            } else {
                spec.width = reader.number() ?? 0
            }
            if reader.skip(".") {
                spec.precision = reader.skip("*") ? max(0, try integer(try nextValue())) : reader.number() ?? 0
            }
            while let modifier = reader.current, ["h", "l", "L"].contains(modifier) { reader.position += 1 }
            guard let kind = reader.next() else { throw .value("incomplete format") }
            if kind == "%" {
                result += "%"
                continue
            }
            spec.kind = kind
            let argument: JinjaValue
            if let key {
                guard case .dict(let dict) = value else { throw .type("format requires a mapping") }
                guard let found = dict[key] else { throw .value(key.pythonRepr) }
                argument = found
                used = values.count
            } else {
                argument = try nextValue()
            }
            let text = try percentConverted(argument, &spec, hasZero: hasZero, escapes: escapes)
            let alignment: Alignment = spec.alignment == "<" ? .left : .right
            try append(try padded(text, width: spec.width, fill: " ", alignment), to: &result)
        }
        if used < values.count {
            var isMapping = false
            if case .dict = value { isMapping = true }
            if !isMapping { throw .type("not all arguments converted during string formatting") }
        }
        try budget.makeText(bytes: result.utf8.count)
        return escapes ? .markup(result) : .string(result)
    }

    private func percentConverted(
        _ value: JinjaValue, _ spec: inout FormatSpec, hasZero: Bool, escapes: Bool
    ) throws(Fault) -> String {
        switch spec.kind {
        case "s", "r", "a":
            var text = spec.kind == "s" ? try string(of: value) : try repr(of: value)
            if escapes, !(value.text != nil && escaped(value) == value.text) { text = text.htmlEscaped }
            if let precision = spec.precision { text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision))) }
            return text
        case "c":
            if let text = value.text, text.scalarCount == 1 { return text }
            guard case .int(let code) = value, let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init) else {
                throw .type("%c requires int or char")
            }
            return String(scalar)
        case "d", "i", "u", "x", "X", "o":
            let number: Int
            if case .float(let float) = value, "diu".unicodeScalars.contains(spec.kind ?? "d") {
                guard let whole = Int(exactly: float.rounded(.towardZero)) else { throw .limit(.integer) }
                number = whole
            } else {
                number = try formattedInteger(value, spec.kind ?? "d")
            }
            return zeroFilled(digits(number, spec, alternate: spec.isAlternate), number < 0, spec, hasZero)
        case "e", "E", "f", "F", "g", "G":
            let number = try formattedDouble(value, spec.kind ?? "f")
            return zeroFilled(floatDigits(number.magnitude, spec), number.sign == .minus, spec, hasZero)
        default:
            throw .value("unsupported format character '\(spec.kind.map { String($0) } ?? "")'")
        }
    }

    private func zeroFilled(_ digits: String, _ isNegative: Bool, _ spec: FormatSpec, _ hasZero: Bool) -> String {
        let sign = isNegative ? "-" : spec.sign == "-" ? "" : String(spec.sign)
        let count = hasZero && spec.alignment != "<" ? min(spec.width, 1000) - sign.utf8.count - digits.utf8.count : 0
        return sign + String(repeating: "0", count: max(0, count)) + digits
    }

    private func formattedInteger(_ value: JinjaValue, _ kind: Unicode.Scalar) throws(Fault) -> Int {
        switch value {
        case .int(let value): return value
        case .bool(let value): return value ? 1 : 0
        case .undefined(let undefined): throw .undefined(undefined)
        default: throw .type("%\(kind) format: a real number is required, not \(typeName(value))")
        }
    }

    private func formattedDouble(_ value: JinjaValue, _ kind: Unicode.Scalar) throws(Fault) -> Double {
        if case .float(let value) = value { return value }
        guard case .undefined(let undefined) = value else { return Double(try formattedInteger(value, kind)) }
        throw .undefined(undefined)
    }

    // MARK: {}

    /// `format.format(…)` and `format.format_map(mapping)`
    func braceFormat(_ name: String, _ format: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        var arguments = arguments
        if name == "format_map" {
            guard case .dict(let dict) = try arguments.bind(name, ["mapping"], required: 1)[0] else {
                throw .type("format_map() argument must be a mapping")
            }
            arguments = CallArguments()
            for (key, value) in zip(dict.keys, dict.values) { arguments.keyword.append((key.text ?? "", value)) }
        }
        var automatic = 0
        var result = ""
        try braceFormat(format, arguments, &automatic, depth: 0, to: &result)
        return try makeString(result)
    }

    private func braceFormat(
        _ format: String, _ arguments: CallArguments, _ automatic: inout Int, depth: Int, to result: inout String
    ) throws(Fault) {
        guard depth < 2 else { throw .value("Max string recursion exceeded") }
        try budget.scan(bytes: 4 * format.utf8.count)
        var reader = ScalarReader(format)
        while let scalar = reader.next() {
            if scalar == "}" {
                guard reader.skip("}") else { throw .value("Single '}' encountered in format string") }
                result += "}"
            } else if scalar != "{" || reader.skip("{") {
                result.unicodeScalars.append(scalar)
            } else {
                var field = ""
                var open = 1
                while let scalar = reader.next() {
                    if scalar == "{" { open += 1 }
                    if scalar == "}" { open -= 1 }
                    if open == 0 { break }
                    field.unicodeScalars.append(scalar)
                }
                guard open == 0 else { throw .value("expected '}' before end of string") }
                try append(try formatField(field, arguments, &automatic, depth: depth), to: &result)
            }
        }
    }

    private func formatField(
        _ field: String, _ arguments: CallArguments, _ automatic: inout Int, depth: Int
    ) throws(Fault) -> String {
        var reader = ScalarReader(field)
        var name = ""
        while let scalar = reader.current, scalar != "!", scalar != ":" {
            name.unicodeScalars.append(scalar)
            reader.position += 1
        }
        var value = try fieldValue(name, arguments, &automatic)
        if reader.skip("!") {
            switch reader.next() {
            case "r": value = .string(try repr(of: value))
            case "s": value = .string(try string(of: value))
            default: throw .value("Unknown conversion specifier")
            }
        }
        guard reader.skip(":") else { return try string(of: value) }
        var specText = ""
        let rest = String(String.UnicodeScalarView(reader.scalars[reader.position...]))
        try braceFormat(rest, arguments, &automatic, depth: depth + 1, to: &specText)
        return try formatted(value, try formatSpec(specText))
    }

    /// `0.name[key]` and its like.
    private func fieldValue(
        _ path: String, _ arguments: CallArguments, _ automatic: inout Int
    ) throws(Fault) -> JinjaValue {
        var reader = ScalarReader(path)
        func word(until ends: [Unicode.Scalar]) -> String {
            var word = ""
            while let scalar = reader.current, !ends.contains(scalar) {
                word.unicodeScalars.append(scalar)
                reader.position += 1
            }
            return word
        }
        let first = word(until: [".", "["])
        var value: JinjaValue
        if first.isEmpty || Int(first) != nil {
            let index = Int(first) ?? automatic
            if first.isEmpty { automatic += 1 }
            guard arguments.positional.indices.contains(index) else {
                throw .value("Replacement index \(index) out of range for positional args tuple")
            }
            value = arguments.positional[index]
        } else {
            guard let found = arguments.keyword.first(where: { $0.name == first }) else {
                throw .value(first.pythonRepr)
            }
            value = found.value
        }
        while reader.current != nil {
            if reader.skip(".") {
                value = try attribute(word(until: [".", "["]), of: value)
            } else {
                reader.position += 1
                let key = word(until: ["]"])
                guard reader.skip("]") else { throw .value("Missing ']' in format string") }
                value = try item(Int(key).map { .int($0) } ?? .string(key), of: value)
            }
        }
        return value
    }

    private func formatSpec(_ text: String) throws(Fault) -> FormatSpec {
        var spec = FormatSpec()
        var reader = ScalarReader(text)
        let alignments: [Unicode.Scalar] = ["<", ">", "=", "^"]
        if reader.scalars.count > 1, alignments.contains(reader.scalars[1]) {
            spec.fill = String(reader.scalars[0])
            spec.alignment = reader.scalars[1]
            reader.position = 2
        } else if let first = reader.current, alignments.contains(first) {
            spec.alignment = first
            reader.position = 1
        }
        if let sign = reader.current, ["+", "-", " "].contains(sign) {
            spec.sign = sign
            reader.position += 1
        }
        spec.isAlternate = reader.skip("#")
        if reader.skip("0"), spec.alignment == nil {
            spec.fill = "0"
            spec.alignment = "="
        }
        spec.width = reader.number() ?? 0
        if let grouping = reader.current, grouping == "," || grouping == "_" {
            spec.grouping = grouping
            reader.position += 1
        }
        if reader.skip(".") {
            guard let precision = reader.number() else { throw .value("Format specifier missing precision") }
            spec.precision = precision
        }
        spec.kind = reader.next()
        guard reader.current == nil else { throw .value("Invalid format specifier \(text.pythonRepr)") }
        return spec
    }

    private func formatted(_ value: JinjaValue, _ spec: FormatSpec) throws(Fault) -> String {
        switch value {
        case .int, .bool, .float:
            if case .bool(let flag) = value, spec.kind == nil { return flag ? "True" : "False" }
            return try formattedNumber(value, spec)
        case .string(let text), .markup(let text):
            guard spec.kind == nil || spec.kind == "s" else {
                throw .value("Unknown format code '\(spec.kind.map { String($0) } ?? "")' for object of type 'str'")
            }
            guard spec.alignment != "=" else {
                throw .value("'=' alignment not allowed in string format specifier")
            }
            let shown = spec.precision.map { String(String.UnicodeScalarView(text.unicodeScalars.prefix($0))) } ?? text
            return try aligned(shown, spec, default: .left)
        default:
            guard spec.width == 0, spec.kind == nil else {
                throw .type("unsupported format string passed to \(typeName(value)).__format__")
            }
            return try string(of: value)
        }
    }

    private func aligned(_ text: String, _ spec: FormatSpec, default: Alignment) throws(Fault) -> String {
        let alignment: Alignment
        switch spec.alignment {
        case "<": alignment = .left
        case ">": alignment = .right
        case "^": alignment = .center(width: nil)
        default: alignment = `default`
        }
        return try padded(text, width: spec.width, fill: spec.fill, alignment)
    }

    private func formattedNumber(_ value: JinjaValue, _ spec: FormatSpec) throws(Fault) -> String {
        var digits: String
        var isNegative = false
        let integerKinds: [Unicode.Scalar] = ["d", "x", "X", "o", "b", "c", "n"]
        if case .float(let number) = value {
            if let kind = spec.kind, integerKinds.contains(kind), kind != "n" {
                throw .value("Unknown format code '\(kind)' for object of type 'float'")
            }
            isNegative = number.sign == .minus
            digits = floatDigits(number.magnitude, spec)
        } else {
            let number = try integer(value)
            isNegative = number < 0
            if let kind = spec.kind, !integerKinds.contains(kind) {
                guard ["e", "E", "f", "F", "g", "G", "%"].contains(kind) else {
                    throw .value("Unknown format code '\(kind)' for object of type 'int'")
                }
                digits = floatDigits(Double(number).magnitude, spec)
            } else {
                digits = self.digits(number, spec, alternate: spec.isAlternate)
            }
        }
        if let grouping = spec.grouping { digits = grouped(digits, by: grouping) }
        let sign = isNegative ? "-" : spec.sign == "-" ? "" : String(spec.sign)
        if spec.alignment == "=" {
            return sign + (try padded(digits, width: spec.width - sign.utf8.count, fill: spec.fill, .right))
        }
        return try aligned(sign + digits, spec, default: .right)
    }

    private func grouped(_ digits: String, by separator: Unicode.Scalar) -> String {
        let whole = digits.unicodeScalars.prefix { ("0"..."9").contains($0) }
        var result = String.UnicodeScalarView()
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result.append(separator) }
            result.append(digit)
        }
        return String(result) + String(digits.unicodeScalars.dropFirst(whole.count))
    }

    // MARK: Digits

    private func digits(_ number: Int, _ spec: FormatSpec, alternate: Bool) -> String {
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

    private func floatDigits(_ number: Double, _ spec: FormatSpec) -> String {
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
