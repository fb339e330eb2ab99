// `"%s" % value`
extension Interpreter {
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
            guard mayBeMapping(value) else {
                throw .type("not all arguments converted during string formatting")
            }
        }
        try budget.makeText(bytes: result.utf8.count)
        return escapes ? .markup(result) : .string(result)
    }

    /// What Python takes for a mapping here, whose elements need not all be used: anything with items but tuples and
    /// strings.
    private func mayBeMapping(_ value: JinjaValue) -> Bool {
        switch value {
        case .dict, .list, .undefined: true
        case .object(let object): if case .range = object.kind { true } else { false }
        default: false
        }
    }

    private func percentConverted(
        _ value: JinjaValue, _ spec: inout FormatSpec, hasZero: Bool, escapes: Bool
    ) throws(Fault) -> String {
        switch spec.kind {
        case "s", "r", "a":
            var text = spec.kind == "s" ? try string(of: value) : try repr(of: value)
            if escapes, !(value.text != nil && escaped(value) == value.text) { text = text.htmlEscaped }
            guard let precision = spec.precision else { return text }
            return String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision)))
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
}
