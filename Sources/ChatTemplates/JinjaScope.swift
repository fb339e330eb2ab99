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
