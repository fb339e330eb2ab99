// The filters after `|`. This file has the table and the filters of single values; those of sequences and the
// conversions are in the two files beside it.
extension Interpreter {
    static let filterNames: Set<String> = [
        "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
        "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list",
        "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select",
        "selectattr", "slice", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper",
        "urlencode", "wordcount",
    ]

    @inline(never)
    func filter(_ name: String, _ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        switch name {
        case "default", "d":
            let bound = try arguments.bind(name, ["default_value", "boolean"])
            let replaces = value.isUndefined || (bound[1].map(isTrue) ?? false && !isTrue(value))
            return replaces ? bound[0] ?? "" : value
        case "length", "count":
            _ = try arguments.bind(name, [])
            return .int(try length(of: value))
        case "tojson": return try jsonFilter(value, arguments)
        case "string":
            _ = try arguments.bind(name, [])
            return value.text == nil ? .string(try string(of: value)) : value
        case "upper", "lower", "capitalize": return try textMethod(name, value, arguments)
        case "trim": return try textMethod("strip", value, arguments)
        case "center":
            let width = try arguments.bind(name, ["width"])[0] ?? 80
            return try textMethod(name, value, CallArguments(positional: [width]))
        case "title":
            _ = try arguments.bind(name, [])
            return try titled(value)
        case "replace":
            let bound = try arguments.bind(name, ["old", "new", "count"], required: 2)
            let count = try bound[2].flatMap { $0.isNone ? nil : $0 }.map { value throws(Fault) in try integer(value) }
            let (old, new) = (try string(of: bound[0] ?? .none), try string(of: bound[1] ?? .none))
            return .string(try replaced(try string(of: value), old, with: new, count ?? -1))
        case "indent": return try indented(value, arguments)
        case "truncate": return try truncated(value, arguments)
        case "wordcount":
            _ = try arguments.bind(name, [])
            return .int(try wordCount(try string(of: value)))
        case "urlencode":
            _ = try arguments.bind(name, [])
            return try urlEncoded(value)
        case "safe":
            _ = try arguments.bind(name, [])
            return .markup(try string(of: value))
        case "escape", "e", "forceescape":
            _ = try arguments.bind(name, [])
            if case .markup = value, name != "forceescape" { return value }
            let text = try string(of: value).htmlEscaped
            try budget.makeText(bytes: text.utf8.count)
            return .markup(text)
        case "format":
            guard arguments.keyword.isEmpty || arguments.positional.isEmpty else {
                throw .type("can't handle positional and keyword arguments at the same time")
            }
            var dict = JinjaDict()
            for (name, value) in arguments.keyword { dict.set(name, value) }
            let values = dict.isEmpty ? try makeTuple(arguments.positional) : .dict(dict)
            return try percentFormat(try string(of: value), value, values)
        case "attr":
            let key = try requireText(try arguments.bind(name, ["name"], required: 1)[0], name)
            if case .dict = value, !PythonMethods.dict.contains(key), !PythonMethods.changingDict.contains(key) {
                return .undefined(JinjaUndefined(.attribute(owner: ownerName(value), name: key)))
            }
            return try attribute(key, of: value)
        case "abs", "int", "float", "round": return try numberFilter(name, value, arguments)
        default: return try sequenceFilter(name, value, arguments)
        }
    }

    /// A method of `str` as a filter: other values are printed first, marked strings stay marked.
    private func textMethod(
        _ method: String, _ value: JinjaValue, _ arguments: CallArguments
    ) throws(Fault) -> JinjaValue {
        if case .markup(let text) = value { return try markupMethod(method, text, arguments) }
        return try stringMethod(method, try string(of: value), arguments)
    }

    func length(of value: JinjaValue) throws(Fault) -> Int {
        switch value {
        case .string(let text), .markup(let text):
            try budget.scan(bytes: text.utf8.count)
            return text.scalarCount
        case .list(let sequence), .tuple(let sequence): return sequence.count
        case .dict(let dict): return dict.count
        case .undefined(let undefined):
            if undefined.isUnsafe { throw .undefined(undefined) }
            return 0
        case .object(let object):
            switch object.kind {
            case .range(let range): return range.count
            case .view(_, let sequence): return sequence.count
            case .loop(let handle): return try loopState(handle).length(self)
            default: break
            }
        default: break
        }
        throw .type("object of type '\(typeName(value))' has no len()")
    }

