/// Reads tokens into a `Program`, by recursive descent, with Jinja 3.1's grammar.
///
/// Left out, as a chat template is one file rendered without autoescaping: `include`, `import`, `extends`,
/// `autoescape`. Added: `break`, `continue` and `generation`.
struct JinjaParser {
    let template: String
    private let tokens: [Token]
    private var position = 0
    private(set) var names: [String] = []
    private var symbols: [String: Symbol] = [:]
    private var nesting = 0
    /// Loops around the current statement within the current macro.
    private var loops = 0

    init(tokens: [Token], template: String) {
        self.tokens = tokens
        self.template = template
    }

    static func parse(source: String, template: String) throws(TemplateError) -> Program {
        guard source.utf8.count <= JinjaLimits.Source.bytes else {
            throw .syntax(
                "the template has more than \(JinjaLimits.Source.bytes) bytes",
                at: TemplateLocation(template: template, line: 1))
        }
        var lexer = JinjaLexer(source: source, template: template)
        var parser = JinjaParser(tokens: try lexer.tokenize(), template: template)
        let body = try parser.parseStatements(until: [], opening: nil)
        return Program(body: body, names: parser.names, symbols: parser.symbols)
    }

    // MARK: Tokens

    var current: Token { tokens[position] }

    var next: Token { tokens[min(position + 1, tokens.count - 1)] }

    @discardableResult
    mutating func advance() -> Token {
        let token = tokens[position]
        if position + 1 < tokens.count { position += 1 }
        return token
    }

    func isSymbol(_ text: String) -> Bool { current.kind == .symbol && current.text == text }

    func isName(_ text: String) -> Bool { current.kind == .name && current.text == text }

    mutating func skipSymbol(_ text: String) -> Bool {
        guard isSymbol(text) else { return false }
        advance()
        return true
    }

    mutating func skipName(_ text: String) -> Bool {
        guard isName(text) else { return false }
        advance()
        return true
    }

    mutating func expectSymbol(_ text: String) throws(TemplateError) {
        guard skipSymbol(text) else { throw unexpected("expected '\(text)'") }
    }

    mutating func expectName() throws(TemplateError) -> Token {
        guard current.kind == .name else { throw unexpected("expected a name") }
        return advance()
    }

    private mutating func expectName(_ text: String) throws(TemplateError) {
        guard skipName(text) else { throw unexpected("expected '\(text)'") }
    }

    mutating func expect(_ kind: Token.Kind, _ label: String) throws(TemplateError) {
        guard current.kind == kind else { throw unexpected("expected \(label)") }
        advance()
    }

    func unexpected(_ wanted: String) -> TemplateError {
        failure("\(wanted), got '\(current.label)'", line: current.line)
    }

    func failure(_ message: String, line: Int) -> TemplateError {
        .syntax(message, at: TemplateLocation(template: template, line: line))
    }

    mutating func symbol(for name: String) -> Symbol {
        if let known = symbols[name] { return known }
        names.append(name)
        symbols[name] = names.count - 1
        return names.count - 1
    }

    mutating func enter() throws(TemplateError) {
        nesting += 1
        guard nesting <= JinjaLimits.Source.nesting else {
            throw failure(
                "tags and parentheses are nested deeper than \(JinjaLimits.Source.nesting)", line: current.line)
        }
    }

    mutating func leave() { nesting -= 1 }

    // MARK: Statements

    /// Reads text and tags up to a block that begins with one of `ends`, whose name is left as the current token.
    private mutating func parseStatements(
        until ends: [String], opening: Token?
    ) throws(TemplateError) -> [Statement] {
        try enter()
        defer { leave() }
        var body: [Statement] = []
        while true {
            let token = current
            switch token.kind {
            case .data:
                advance()
                body.append(Statement(line: token.line, node: .text(token.text)))
            case .variableBegin:
                advance()
                let expression = try parseTuple()
                try expect(.variableEnd, "end of print statement")
                body.append(Statement(line: token.line, node: .output(expression)))
            case .blockBegin:
                advance()
                if current.kind == .name, ends.contains(current.text) { return body }
                try body.append(contentsOf: parseStatement(ends: ends, opening: opening))
                try expect(.blockEnd, "end of statement block")
            default:
                if token.kind == .end, let opening {
                    throw failure(
                        "Unexpected end of template: the '\(opening.text)' of line \(opening.line) needs "
                            + ends.map { "'\($0)'" }.joined(separator: " or "), line: token.line)
                }
                return body
            }
        }
    }

