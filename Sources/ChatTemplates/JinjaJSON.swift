// `tojson`, which `transformers` defines as Python's `json.dumps` with non-ASCII text kept as it is.

/// How JSON is laid out: the keyword arguments of `json.dumps`.
private struct JSONLayout {
    var escapesNonASCII = false
    var indent: String?
    var itemSeparator = ", "
    var keySeparator = ": "
    var sortsKeys = false
}

extension Interpreter {
    func jsonFilter(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        var layout = JSONLayout()
        layout.escapesNonASCII = bound[0].map(isTrue) ?? false
        layout.sortsKeys = bound[3].map(isTrue) ?? false
        if let indent = bound[1], !indent.isNone {
            layout.itemSeparator = ","
            if let text = indent.text {
                layout.indent = text
            } else {
                let width = try integer(indent)
                guard width <= 1000 else { throw .value("an indent of \(width) is more than 1000") }
                layout.indent = String(repeating: " ", count: max(0, width))
            }
        }
        if let separators = bound[2], !separators.isNone {
            let parts = try elements(of: separators) { "cannot unpack non-iterable \($0) object" }
            guard parts.count == 2, let item = parts[0].text, let key = parts[1].text else {
                throw .value("separators must be a pair of strings")
            }
            layout.itemSeparator = item
            layout.keySeparator = key
        }
        var text = ""
        try writeJSON(value, layout, level: 0, to: &text)
        return try makeString(text)
    }

    private func writeJSON(
        _ value: JinjaValue, _ layout: JSONLayout, level: Int, to text: inout String
    ) throws(Fault) {
        try budget.spend()
        switch value {
        case .none: try append("null", to: &text)
        case .bool(let value): try append(value ? "true" : "false", to: &text)
        case .int(let value): try append(String(value), to: &text)
        case .float(let value): try append(Self.json(value), to: &text)
        case .string(let string), .markup(let string): try writeJSON(string, layout, to: &text)
        case .list(let sequence), .tuple(let sequence):
            try writeJSON(sequence.elements, layout, level: level, to: &text)
        case .dict(let dict): try writeJSON(dict, layout, level: level, to: &text)
        case .undefined, .object:
            throw .type("Object of type \(typeName(value)) is not JSON serializable")
        }
    }

    private func writeJSON(
        _ elements: [JinjaValue], _ layout: JSONLayout, level: Int, to text: inout String
    ) throws(Fault) {
        guard !elements.isEmpty else { return try append("[]", to: &text) }
        try enter()
        try append("[", to: &text)
        for (index, element) in elements.enumerated() {
            if index > 0 { try append(layout.itemSeparator, to: &text) }
            try breakLine(layout, level: level + 1, in: &text)
            try writeJSON(element, layout, level: level + 1, to: &text)
        }
        try breakLine(layout, level: level, in: &text)
        try append("]", to: &text)
        leave()
    }

    private func writeJSON(
        _ dict: JinjaDict, _ layout: JSONLayout, level: Int, to text: inout String
    ) throws(Fault) {
        guard !dict.isEmpty else { return try append("{}", to: &text) }
        try enter()
        try append("{", to: &text)
        let order = layout.sortsKeys ? try sortedKeys(dict) : Array(0..<dict.count)
        for (position, index) in order.enumerated() {
            if position > 0 { try append(layout.itemSeparator, to: &text) }
            try breakLine(layout, level: level + 1, in: &text)
            try writeJSON(try jsonKey(dict.keys[index]), layout, to: &text)
            try append(layout.keySeparator, to: &text)
            try writeJSON(dict.values[index], layout, level: level + 1, to: &text)
        }
        try breakLine(layout, level: level, in: &text)
        try append("}", to: &text)
        leave()
    }

    private func breakLine(_ layout: JSONLayout, level: Int, in text: inout String) throws(Fault) {
        guard let indent = layout.indent else { return }
        try append("\n", to: &text)
        for _ in 0..<level { try append(indent, to: &text) }
    }

    private func sortedKeys(_ dict: JinjaDict) throws(Fault) -> [Int] {
        // Insertion by halves: keys are few, and comparing them may fail.
        var order: [Int] = []
        for index in 0..<dict.count {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                let isBefore = try compare(.less, dict.keys[index], dict.keys[order[middle]])
                (low, high) = isBefore ? (low, middle) : (middle + 1, high)
            }
            order.insert(index, at: low)
        }
        return order
    }

    private func jsonKey(_ key: JinjaValue) throws(Fault) -> String {
        switch key {
        case .string(let text), .markup(let text): return text
        case .int(let value): return String(value)
        case .float(let value): return Self.json(value)
        case .bool(let value): return value ? "true" : "false"
        case .none: return "null"
        default: throw .type("keys must be str, int, float, bool or None, not \(typeName(key))")
        }
    }

    private static func json(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return value.pythonRepr
    }

    private func writeJSON(_ string: String, _ layout: JSONLayout, to text: inout String) throws(Fault) {
        try budget.scan(bytes: string.utf8.count)
        var quoted = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{08}": quoted += "\\b"
            case "\u{0C}": quoted += "\\f"
            default:
                if scalar.value < 0x20 || (layout.escapesNonASCII && scalar.value > 0x7E) {
                    for unit in String(scalar).utf16 { quoted += "\\u" + unit.hex(width: 4) }
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        quoted += "\""
        try append(quoted, to: &text)
    }
}