    /// Jinja's title case: words begin after white space, hyphens and opening brackets.
    private func titled(_ value: JinjaValue) throws(Fault) -> JinjaValue {
        let text = try string(of: value)
        try budget.scan(bytes: 4 * text.utf8.count)
        var result = ""
        var word = ""
        func flush() {
            let scalars = word.unicodeScalars
            if let first = scalars.first {
                result += String(first).pythonUpper + String(scalars.dropFirst()).pythonLower
            }
            word = ""
        }
        for scalar in text.unicodeScalars {
            if scalar.isPythonSpace || ["-", "(", "{", "[", "<"].contains(scalar) {
                flush()
                result.unicodeScalars.append(scalar)
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        flush()
        return try makeString(result)
    }

    private func indented(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("indent", ["width", "first", "blank"])
        guard let text = value.text else {
            if case .undefined(let undefined) = value { throw .undefined(undefined) }
            throw .type("unsupported operand type(s) for +=: '\(typeName(value))' and 'str'")
        }
        let indentation: String
        if let given = bound[0]?.text {
            indentation = given
        } else {
            let width = try bound[0].map { value throws(Fault) in try integer(value) } ?? 4
            try budget.makeText(bytes: max(0, width))
            indentation = String(repeating: " ", count: max(0, width))
        }
        let (indentsFirst, indentsBlank) = (bound[1].map(isTrue) ?? false, bound[2].map(isTrue) ?? false)
        try budget.scan(bytes: text.utf8.count)
        var result = indentsFirst ? indentation : ""
        for (index, line) in (text + "\n").pythonLines().enumerated() {
            if index > 0 {
                try append("\n", to: &result)
                if indentsBlank || !line.isEmpty { try append(indentation, to: &result) }
            }
            try append(line, to: &result)
        }
        try budget.makeText(bytes: result.utf8.count)
        if case .markup = value { return .markup(result) }
        return .string(result)
    }

    private func truncated(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("truncate", ["length", "killwords", "end", "leeway"])
        let length = try bound[0].map { value throws(Fault) in try integer(value) } ?? 255
        let end = try bound[2].map { value throws(Fault) in try requireText(value, "truncate") } ?? "..."
        let leeway =
            try bound[3].flatMap { $0.isNone ? nil : $0 }
            .map { value throws(Fault) in try integer(value) } ?? 5
        guard length >= end.scalarCount else {
            throw .value("expected length >= \(end.scalarCount), got \(length)")
        }
        guard leeway >= 0 else { throw .value("expected leeway >= 0, got \(leeway)") }
        let count = try self.length(of: value)
        let (longest, overflow) = length.addingReportingOverflow(leeway)
        guard let text = value.text, !overflow, count > longest else { return value }
        let kept = String(String.UnicodeScalarView(text.unicodeScalars.prefix(length - end.scalarCount)))
        if bound[1].map(isTrue) ?? false { return try makeString(kept + end) }
        let words = try stringMethod("rsplit", kept, CallArguments(positional: [" ", 1]))
        guard case .list(let parts) = words, let first = parts.elements.first?.text else {
            return try makeString(kept + end)
        }
        return try makeString(first + end)
    }

    private func wordCount(_ text: String) throws(Fault) -> Int {
        try budget.scan(bytes: text.utf8.count)
        var count = 0
        var isInWord = false
        for scalar in text.unicodeScalars {
            let isWord = scalar == "_" || scalar.isPythonAlphanumeric
            if isWord, !isInWord { count += 1 }
            isInWord = isWord
        }
        return count
    }

    private func urlEncoded(_ value: JinjaValue) throws(Fault) -> JinjaValue {
        func quoted(_ value: JinjaValue, inQuery: Bool) throws(Fault) -> String {
            let text = try string(of: value)
            var result = ""
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: "-"), UInt8(ascii: "~"):
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                case UInt8(ascii: "/") where !inQuery: result += "/"
                case UInt8(ascii: " ") where inQuery: result += "+"
                default:
                    let digits = String(byte, radix: 16, uppercase: true)
                    result += byte < 16 ? "%0" + digits : "%" + digits
                }
            }
            return result
        }
        let pairs: [JinjaValue]
        switch value {
        case .dict(let dict): pairs = try self.pairs(of: dict)
        case .list, .tuple, .undefined, .object: pairs = try elements(of: value)
        default: return try makeString(try quoted(value, inQuery: false))
        }
        var parts: [JinjaValue] = []
        for pair in pairs {
            let parts2 = try elements(of: pair)
            guard parts2.count == 2 else { throw .value("a list to encode must have pairs") }
            parts.append(
                .string(try quoted(parts2[0], inQuery: true) + "=" + (try quoted(parts2[1], inQuery: true))))
        }
        return try joined(parts, by: "&", strict: true)
    }
}
