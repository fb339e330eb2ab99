// `"{}".format(value)`
extension Interpreter {
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
}
