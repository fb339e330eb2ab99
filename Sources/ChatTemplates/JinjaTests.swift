// The tests after `is`.
extension Interpreter {
    static let testNames: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "eq", "equalto", "ne", "gt", "greaterthan", "ge", "lt", "lessthan", "le",
    ]

    /// Names by which `select` and its like may also call the comparisons.
    private static let comparisons: [String: Comparison] = [
        "==": .equal, "eq": .equal, "equalto": .equal, "!=": .notEqual, "ne": .notEqual, ">": .greater,
        "gt": .greater, "greaterthan": .greater, ">=": .greaterOrEqual, "ge": .greaterOrEqual, "<": .less,
        "lt": .less, "lessthan": .less, "<=": .lessOrEqual, "le": .lessOrEqual,
    ]

    @inline(never)
    func test(_ name: String, _ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> Bool {
        if let comparison = Self.comparisons[name] {
            return try compare(comparison, value, try arguments.bind(name, ["other"], required: 1)[0] ?? .none)
        }
        switch name {
        case "divisibleby":
            return try isMultiple(value, of: try arguments.bind(name, ["num"], required: 1)[0] ?? .none, remainder: 0)
        case "in": return try contains(try arguments.bind(name, ["seq"], required: 1)[0] ?? .none, value)
        case "sameas": return try isSame(value, try arguments.bind(name, ["other"], required: 1)[0] ?? .none)
        default: break
        }
        _ = try arguments.bind(name, [])
        switch name {
        case "odd": return try isMultiple(value, of: 2, remainder: 1)
        case "even": return try isMultiple(value, of: 2, remainder: 0)
        case "lower": return try string(of: value).isPythonCased(upper: false)
        case "upper": return try string(of: value).isPythonCased(upper: true)
        case "filter": return value.text.map { Self.filterNames.contains($0) } ?? false
        case "test": return value.text.map { Self.testNames.contains($0) || Self.comparisons[$0] != nil } ?? false
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": return value.isNone
        case "string": return value.text != nil
        case "boolean": if case .bool = value { return true } else { return false }
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "integer": if case .int = value { return true } else { return false }
        case "float": if case .float = value { return true } else { return false }
        case "escaped": if case .markup = value { return true } else { return false }
        case "mapping": if case .dict = value { return true } else { return false }
        case "number": return isNumber(value)
        case "sequence": return isSequence(value)
        case "iterable": return isIterable(value)
        case "callable": return isCallable(value)
        default: throw Fault(kind: .missing, message: "No test named \(name.pythonRepr) found.")
        }
    }

    private func isMultiple(_ value: JinjaValue, of divisor: JinjaValue, remainder: Int) throws(Fault) -> Bool {
        try equal(try apply(.modulo, value, divisor), .int(remainder))
    }

    private func isSame(_ value: JinjaValue, _ other: JinjaValue) throws(Fault) -> Bool {
        switch (value, other) {
        case (.bool(let a), .bool(let b)): a == b
        case (.int, .int), (.string, .string), (.float, .float), (.object, .object): try equal(value, other)
        case (.none, .none): true
        default: false
        }
    }

    private func isNumber(_ value: JinjaValue) -> Bool {
        switch value {
        case .int, .float, .bool: true
        default: false
        }
    }

    /// What has a length and items: strings and dictionaries too, and Jinja's undefined values.
    private func isSequence(_ value: JinjaValue) -> Bool {
        switch value {
        case .string, .markup, .list, .tuple, .dict, .undefined: true
        case .object(let object): if case .range = object.kind { true } else { false }
        default: false
        }
    }

    private func isIterable(_ value: JinjaValue) -> Bool {
        switch value {
        case .string, .markup, .list, .tuple, .dict, .undefined: true
        case .object(let object):
            switch object.kind {
            case .range, .view, .generator: true
            default: false
            }
        default: false
        }
    }

    private func isCallable(_ value: JinjaValue) -> Bool {
        switch value {
        case .undefined: true
        case .object(let object):
            switch object.kind {
            case .macro, .function, .method, .loop, .joiner: true
            default: false
            }
        default: false
        }
    }
}
