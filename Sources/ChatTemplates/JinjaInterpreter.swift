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

    /// Enters one level of evaluation. Left by `leave`; a fault need not be, unless it is caught.
    func enter() throws(Fault) {
        depth += 1
        guard depth <= limits.recursion else { throw .limit(.recursion(limits.recursion)) }
    }

    func leave() { depth -= 1 }

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
        case .output(let expression):
            let value = try evaluate(expression)
            try write(try string(of: value))
            return .ended
        case .breakLoop: return .broken
        case .continueLoop: return .continued
        default:
            try enter()
            let flow = try runBlock(statement)
            leave()
            return flow
        }
    }

    @inline(never)
    private func runBlock(_ statement: Statement) throws(Fault) -> Flow {
        switch statement.node {
        case .condition(let branches, let otherwise): return try runCondition(branches, otherwise: otherwise)
        case .loop(let loop): return try runLoop(loop)
        case .assign(let target, let expression):
            let value = try evaluate(expression)
            line = statement.line
            try assign(value, to: target)
        case .assignBlock(let target, let filter, let body):
            let (text, flow) = try capture(body, in: Scope(parent: scope))
            if flow != .ended { return flow }
            line = statement.line
            try assign(try filtered(text, by: filter), to: target)
        case .macro(let definition): try define(definition)
        case .call(let callee, let arguments, let caller):
            try write(try callBlock(callee, arguments, caller: caller, line: statement.line))
        case .filterBlock(let filter, let body):
            let (text, flow) = try capture(body, in: Scope(parent: scope))
            if flow != .ended { return flow }
            try write(try string(of: try filtered(text, by: filter)))
        case .with(let bindings, let body):
            let inner = Scope(parent: scope)
            for (target, expression) in bindings {
                try assign(try evaluate(expression), to: target, in: inner)
            }
            return try run(body, in: inner)
        case .scope(let body): return try run(body, in: Scope(parent: scope))
        case .text, .output, .breakLoop, .continueLoop: break
        }
        return .ended
    }

    private func run(_ body: [Statement], in inner: Scope) throws(Fault) -> Flow {
        let outer = scope
        scope = inner
        let flow = try run(body)
        scope = outer
        return flow
    }

    @inline(never)
    private func runCondition(
        _ branches: [(test: Expression, body: [Statement])], otherwise: [Statement]
    ) throws(Fault) -> Flow {
        for branch in branches where isTrue(try evaluate(branch.test)) { return try run(branch.body) }
        return try run(otherwise)
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
    func lookup(_ symbol: Symbol) -> JinjaValue {
        if let value = scope.find(symbol) { return value }
        let name = program.names[symbol]
        if let function = JinjaObject.Function(rawValue: name) { return .object(JinjaObject(.function(function))) }
        return .undefined(JinjaUndefined(name: name))
    }

    // MARK: Loops

    @inline(never)
    private func runLoop(_ loop: ForLoop) throws(Fault) -> Flow {
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

/// Variables of one block. A few names each, so a list serves better than a hash table.
final class Scope {
    private var symbols: [Symbol] = []
    private var values: [JinjaValue] = []
    private let parent: Scope?

    init(parent: Scope?) { self.parent = parent }

    func set(_ symbol: Symbol, _ value: JinjaValue) {
        if let index = symbols.firstIndex(of: symbol) {
            values[index] = value
        } else {
            symbols.append(symbol)
            values.append(value)
        }
    }

    func find(_ symbol: Symbol) -> JinjaValue? {
        var scope: Scope? = self
        while let current = scope {
            if let index = current.symbols.firstIndex(of: symbol) { return current.values[index] }
            scope = current.parent
        }
        return nil
    }
}

/// A macro with the scope that its body sees.
struct MacroClosure {
    let definition: MacroDefinition
    let scope: Scope
}

/// What a lazy filter yields. It is computed at once, but an error shows only when the generator is used, and the
/// elements can be taken only once, as from Python's generators.
struct Generator {
    var elements: [JinjaValue]
    var fault: Fault?
}

/// A running loop: what `loop` shows in its body. A filtered loop tests its elements only as far as it has to.
final class LoopState {
    let loop: ForLoop
    let scope: Scope
    let depth: Int
    private(set) var index = -1
    private(set) var previous: JinjaValue = .none
    private(set) var current: JinjaValue = .none
    var lastChecked: [JinjaValue]?
    private let source: [JinjaValue]
    private var cursor = 0
    /// Elements that passed the filter but were not delivered yet.
    private var pending: [JinjaValue] = []

    init(loop: ForLoop, source: [JinjaValue], depth: Int, scope: Scope) {
        self.loop = loop
        self.source = source
        self.depth = depth
        self.scope = scope
    }

    func advance(_ interpreter: Interpreter) throws(Fault) -> JinjaValue? {
        let item = pending.isEmpty ? try pull(interpreter) : pending.removeFirst()
        guard let item else { return nil }
        index += 1
        previous = current
        current = item
        return item
    }

    func peek(_ interpreter: Interpreter) throws(Fault) -> JinjaValue? {
        if pending.isEmpty, let item = try pull(interpreter) { pending.append(item) }
        return pending.first
    }

    func length(_ interpreter: Interpreter) throws(Fault) -> Int {
        if loop.filter == nil { return source.count }
        while let item = try pull(interpreter) { pending.append(item) }
        return index + 1 + pending.count
    }

    private func pull(_ interpreter: Interpreter) throws(Fault) -> JinjaValue? {
        while cursor < source.count {
            let item = source[cursor]
            cursor += 1
            guard let filter = loop.filter else { return item }
            try interpreter.budget.iterate()
            let outer = interpreter.scope
            interpreter.scope = Scope(parent: scope)
            try interpreter.assign(item, to: loop.target)
            let isKept = interpreter.isTrue(try interpreter.evaluate(filter))
            interpreter.scope = outer
            if isKept { return item }
        }
        return nil
    }
}
