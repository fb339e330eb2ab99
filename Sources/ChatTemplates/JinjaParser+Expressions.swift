// Expressions, weakest binding first. The method names follow the grammar of Jinja's own parser.
extension JinjaParser {
    func make(
        _ node: Expression.Node, line: Int, over children: [Expression] = []
    ) throws(TemplateError) -> Expression {
        var deepest = 0
        for child in children { deepest = max(deepest, child.depth) }
        guard deepest < JinjaLimits.Source.expressionDepth else {
            throw failure("the expression is deeper than \(JinjaLimits.Source.expressionDepth)", line: line)
        }
        return Expression(line: line, depth: deepest + 1, node: node)
    }

    /// An expression, or a tuple without parentheses.
    /// - Parameter end: a name that may follow a trailing comma.
    mutating func parseTuple(
        allowsConditional: Bool = true, end: String? = nil, inParentheses: Bool = false
    ) throws(TemplateError) -> Expression {
        let line = current.line
        var elements: [Expression] = []
        var isTuple = false
        while true {
            if isTupleEnd(end) { break }
            elements.append(allowsConditional ? try parseExpression() : try parseOr())
            guard skipSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = elements.first { return only }
            if !inParentheses { throw unexpected("Expected an expression") }
        }
        return try make(.tuple(elements), line: line, over: elements)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd: true
        case .symbol: current.text == ")"
        case .name: end.map { isName($0) } ?? false
        default: false
        }
    }

    mutating func parseExpression() throws(TemplateError) -> Expression {
        try enter()
        defer { leave() }
        var result = try parseOr()
        while isName("if") {
            let line = advance().line
            let test = try parseOr()
            let otherwise = skipName("else") ? try parseExpression() : nil
            result = try make(
                .conditional(test: test, then: result, otherwise: otherwise), line: line,
                over: [test, result] + (otherwise.map { [$0] } ?? []))
        }
        return result
    }

    private mutating func parseOr() throws(TemplateError) -> Expression {
        var left = try parseAnd()
        while isName("or") {
            let line = advance().line
            let right = try parseAnd()
            left = try make(.or(left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func parseAnd() throws(TemplateError) -> Expression {
        var left = try parseNot()
        while isName("and") {
            let line = advance().line
            let right = try parseNot()
            left = try make(.and(left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func parseNot() throws(TemplateError) -> Expression {
        guard isName("not") else { return try parseComparison() }
        try enter()
        defer { leave() }
        let line = advance().line
        let operand = try parseNot()
        return try make(.not(operand), line: line, over: [operand])
    }

    private mutating func parseComparison() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try parseSum()
        var rest: [(operation: Comparison, operand: Expression)] = []
        while let operation = comparison() {
            rest.append((operation, try parseSum()))
        }
        if rest.isEmpty { return first }
        return try make(.comparison(first, rest), line: line, over: [first] + rest.map(\.operand))
    }

    /// Consumes a comparison operator if there is one.
    private mutating func comparison() -> Comparison? {
        if current.kind == .symbol, let operation = Comparison(rawValue: current.text) {
            advance()
            return operation
        }
        if skipName("in") { return .contained }
        if isName("not"), next.kind == .name, next.text == "in" {
            advance()
            advance()
            return .notContained
        }
        return nil
    }

    /// Consumes one of the given operators if it is there.
    private mutating func operation(of operators: [BinaryOperator]) -> BinaryOperator? {
        guard current.kind == .symbol, let found = BinaryOperator(rawValue: current.text), operators.contains(found)
        else { return nil }
        advance()
        return found
    }

    private mutating func parseSum() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try parseConcatenation()
        while let operation = operation(of: [.add, .subtract]) {
            let right = try parseConcatenation()
            left = try make(.binary(operation, left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func parseConcatenation() throws(TemplateError) -> Expression {
        let line = current.line
        var parts = [try parseProduct()]
        while skipSymbol("~") { parts.append(try parseProduct()) }
        return parts.count == 1 ? parts[0] : try make(.concatenation(parts), line: line, over: parts)
    }

    private mutating func parseProduct() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try parsePower()
        while let operation = operation(of: [.multiply, .divide, .floorDivide, .modulo]) {
            let right = try parsePower()
            left = try make(.binary(operation, left, right), line: line, over: [left, right])
        }
        return left
    }

    /// Unlike Python's, a chain of powers groups from the left.
    private mutating func parsePower() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try parseUnary()
        while operation(of: [.power]) != nil {
            let right = try parseUnary()
            left = try make(.binary(.power, left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func parseUnary(allowsFilter: Bool = true) throws(TemplateError) -> Expression {
        let line = current.line
        var result: Expression
        if isSymbol("-") || isSymbol("+") {
            try enter()
            defer { leave() }
            let isNegative = advance().text == "-"
            let operand = try parseUnary(allowsFilter: false)
            result = try make(isNegative ? .negative(operand) : .positive(operand), line: line, over: [operand])
        } else {
            result = try parsePrimary()
        }
        result = try parsePostfix(result)
        return allowsFilter ? try parseFiltersAndTests(result) : result
    }

    private mutating func parsePrimary() throws(TemplateError) -> Expression {
        let token = current
        func constant(_ value: JinjaValue) throws(TemplateError) -> Expression {
            try make(.constant(value), line: token.line)
        }
        switch token.kind {
        case .name:
            advance()
            switch token.text {
            case "true", "True": return try constant(.bool(true))
            case "false", "False": return try constant(.bool(false))
            case "none", "None": return try constant(.none)
            default: return try make(.name(symbol(for: token.text)), line: token.line)
            }
        case .string:
            var text = ""
            while current.kind == .string { text += advance().text }
            return try constant(.string(text))
        case .integer:
            advance()
            guard let value = Self.integer(token.text) else {
                throw failure("the integer \(token.text) is malformed or does not fit 64 bits", line: token.line)
            }
            return try constant(.int(value))
        case .float:
            advance()
            guard let value = Double(token.text) else {
                throw failure("malformed number \(token.text)", line: token.line)
            }
            return try constant(.float(value))
        default:
            if skipSymbol("(") {
                try enter()
                defer { leave() }
                let inner = try parseTuple(inParentheses: true)
                try expectSymbol(")")
                return inner
            }
            if isSymbol("[") { return try parseList() }
            if isSymbol("{") { return try parseDict() }
            throw failure("unexpected '\(token.label)'", line: token.line)
        }
    }

    /// Decimal, `0x`, `0o` or `0b`.
    private static func integer(_ text: String) -> Int? {
        switch text.prefix(2).lowercased() {
        case "0x": Int(text.dropFirst(2), radix: 16)
        case "0o": Int(text.dropFirst(2), radix: 8)
        case "0b": Int(text.dropFirst(2), radix: 2)
        default: Int(text)
        }
    }

    private mutating func parseList() throws(TemplateError) -> Expression {
        let line = advance().line
        var elements: [Expression] = []
        while !isSymbol("]") {
            elements.append(try parseExpression())
            guard skipSymbol(",") else { break }
        }
        try expectSymbol("]")
        return try make(.list(elements), line: line, over: elements)
    }

    private mutating func parseDict() throws(TemplateError) -> Expression {
        let line = advance().line
        var pairs: [(key: Expression, value: Expression)] = []
        while !isSymbol("}") {
            let key = try parseExpression()
            try expectSymbol(":")
            pairs.append((key, try parseExpression()))
            guard skipSymbol(",") else { break }
        }
        try expectSymbol("}")
        return try make(.dict(pairs), line: line, over: pairs.flatMap { [$0.key, $0.value] })
    }

    // MARK: After a value

    private mutating func parsePostfix(_ value: Expression) throws(TemplateError) -> Expression {
        var result = value
        while true {
            if isSymbol(".") || isSymbol("[") {
                result = try parseSubscript(of: result)
            } else if isSymbol("(") {
                result = try parseCall(result)
            } else {
                return result
            }
        }
    }

    private mutating func parseCall(_ callee: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        let arguments = try parseArguments()
        return try make(.call(callee, arguments), line: line, over: [callee] + arguments.all)
    }

    private mutating func parseFiltersAndTests(_ value: Expression) throws(TemplateError) -> Expression {
        var result = value
        while true {
            if isSymbol("|") {
                result = try parseFilters(on: result)
            } else if isName("is") {
                result = try parseTest(on: result)
            } else if isSymbol("(") {
                result = try parseCall(result)
            } else {
                return result
            }
        }
    }

    private mutating func parseSubscript(of value: Expression) throws(TemplateError) -> Expression {
        let token = advance()
        if token.text == "." {
            let attribute = advance()
            if attribute.kind == .name {
                return try make(.attribute(value, attribute.text), line: token.line, over: [value])
            }
            guard attribute.kind == .integer, let index = Int(attribute.text) else {
                throw failure("expected name or number", line: attribute.line)
            }
            let key = try make(.constant(.int(index)), line: attribute.line)
            return try make(.item(value, key), line: token.line, over: [value])
        }
        if isSymbol("]") { throw unexpected("Expected an expression") }
        if isSymbol(":") { return try parseSlice(of: value, start: nil, line: token.line) }
        let first = try parseExpression()
        if isSymbol(":") { return try parseSlice(of: value, start: first, line: token.line) }
        var keys = [first]
        var isTuple = false
        while skipSymbol(",") {
            isTuple = true
            if isSymbol("]") { break }
            keys.append(try parseExpression())
        }
        try expectSymbol("]")
        let key = isTuple ? try make(.tuple(keys), line: token.line, over: keys) : first
        return try make(.item(value, key), line: token.line, over: [value, key])
    }

    /// From the first colon on.
    private mutating func parseSlice(
        of value: Expression, start: Expression?, line: Int
    ) throws(TemplateError) -> Expression {
        advance()
        let stop = isSymbol(":") || isSymbol("]") ? nil : try parseExpression()
        let step = skipSymbol(":") && !isSymbol("]") ? try parseExpression() : nil
        try expectSymbol("]")
        return try make(
            .slice(value, start: start, stop: stop, step: step), line: line,
            over: [value] + [start, stop, step].compactMap { $0 })
    }

    private mutating func parseArguments() throws(TemplateError) -> Arguments {
        let line = current.line
        try enter()
        defer { leave() }
        try expectSymbol("(")
        var arguments = Arguments()
        func require(_ holds: Bool) throws(TemplateError) {
            if !holds { throw failure("invalid syntax for function call expression", line: line) }
        }
        while !isSymbol(")") {
            if skipSymbol("*") {
                try require(arguments.splat == nil && arguments.keywordSplat == nil)
                arguments.splat = try parseExpression()
            } else if skipSymbol("**") {
                try require(arguments.keywordSplat == nil)
                arguments.keywordSplat = try parseExpression()
            } else if current.kind == .name, next.kind == .symbol, next.text == "=" {
                try require(arguments.keywordSplat == nil)
                let name = advance().text
                advance()
                try require(!arguments.keyword.contains { $0.name == name })
                arguments.keyword.append((name, try parseExpression()))
            } else {
                try require(arguments.splat == nil && arguments.keywordSplat == nil && arguments.keyword.isEmpty)
                arguments.positional.append(try parseExpression())
            }
            guard skipSymbol(",") else { break }
        }
        try expectSymbol(")")
        return arguments
    }

    private mutating func parseDottedName() throws(TemplateError) -> String {
        var name = try expectName().text
        while skipSymbol(".") { name += "." + (try expectName().text) }
        return name
    }

    /// A chain of filters.
    /// - Parameter startsInline: the first filter's name comes without a bar, as in `{% filter upper %}`.
    mutating func parseFilters(
        on value: Expression?, startsInline: Bool = false
    ) throws(TemplateError) -> Expression {
        var operand = value
        var isFirst = startsInline
        while true {
            let line = current.line
            if !isFirst { advance() }
            isFirst = false
            let name = try parseDottedName()
            let arguments = isSymbol("(") ? try parseArguments() : .none
            let filter = try make(
                .filter(operand, name, arguments), line: line, over: (operand.map { [$0] } ?? []) + arguments.all)
            guard isSymbol("|") else { return filter }
            operand = filter
        }
    }

    private mutating func parseTest(on value: Expression) throws(TemplateError) -> Expression {
        let line = advance().line
        let isNegated = skipName("not")
        let name = try parseDottedName()
        var arguments = Arguments.none
        if isSymbol("(") {
            arguments = try parseArguments()
        } else if startsTestArgument {
            if isName("is") { throw failure("You cannot chain multiple tests with is", line: current.line) }
            arguments.positional = [try parsePostfix(parsePrimary())]
        }
        let test = try make(.test(value, name, arguments), line: line, over: [value] + arguments.all)
        return isNegated ? try make(.not(test), line: line, over: [test]) : test
    }

    private var startsTestArgument: Bool {
        switch current.kind {
        case .name: !["else", "or", "and"].contains(current.text)
        case .string, .integer, .float: true
        case .symbol: ["[", "{"].contains(current.text)
        default: false
        }
    }
}
