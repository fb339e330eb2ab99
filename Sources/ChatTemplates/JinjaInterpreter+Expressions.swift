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

    // Each case is a function of its own, so that the frames of this recursion stay small.
    @inline(never)
    private func evaluateCompound(_ expression: Expression) throws(Fault) -> JinjaValue {
        let line = expression.line
        switch expression.node {
        case .constant, .name: return .none
        case .list(let elements): return try makeList(try evaluateAll(elements))
        case .tuple(let elements): return try makeTuple(try evaluateAll(elements))
        case .dict(let pairs): return try evaluateDict(pairs, line: line)
        case .attribute(let owner, let name): return try evaluateAttribute(owner, name, line: line)
        case .item(let owner, let key): return try evaluateItem(owner, key, line: line)
        case .slice(let owner, let start, let stop, let step):
            return try evaluateSlice(owner, start, stop, step, line: line)
        case .call(let callee, let arguments): return try evaluateCall(callee, arguments, line: line)
        case .filter(let operand, let name, let arguments):
            return try evaluateFilter(operand, name, arguments, line: line)
        case .test(let operand, let name, let arguments):
            return try evaluateTest(operand, name, arguments, line: line)
        case .not(let operand): return .bool(!isTrue(try evaluate(operand)))
        case .negative(let operand): return try evaluateSign(operand, isNegative: true, line: line)
        case .positive(let operand): return try evaluateSign(operand, isNegative: false, line: line)
        case .binary(let operation, let left, let right):
            return try evaluateBinary(operation, left, right, line: line)
        case .concatenation(let parts): return try evaluateConcatenation(parts, line: line)
        case .comparison(let first, let rest): return try evaluateComparison(first, rest, line: line)
        case .and(let left, let right):
            let value = try evaluate(left)
            return isTrue(value) ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return isTrue(value) ? value : try evaluate(right)
        case .conditional(let test, let then, let otherwise):
            return try evaluateConditional(test, then, otherwise, line: line)
        }
    }

    func evaluateAll(_ expressions: [Expression]) throws(Fault) -> [JinjaValue] {
        var values: [JinjaValue] = []
        values.reserveCapacity(expressions.count)
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    @inline(never)
    private func evaluateConditional(
        _ test: Expression, _ then: Expression, _ otherwise: Expression?, line: Int
    ) throws(Fault) -> JinjaValue {
        if isTrue(try evaluate(test)) { return try evaluate(then) }
        if let otherwise { return try evaluate(otherwise) }
        return .undefined(
            JinjaUndefined(
                .hint(
                    "the inline if-expression on line \(line) evaluated to false and no else section was defined.")))
    }

    @inline(never)
    private func evaluateDict(
        _ pairs: [(key: Expression, value: Expression)], line: Int
    ) throws(Fault) -> JinjaValue {
        var dict = JinjaDict()
        for (keyExpression, valueExpression) in pairs {
            let key = try evaluate(keyExpression)
            let value = try evaluate(valueExpression)
            self.line = line
            dict.set(key, hashed: try hash(key), value)
        }
        return try makeDict(dict)
    }

    @inline(never)
    private func evaluateAttribute(_ owner: Expression, _ name: String, line: Int) throws(Fault) -> JinjaValue {
        let value = try evaluate(owner)
        self.line = line
        return try attribute(name, of: value)
    }

    @inline(never)
    private func evaluateItem(_ owner: Expression, _ key: Expression, line: Int) throws(Fault) -> JinjaValue {
        let value = try evaluate(owner)
        let key = try evaluate(key)
        self.line = line
        return try item(key, of: value)
    }

    @inline(never)
    private func evaluateSlice(
        _ owner: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?, line: Int
    ) throws(Fault) -> JinjaValue {
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
        self.line = line
        return try slice(value, start: bounds.0, stop: bounds.1, step: bounds.2)
    }

    @inline(never)
    private func evaluateSign(_ operand: Expression, isNegative: Bool, line: Int) throws(Fault) -> JinjaValue {
        let value = try evaluate(operand)
        self.line = line
        return try signed(value, isNegative: isNegative)
    }

    @inline(never)
    private func evaluateBinary(
        _ operation: BinaryOperator, _ left: Expression, _ right: Expression, line: Int
    ) throws(Fault) -> JinjaValue {
        let left = try evaluate(left)
        let right = try evaluate(right)
        self.line = line
        return try apply(operation, left, right)
    }

    @inline(never)
    private func evaluateConcatenation(_ parts: [Expression], line: Int) throws(Fault) -> JinjaValue {
        var text = ""
        for part in parts {
            let value = try evaluate(part)
            self.line = line
            try append(try string(of: value), to: &text)
        }
        return try makeString(text)
    }

    @inline(never)
    private func evaluateComparison(
        _ first: Expression, _ rest: [(operation: Comparison, operand: Expression)], line: Int
    ) throws(Fault) -> JinjaValue {
        var left = try evaluate(first)
        for (operation, operand) in rest {
            let right = try evaluate(operand)
            self.line = line
            guard try compare(operation, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    @inline(never)
    private func evaluateCall(
        _ callee: Expression, _ arguments: Arguments, line: Int
    ) throws(Fault) -> JinjaValue {
        let function = try evaluate(callee)
        let arguments = try evaluate(arguments)
        self.line = line
        return try call(function, arguments)
    }

    @inline(never)
    private func evaluateFilter(
        _ operand: Expression?, _ name: String, _ arguments: Arguments, line: Int
    ) throws(Fault) -> JinjaValue {
        let value = if let operand { try evaluate(operand) } else { JinjaValue.string(blockText ?? "") }
        let arguments = try evaluate(arguments)
        self.line = line
        return try filter(name, value, arguments)
    }

    @inline(never)
    private func evaluateTest(
        _ operand: Expression, _ name: String, _ arguments: Arguments, line: Int
    ) throws(Fault) -> JinjaValue {
        let value = try evaluate(operand)
        let arguments = try evaluate(arguments)
        self.line = line
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
