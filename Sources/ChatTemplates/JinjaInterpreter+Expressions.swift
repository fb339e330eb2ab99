extension Interpreter {
    func evaluate(_ expression: Expression) throws(Fault) -> JinjaValue {
        try budget.spend()
        switch expression.node {
        case .constant(let value): return value
        case .name(let symbol):
            line = expression.line
            return lookup(symbol)
        default:
            try enter()
            let value = try evaluateCompound(expression)
            leave()
            return value
        }
    }

    // Deep templates recurse through this function, so its frame must stay small: each case is taken apart only in a
    // function of its own.
    @inline(never)
    private func evaluateCompound(_ expression: Expression) throws(Fault) -> JinjaValue {
        switch expression.node {
        case .constant, .name: return .none
        case .list, .tuple: return try evaluateSequence(expression)
        case .dict: return try evaluateDict(expression)
        case .attribute: return try evaluateAttribute(expression)
        case .item: return try evaluateItem(expression)
        case .slice: return try evaluateSlice(expression)
        case .call: return try evaluateCall(expression)
        case .filter: return try evaluateFilter(expression)
        case .test: return try evaluateTest(expression)
        case .not, .negative, .positive: return try evaluateUnary(expression)
        case .binary: return try evaluateBinary(expression)
        case .concatenation: return try evaluateConcatenation(expression)
        case .comparison: return try evaluateComparison(expression)
        case .and, .or: return try evaluateLogic(expression)
        case .conditional: return try evaluateConditional(expression)
        }
    }

    func evaluateAll(_ expressions: [Expression]) throws(Fault) -> [JinjaValue] {
        var values: [JinjaValue] = []
        values.reserveCapacity(expressions.count)
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    @inline(never)
    private func evaluateConditional(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .conditional(let test, let then, let otherwise) = expression.node else { return .none }
        if isTrue(try evaluate(test)) { return try evaluate(then) }
        if let otherwise { return try evaluate(otherwise) }
        return .undefined(
            JinjaUndefined(
                .hint(
                    "the inline if-expression on line \(expression.line) evaluated to false and no else section was "
                        + "defined.")))
    }

    @inline(never)
    private func evaluateSequence(_ expression: Expression) throws(Fault) -> JinjaValue {
        switch expression.node {
        case .list(let elements): try makeList(try evaluateAll(elements))
        case .tuple(let elements): try makeTuple(try evaluateAll(elements))
        default: .none
        }
    }

    @inline(never)
    private func evaluateUnary(_ expression: Expression) throws(Fault) -> JinjaValue {
        switch expression.node {
        case .not(let operand): return .bool(!isTrue(try evaluate(operand)))
        case .negative(let operand):
            let value = try evaluate(operand)
            line = expression.line
            return try signed(value, isNegative: true)
        case .positive(let operand):
            let value = try evaluate(operand)
            line = expression.line
            return try signed(value, isNegative: false)
        default: return .none
        }
    }

    @inline(never)
    private func evaluateLogic(_ expression: Expression) throws(Fault) -> JinjaValue {
        switch expression.node {
        case .and(let left, let right):
            let value = try evaluate(left)
            return isTrue(value) ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return isTrue(value) ? value : try evaluate(right)
        default: return .none
        }
    }

    @inline(never)
    private func evaluateDict(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .dict(let pairs) = expression.node else { return .none }
        var dict = JinjaDict()
        for (keyExpression, valueExpression) in pairs {
            let key = try evaluate(keyExpression)
            let value = try evaluate(valueExpression)
            line = expression.line
            dict.set(key, hashed: try hash(key), value)
        }
        return try makeDict(dict)
    }

    @inline(never)
    private func evaluateAttribute(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .attribute(let owner, let name) = expression.node else { return .none }
        let value = try evaluate(owner)
        line = expression.line
        return try attribute(name, of: value)
    }

    @inline(never)
    private func evaluateItem(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .item(let owner, let keyExpression) = expression.node else { return .none }
        let value = try evaluate(owner)
        let key = try evaluate(keyExpression)
        line = expression.line
        return try item(key, of: value)
    }

    @inline(never)
    private func evaluateSlice(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .slice(let owner, let start, let stop, let step) = expression.node else { return .none }
        let value = try evaluate(owner)
        func bound(_ expression: Expression?) throws(Fault) -> Int? {
            guard let expression else { return nil }
            switch try evaluate(expression) {
            case .none: return nil
            case .int(let value): return value
            case .bool(let value): return value ? 1 : 0
            default: throw .type("slice indices must be integers or None or have an __index__ method")
            }
        }
        let bounds = (try bound(start), try bound(stop), try bound(step))
        line = expression.line
        return try slice(value, start: bounds.0, stop: bounds.1, step: bounds.2)
    }

    @inline(never)
    private func evaluateBinary(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .binary(let operation, let first, let second) = expression.node else { return .none }
        let left = try evaluate(first)
        let right = try evaluate(second)
        line = expression.line
        return try apply(operation, left, right)
    }

    @inline(never)
    private func evaluateConcatenation(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .concatenation(let parts) = expression.node else { return .none }
        var text = ""
        for part in parts {
            let value = try evaluate(part)
            line = expression.line
            try append(try string(of: value), to: &text)
        }
        return try makeString(text)
    }

    @inline(never)
    private func evaluateComparison(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .comparison(let first, let rest) = expression.node else { return .none }
        var left = try evaluate(first)
        for (operation, operand) in rest {
            let right = try evaluate(operand)
            line = expression.line
            guard try compare(operation, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    @inline(never)
    private func evaluateCall(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .call(let callee, let given) = expression.node else { return .none }
        let function = try evaluate(callee)
        let arguments = try evaluate(given)
        line = expression.line
        return try call(function, arguments)
    }

    @inline(never)
    private func evaluateFilter(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .filter(let operand, let name, let given) = expression.node else { return .none }
        let value = if let operand { try evaluate(operand) } else { JinjaValue.string(blockText ?? "") }
        let arguments = try evaluate(given)
        line = expression.line
        return try filter(name, value, arguments)
    }

    @inline(never)
    private func evaluateTest(_ expression: Expression) throws(Fault) -> JinjaValue {
        guard case .test(let operand, let name, let given) = expression.node else { return .none }
        let value = try evaluate(operand)
        let arguments = try evaluate(given)
        line = expression.line
        return .bool(try test(name, value, arguments))
    }

    func evaluate(_ arguments: Arguments) throws(Fault) -> CallArguments {
        var result = CallArguments()
        result.positional = try evaluateAll(arguments.positional)
        for (name, expression) in arguments.keyword { result.keyword.append((name, try evaluate(expression))) }
        if let splat = arguments.splat {
            result.positional += try elements(of: try evaluate(splat)) {
                "argument after * must be an iterable, not \($0)"
            }
        }
        if let splat = arguments.keywordSplat {
            guard case .dict(let dict) = try evaluate(splat) else {
                throw .type("argument after ** must be a mapping")
            }
            for (key, value) in zip(dict.keys, dict.values) {
                guard let name = key.text else { throw .type("keywords must be strings") }
                guard !result.keyword.contains(where: { $0.name == name }) else {
                    throw .type("got multiple values for keyword argument \(name.pythonRepr)")
                }
                result.keyword.append((name, value))
            }
        }
        return result
    }

    // MARK: Making values within the limits

    func makeString(_ text: String) throws(Fault) -> JinjaValue {
        try budget.makeText(bytes: text.utf8.count)
        return .string(text)
    }

    func makeList(_ elements: [JinjaValue]) throws(Fault) -> JinjaValue {
        let sequence = JinjaSequence(elements)
        try budget.makeCollection(elements: elements.count, depth: sequence.depth)
        return .list(sequence)
    }

    func makeTuple(_ elements: [JinjaValue], fields: [String] = []) throws(Fault) -> JinjaValue {
        let sequence = JinjaSequence(elements, fields: fields)
        try budget.makeCollection(elements: elements.count, depth: sequence.depth)
        return .tuple(sequence)
    }

    func makeDict(_ dict: JinjaDict) throws(Fault) -> JinjaValue {
        try budget.makeCollection(elements: 3 * dict.count, depth: dict.depth)
        return .dict(dict)
    }

    /// Appends to a string under construction, which must not outgrow the limit on the way.
    func append(_ piece: String, to text: inout String) throws(Fault) {
        guard text.utf8.count + piece.utf8.count <= limits.stringBytes else {
            throw .limit(.stringBytes(limits.stringBytes))
        }
        text += piece
    }
}
