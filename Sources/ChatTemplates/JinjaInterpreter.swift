/// Walks a parsed template and writes its text. One per rendering; never shared.
///
/// This file runs statements. Extensions beside it evaluate expressions (`+Expressions`), call things (`+Calls`), look
/// into values (`JinjaAttributes`), compute (`JinjaOperators`), print (`JinjaPrinting`), filter and test.
final class Interpreter {
    let program: Program
    let clock: TemplateClock
    var budget: RenderBudget
    var limits: JinjaLimits { budget.limits }
    /// The line being run; where an error happened.
    var line = 1
    var scope: Scope
    /// What the text being written goes to: the result, or the text of a macro or block.
    private var output = ""
    private var captures = 0
    /// Statements, expressions and calls around the current one.
    private var depth = 0
    /// The text that a filter without an operand applies to.
    var blockText: String?

    // What values of `JinjaObject` refer to by number.
    var namespaces: [JinjaDict] = []
    var macros: [MacroClosure] = []
    var generators: [Generator] = []
    var loops: [Int: LoopState] = [:]
    var loopsStarted = 0
    var cyclers: [(items: [JinjaValue], position: Int)] = []
    var joiners: [(separator: JinjaValue, isUsed: Bool)] = []

    /// How a statement list was left.
    enum Flow {
        case ended, broken, continued
    }

    init(program: Program, variables: [(String, JinjaValue)], clock: TemplateClock, limits: JinjaLimits) {
        self.program = program
        self.clock = clock
        budget = RenderBudget(limits: limits)
        let context = Scope(parent: nil)
        for (name, value) in variables {
            if let symbol = program.symbols[name] { context.set(symbol, value) }
        }
        scope = Scope(parent: context)
    }

    func render() throws(Fault) -> String {
        _ = try run(program.body)
        return output
    }

    // MARK: Depth and output

    /// Enters a level of evaluation. Left by `leave`; a fault need not be, unless it is caught.
    /// - Parameter weight: roughly in half kilobytes of stack.
    func enter(_ weight: Int = 1) throws(Fault) {
        depth += weight
        guard depth <= limits.recursion else { throw .limit(.recursion(limits.recursion)) }
    }

    func leave(_ weight: Int = 1) { depth -= weight }

    /// Runs something whose fault the caller keeps for later; the depth is then what it was.
    func attempt<Success>(_ body: () throws(Fault) -> Success) -> Result<Success, Fault> {
        let outer = depth
        do {
            return .success(try body())
        } catch {
            depth = outer
            return .failure(error)
        }
    }

    func write(_ text: String) throws(Fault) {
        let count = output.utf8.count + text.utf8.count
        if captures == 0 {
            guard count <= limits.outputBytes else { throw .limit(.outputBytes(limits.outputBytes)) }
        } else {
            guard count <= limits.stringBytes else { throw .limit(.stringBytes(limits.stringBytes)) }
        }
        try budget.scan(bytes: text.utf8.count)
        output += text
    }

    /// The text that a body writes, in a scope of its own.
    @inline(never)
    func capture(_ body: [Statement], in inner: Scope) throws(Fault) -> (text: String, flow: Flow) {
        let outerOutput = output
        let outerScope = scope
        output = ""
        scope = inner
        captures += 1
        let flow = try run(body)
        let text = output
        captures -= 1
        output = outerOutput
        scope = outerScope
        try budget.makeText(bytes: text.utf8.count)
        return (text, flow)
    }

    // MARK: Statements

    func run(_ body: [Statement]) throws(Fault) -> Flow {
        for statement in body {
            let flow = try run(statement)
            if flow != .ended { return flow }
        }
        return .ended
    }

    private func run(_ statement: Statement) throws(Fault) -> Flow {
        try budget.spend()
        line = statement.line
        switch statement.node {
        case .text(let text):
            try write(text)
            return .ended
        case .breakLoop: return .broken
        case .continueLoop: return .continued
        default:
            try enter()
            let flow = try runCompound(statement)
            leave()
            return flow
        }
    }

    // As for expressions: small frames on the way down.
    @inline(never)
    private func runCompound(_ statement: Statement) throws(Fault) -> Flow {
        switch statement.node {
        case .text, .breakLoop, .continueLoop: return .ended
        case .output: return try runOutput(statement)
        case .condition: return try runCondition(statement)
        case .loop: return try runLoop(statement)
        case .assign: return try runAssignment(statement)
        case .assignBlock: return try runAssignBlock(statement)
        case .macro(let definition):
            try define(definition)
            return .ended
        case .call: return try runCallBlock(statement)
        case .filterBlock: return try runFilterBlock(statement)
        case .with: return try runWith(statement)
        case .scope(let body): return try run(body, in: Scope(parent: scope))
        }
    }

    @inline(never)
    private func runOutput(_ statement: Statement) throws(Fault) -> Flow {
        guard case .output(let expression) = statement.node else { return .ended }
        let value = try evaluate(expression)
        try write(try string(of: value))
        return .ended
    }

    @inline(never)
    private func runCondition(_ statement: Statement) throws(Fault) -> Flow {
        guard case .condition(let branches, let otherwise) = statement.node else { return .ended }
        for branch in branches where isTrue(try evaluate(branch.test)) { return try run(branch.body) }
        return try run(otherwise)
    }