    /// The body of a block: the rest of its tag, then statements up to an end name. That name is consumed.
    /// - Returns: the body and the name that ended it.
    private mutating func parseBody(
        until ends: [String], of opening: Token
    ) throws(TemplateError) -> (body: [Statement], end: String) {
        _ = skipSymbol(":")
        try expect(.blockEnd, "end of statement block")
        let body = try parseStatements(until: ends, opening: opening)
        return (body, advance().text)
    }

    private mutating func parseStatement(ends: [String], opening: Token?) throws(TemplateError) -> [Statement] {
        let tag = try expectName()
        func statement(_ node: Statement.Node) -> [Statement] { [Statement(line: tag.line, node: node)] }
        switch tag.text {
        case "if": return try statement(parseIf(tag))
        case "for": return try statement(parseFor(tag))
        case "set": return try statement(parseSet(tag))
        case "macro": return try statement(.macro(parseMacro(tag)))
        case "call": return try statement(parseCallBlock(tag))
        case "filter":
            let filter = try parseFilters(on: nil, startsInline: true)
            return try statement(.filterBlock(filter, body: parseBody(until: ["endfilter"], of: tag).body))
        case "with": return try statement(parseWith(tag))
        case "block": return try statement(parseNamedBlock(tag))
        case "generation":
            return try statement(.scope(parseBody(until: ["endgeneration"], of: tag).body))
        case "print":
            var outputs: [Statement] = []
            while current.kind != .blockEnd {
                if !outputs.isEmpty { try expectSymbol(",") }
                outputs.append(Statement(line: tag.line, node: .output(try parseExpression())))
            }
            return outputs
        case "break", "continue":
            guard loops > 0 else { throw failure("'\(tag.text)' outside of a loop", line: tag.line) }
            return statement(tag.text == "break" ? .breakLoop : .continueLoop)
        case "include", "import", "from", "extends", "autoescape":
            throw failure("'\(tag.text)' is not available in chat templates", line: tag.line)
        default:
            var message = "Encountered unknown tag '\(tag.text)'."
            if let opening {
                message +=
                    " The '\(opening.text)' of line \(opening.line) needs "
                    + ends.map { "'\($0)'" }.joined(separator: " or ") + "."
            }
            throw failure(message, line: tag.line)
        }
    }