    @inline(never)
    private func runAssignment(_ statement: Statement) throws(Fault) -> Flow {
        guard case .assign(let target, let expression) = statement.node else { return .ended }
        let value = try evaluate(expression)
        line = statement.line
        try assign(value, to: target)
        return .ended
    }

    @inline(never)
    private func runAssignBlock(_ statement: Statement) throws(Fault) -> Flow {
        guard case .assignBlock(let target, let filter, let body) = statement.node else { return .ended }
        let (text, flow) = try capture(body, in: Scope(parent: scope))
        if flow != .ended { return flow }
        line = statement.line
        try assign(try filtered(text, by: filter), to: target)
        return .ended
    }

    @inline(never)
    private func runCallBlock(_ statement: Statement) throws(Fault) -> Flow {
        guard case .call(let callee, let arguments, let caller) = statement.node else { return .ended }
        try write(try callBlock(callee, arguments, caller: caller, line: statement.line))
        return .ended
    }

    @inline(never)
    private func runFilterBlock(_ statement: Statement) throws(Fault) -> Flow {
        guard case .filterBlock(let filter, let body) = statement.node else { return .ended }
        let (text, flow) = try capture(body, in: Scope(parent: scope))
        if flow != .ended { return flow }
        try write(try string(of: try filtered(text, by: filter)))
        return .ended
    }

    @inline(never)
    private func runWith(_ statement: Statement) throws(Fault) -> Flow {
        guard case .with(let bindings, let body) = statement.node else { return .ended }
        let inner = Scope(parent: scope)
        for (target, expression) in bindings {
            try assign(try evaluate(expression), to: target, in: inner)
        }
        return try run(body, in: inner)
    }

    private func run(_ body: [Statement], in inner: Scope) throws(Fault) -> Flow {
        let outer = scope
        scope = inner
        let flow = try run(body)
        scope = outer
        return flow
    }

    private func filtered(_ text: String, by filter: Expression?) throws(Fault) -> JinjaValue {
        guard let filter else { return .string(text) }
        let outer = blockText
        blockText = text
        let value = try evaluate(filter)
        blockText = outer
        return value
    }

    // MARK: Assignment

    func assign(_ value: JinjaValue, to target: Target, in destination: Scope? = nil) throws(Fault) {
        switch target {
        case .name(let symbol): (destination ?? scope).set(symbol, value)
        case .attribute(let symbol, let name):
            guard case .object(let object) = lookup(symbol), case .namespace(let handle) = object.kind else {
                throw .type("cannot assign attribute on non-namespace object")
            }
            namespaces[handle].set(name, value)
            try budget.makeCollection(elements: 1, depth: value.depth)
        case .tuple(let targets):
            let values = try elements(of: value) { "cannot unpack non-iterable \($0) object" }
            guard values.count >= targets.count else {
                throw .value("not enough values to unpack (expected \(targets.count), got \(values.count))")
            }
            guard values.count == targets.count else {
                throw .value("too many values to unpack (expected \(targets.count))")
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target, in: destination) }
        }
    }

    /// The value of a variable: innermost scope first, then what the caller gave, then Jinja's own functions.
    @inline(never)
    func lookup(_ symbol: Symbol) -> JinjaValue {
        if let value = scope.find(symbol) { return value }
        let name = program.names[symbol]
        if let function = JinjaObject.Function(rawValue: name) { return .object(JinjaObject(.function(function))) }
        return .undefined(JinjaUndefined(name: name))
    }

    // MARK: Loops

    @inline(never)
    private func runLoop(_ statement: Statement) throws(Fault) -> Flow {
        guard case .loop(let loop) = statement.node else { return .ended }
        let value = try evaluate(loop.iterable)
        line = loop.iterable.line
        return try runLoop(loop, over: value, depth: 0, in: scope)
    }

    /// - Parameter depth: how many calls of a recursive loop are around this one.
    private func runLoop(_ loop: ForLoop, over value: JinjaValue, depth: Int, in outer: Scope) throws(Fault) -> Flow {
        let elements = try elements(of: value) { "'\($0)' object is not iterable" }
        let state = LoopState(loop: loop, source: elements, depth: depth, scope: outer)
        let handle = loopsStarted
        loopsStarted += 1
        loops[handle] = state
        defer { loops[handle] = nil }
        let caller = scope
        defer { scope = caller }
        while let item = try state.advance(self) {
            try budget.iterate()
            try budget.spend()
            let inner = Scope(parent: outer)
            scope = inner
            if let loopSymbol = program.symbols["loop"] { inner.set(loopSymbol, .object(JinjaObject(.loop(handle)))) }
            try assign(item, to: loop.target)
            if try run(loop.body) == .broken { break }
        }
        guard state.index < 0 else { return .ended }
        scope = Scope(parent: outer)
        return try run(loop.otherwise)
    }

    /// `loop(children)` within a recursive loop: the body again, over other elements.
    func recurse(_ state: LoopState, over value: JinjaValue) throws(Fault) -> String {
        try enter()
        defer { leave() }
        let outerOutput = output
        output = ""
        captures += 1
        _ = try runLoop(state.loop, over: value, depth: state.depth + 1, in: state.scope)
        let text = output
        captures -= 1
        output = outerOutput
        try budget.makeText(bytes: text.utf8.count)
        return text
    }
}