    private mutating func parseIf(_ tag: Token) throws(TemplateError) -> Statement.Node {
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            let test = try parseTuple(allowsConditional: false)
            let (body, end) = try parseBody(until: ["elif", "else", "endif"], of: tag)
            branches.append((test, body))
            if end == "elif" { continue }
            let otherwise = end == "else" ? try parseBody(until: ["endif"], of: tag).body : []
            return .condition(branches, otherwise: otherwise)
        }
    }

    private mutating func parseFor(_ tag: Token) throws(TemplateError) -> Statement.Node {
        let target = try parseTarget(end: "in", allowsAttributes: false)
        if case .name(let symbol) = target, names[symbol] == "loop" {
            throw failure("can't assign to special loop variable in for-loop target", line: tag.line)
        }
        try expectName("in")
        let iterable = try parseTuple(allowsConditional: false, end: "recursive")
        let filter = skipName("if") ? try parseExpression() : nil
        let isRecursive = skipName("recursive")
        loops += 1
        let (body, end) = try parseBody(until: ["endfor", "else"], of: tag)
        loops -= 1
        let otherwise = end == "else" ? try parseBody(until: ["endfor"], of: tag).body : []
        return .loop(
            ForLoop(
                target: target, iterable: iterable, filter: filter, isRecursive: isRecursive, body: body,
                otherwise: otherwise))
    }

    private mutating func parseSet(_ tag: Token) throws(TemplateError) -> Statement.Node {
        let target = try parseTarget(end: nil, allowsAttributes: true)
        if skipSymbol("=") { return .assign(target, try parseTuple()) }
        let filter: Expression? = isSymbol("|") ? try parseFilters(on: nil) : nil
        return .assignBlock(target, filter: filter, body: try parseBody(until: ["endset"], of: tag).body)
    }

    private mutating func parseWith(_ tag: Token) throws(TemplateError) -> Statement.Node {
        var bindings: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !bindings.isEmpty { try expectSymbol(",") }
            let target = try parseTarget(end: nil, allowsAttributes: false)
            try expectSymbol("=")
            bindings.append((target, try parseExpression()))
        }
        return .with(bindings, body: try parseBody(until: ["endwith"], of: tag).body)
    }

    private mutating func parseNamedBlock(_ tag: Token) throws(TemplateError) -> Statement.Node {
        let name = try expectName().text
        _ = skipName("scoped")
        _ = skipName("required")
        let body = try parseBody(until: ["endblock"], of: tag).body
        _ = skipName(name)
        return .scope(body)
    }

    // MARK: Macros

    private mutating func parseMacro(_ tag: Token) throws(TemplateError) -> MacroDefinition {
        let name = try expectName().text
        _ = symbol(for: name)
        return try parseMacroRest(tag, name: name, end: "endmacro")
    }

    private mutating func parseCallBlock(_ tag: Token) throws(TemplateError) -> Statement.Node {
        let signature = try isSymbol("(") ? parseSignature() : ([], [])
        let expression = try parseExpression()
        guard case .call(let callee, let arguments) = expression.node else {
            throw failure("expected call", line: tag.line)
        }
        let caller = try parseMacroBody(tag, name: nil, signature: signature, end: "endcall")
        return .call(callee, arguments, caller: caller)
    }

    private mutating func parseMacroRest(
        _ tag: Token, name: String, end: String
    ) throws(TemplateError) -> MacroDefinition {
        try parseMacroBody(tag, name: name, signature: parseSignature(), end: end)
    }

    private typealias Signature = ([(symbol: Symbol, name: String)], [Expression])

    private mutating func parseSignature() throws(TemplateError) -> Signature {
        var parameters: [(symbol: Symbol, name: String)] = []
        var defaults: [Expression] = []
        try expectSymbol("(")
        while !isSymbol(")") {
            if !parameters.isEmpty { try expectSymbol(",") }
            let token = try expectName()
            if skipSymbol("=") {
                defaults.append(try parseExpression())
            } else if !defaults.isEmpty {
                throw failure("non-default argument follows default argument", line: token.line)
            }
            parameters.append((symbol(for: token.text), token.text))
        }
        advance()
        return (parameters, defaults)
    }

    private mutating func parseMacroBody(
        _ tag: Token, name: String?, signature: Signature, end: String
    ) throws(TemplateError) -> MacroDefinition {
        let outerLoops = loops
        loops = 0
        defer { loops = outerLoops }
        let start = position
        let body = try parseBody(until: [end], of: tag).body
        let parameters = signature.0
        let mentioned = Set(tokens[start..<position].lazy.filter { $0.kind == .name }.map(\.text))
        func uses(_ special: String) -> Bool {
            mentioned.contains(special) && !parameters.contains { $0.name == special }
        }
        return MacroDefinition(
            name: name, parameters: parameters, defaults: signature.1, body: body, usesCaller: uses("caller"),
            usesKeywords: uses("kwargs"), usesPositionals: uses("varargs"))
    }

    // MARK: Targets

    /// - Parameter end: a name that ends a list of targets, such as `in`.
    private mutating func parseTarget(end: String?, allowsAttributes: Bool) throws(TemplateError) -> Target {
        var targets: [Target] = []
        while true {
            if let end, isName(end) { break }
            guard current.kind == .name || isSymbol("(") else { break }
            targets.append(try parseSingleTarget(allowsAttributes: allowsAttributes))
            guard isSymbol(",") else {
                if targets.count == 1 { return targets[0] }
                break
            }
            advance()
        }
        guard !targets.isEmpty else { throw unexpected("expected a name to assign to") }
        return .tuple(targets)
    }

    private mutating func parseSingleTarget(allowsAttributes: Bool) throws(TemplateError) -> Target {
        if skipSymbol("(") {
            try enter()
            defer { leave() }
            let inner = try parseTarget(end: nil, allowsAttributes: allowsAttributes)
            try expectSymbol(")")
            return inner
        }
        let token = try expectName()
        if ["true", "false", "none", "True", "False", "None"].contains(token.text) {
            throw failure("can't assign to '\(token.text)'", line: token.line)
        }
        let symbol = symbol(for: token.text)
        if allowsAttributes, skipSymbol(".") { return .attribute(symbol, try expectName().text) }
        return .name(symbol)
    }
}
