/// The values given to a function, method, filter or test.
struct CallArguments {
    var positional: [JinjaValue] = []
    var keyword: [(name: String, value: JinjaValue)] = []

    /// Assigns the values to parameters by position and name.
    /// - Parameter required: how many of the parameters must be given.
    /// - Returns: one entry per parameter, nil where nothing was given.
    func bind(_ function: String, _ parameters: [String], required: Int = 0) throws(Fault) -> [JinjaValue?] {
        guard positional.count <= parameters.count else {
            throw .type(
                "\(function)() takes at most \(parameters.count) argument(s), \(positional.count) given")
        }
        var bound = positional.map(Optional.some)
        bound += Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in keyword {
            guard let index = parameters.firstIndex(of: name) else {
                throw .type("\(function)() got an unexpected keyword argument \(name.pythonRepr)")
            }
            guard bound[index] == nil else {
                throw .type("\(function)() got multiple values for argument \(name.pythonRepr)")
            }
            bound[index] = value
        }
        for index in 0..<required where bound[index] == nil {
            throw .type("\(function)() missing required argument: \(parameters[index].pythonRepr)")
        }
        return bound
    }
}

extension Interpreter {
    // MARK: Macros

    func define(_ definition: MacroDefinition) throws(Fault) {
        let value = try makeMacro(definition)
        if let name = definition.name, let symbol = program.symbols[name] { scope.set(symbol, value) }
    }

    private func makeMacro(_ definition: MacroDefinition) throws(Fault) -> JinjaValue {
        try budget.makeCollection(elements: 4, depth: 0)
        macros.append(MacroClosure(definition: definition, scope: scope))
        return .object(JinjaObject(.macro(macros.count - 1)))
    }

    /// `{% call … %}`: calls a macro that gets the block's body as `caller`.
    @inline(never)
    func callBlock(
        _ callee: Expression, _ arguments: Arguments, caller: MacroDefinition, line: Int
    ) throws(Fault) -> String {
        let function = try evaluate(callee)
        var arguments = try evaluate(arguments)
        self.line = line
        arguments.keyword.append(("caller", try makeMacro(caller)))
        return try string(of: try call(function, arguments))
    }

    @inline(never)
    private func invoke(_ closure: MacroClosure, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        try enter(2)
        defer { leave(2) }
        let definition = closure.definition
        let label = (definition.name.map { .string($0) } ?? JinjaValue.none)
        let inner = Scope(parent: closure.scope)
        var keyword = arguments.keyword
        let parameters = definition.parameters
        func take(_ name: String) -> JinjaValue? {
            keyword.firstIndex { $0.name == name }.map { keyword.remove(at: $0).value }
        }

        var given: [JinjaValue?] = arguments.positional.prefix(parameters.count).map(Optional.some)
        for parameter in parameters.dropFirst(given.count) { given.append(take(parameter.name)) }
        if definition.usesCaller, let symbol = program.symbols["caller"] {
            inner.set(symbol, take("caller") ?? .undefined(JinjaUndefined(.hint("No caller defined"))))
        }
        if definition.usesKeywords, let symbol = program.symbols["kwargs"] {
            inner.set(symbol, try makeDict(dictionary(keyword)))
        } else if let extra = keyword.first {
            let name = try repr(of: label)
            throw .type(
                extra.name == "caller"
                    ? "macro \(name) was invoked with two values for the special caller argument. "
                        + "This is most likely a bug."
                    : "macro \(name) takes no keyword argument \(extra.name.pythonRepr)")
        }
        let surplus = arguments.positional.dropFirst(parameters.count)
        if definition.usesPositionals, let symbol = program.symbols["varargs"] {
            inner.set(symbol, try makeTuple(Array(surplus)))
        } else if !surplus.isEmpty {
            throw .type("macro \(try repr(of: label)) takes not more than \(parameters.count) argument(s)")
        }

        let outer = scope
        scope = inner
        let firstDefault = parameters.count - definition.defaults.count
        for (index, parameter) in parameters.enumerated() {
            if let value = given[index] {
                inner.set(parameter.symbol, value)
            } else if index >= firstDefault {
                inner.set(parameter.symbol, try evaluate(definition.defaults[index - firstDefault]))
            } else {
                inner.set(
                    parameter.symbol,
                    .undefined(JinjaUndefined(.hint("parameter \(parameter.name.pythonRepr) was not provided"))))
            }
        }
        scope = outer
        return .string(try capture(definition.body, in: inner).text)
    }

    private func dictionary(_ pairs: [(name: String, value: JinjaValue)]) -> JinjaDict {
        var dict = JinjaDict()
        for (name, value) in pairs { dict.set(name, value) }
        return dict
    }

    // MARK: Calls

    @inline(never)
    func call(_ function: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        if case .undefined(let undefined) = function { throw .undefined(undefined) }
        guard case .object(let object) = function else {
            throw .type("'\(typeName(function))' object is not callable")
        }
        switch object.kind {
        case .macro(let handle): return try invoke(macros[handle], arguments)
        case .method(let receiver, let name): return try callMethod(name, of: receiver, arguments)
        case .function(let function): return try callFunction(function, arguments)
        case .loop(let handle):
            let iterable = try arguments.bind("loop", ["iterable"], required: 1)[0] ?? .none
            let state = try loopState(handle)
            guard state.loop.isRecursive else {
                throw .type("The loop must have the 'recursive' marker to be called recursively.")
            }
            return .string(try recurse(state, over: iterable))
        case .joiner(let handle):
            guard joiners[handle].isUsed else {
                joiners[handle].isUsed = true
                return .string("")
            }
            return joiners[handle].separator
        case .range, .view, .generator, .namespace, .cycler:
            throw .type("'\(typeName(function))' object is not callable")
        }
    }

    func loopState(_ handle: Int) throws(Fault) -> LoopState {
        guard let state = loops[handle] else { throw .type("the loop has ended") }
        return state
    }

    @inline(never)
    private func callMethod(
        _ name: String, of receiver: JinjaValue, _ arguments: CallArguments
    ) throws(Fault) -> JinjaValue {
        switch receiver {
        case .string(let text): return try stringMethod(name, text, arguments)
        case .markup(let text): return try markupMethod(name, text, arguments)
        case .list(let sequence), .tuple(let sequence):
            return try sequenceMethod(name, of: receiver, sequence, arguments)
        case .dict(let dict): return try dictMethod(name, dict, arguments)
        case .int(let value): return try numberMethod(name, .int(value), arguments)
        case .float(let value): return try numberMethod(name, .float(value), arguments)
        case .object(let object):
            if case .loop(let handle) = object.kind { return try loopMethod(name, handle, arguments) }
            if case .cycler(let handle) = object.kind { return try cyclerMethod(name, handle, arguments) }
            if case .range = object.kind {
                let numbers = JinjaSequence(try elements(of: receiver))
                return try sequenceMethod(name, of: receiver, numbers, arguments)
            }
            throw .type("'\(typeName(receiver))' object has no method \(name.pythonRepr)")
        default: throw .type("'\(typeName(receiver))' object has no method \(name.pythonRepr)")
        }
    }

    private func loopMethod(_ name: String, _ handle: Int, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let state = try loopState(handle)
        if name == "cycle" {
            guard !arguments.positional.isEmpty else { throw .type("no items for cycling given") }
            return arguments.positional[state.index % arguments.positional.count]
        }
        if let last = state.lastChecked, last.count == arguments.positional.count {
            var isSame = true
            for (old, new) in zip(last, arguments.positional) where isSame { isSame = try equal(old, new) }
            if isSame { return .bool(false) }
        }
        state.lastChecked = arguments.positional
        return .bool(true)
    }

    private func cyclerMethod(_ name: String, _ handle: Int, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        _ = try arguments.bind(name, [])
        if name == "reset" {
            cyclers[handle].position = 0
            return .none
        }
        let (items, position) = cyclers[handle]
        cyclers[handle].position = (position + 1) % items.count
        return items[position]
    }

    // MARK: Jinja's functions

    @inline(never)
    private func callFunction(
        _ function: JinjaObject.Function, _ arguments: CallArguments
    ) throws(Fault) -> JinjaValue {
        switch function {
        case .range: return try makeRange(arguments)
        case .dict: return try makeDict(try dictionary(from: arguments, of: "dict"))
        case .namespace:
            let dict = try dictionary(from: arguments, of: "namespace")
            try budget.makeCollection(elements: 3 * dict.count, depth: dict.depth)
            namespaces.append(dict)
            return .object(JinjaObject(.namespace(namespaces.count - 1)))
        case .cycler:
            guard !arguments.positional.isEmpty else { throw .value("at least one item has to be provided") }
            try budget.makeCollection(elements: arguments.positional.count, depth: 0)
            cyclers.append((arguments.positional, 0))
            return .object(JinjaObject(.cycler(cyclers.count - 1)))
        case .joiner:
            let separator = try arguments.bind("joiner", ["sep"])[0] ?? ", "
            try budget.makeCollection(elements: 1, depth: 0)
            joiners.append((separator, false))
            return .object(JinjaObject(.joiner(joiners.count - 1)))
        case .raiseException:
            let message = try arguments.bind("raise_exception", ["message"], required: 1)[0] ?? .none
            throw Fault(kind: .raised, message: try string(of: message))
        case .strftimeNow:
            let format = try arguments.bind("strftime_now", ["format"], required: 1)[0] ?? .none
            guard let format = format.text else {
                throw .type("strftime() argument 1 must be str, not \(typeName(format))")
            }
            return try makeString(clock.now().formatted(format, limit: 4096))
        }
    }

    private func makeRange(_ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("range", ["start", "stop", "step"], required: 1)
        var values: [Int] = []
        for value in bound {
            if let value { values.append(try integer(value)) }
        }
        let start = values.count > 1 ? values[0] : 0
        let stop = values.count > 1 ? values[1] : values[0]
        let step = values.count > 2 ? values[2] : 1
        guard step != 0 else { throw .value("range() arg 3 must not be zero") }
        guard let range = PythonRange(start: start, stop: stop, step: step), range.count <= limits.rangeElements else {
            throw .limit(.rangeElements(limits.rangeElements))
        }
        return .object(JinjaObject(.range(range)))
    }

    /// What `dict(…)` and `namespace(…)` take: a mapping or pairs, and keywords.
    private func dictionary(from arguments: CallArguments, of function: String) throws(Fault) -> JinjaDict {
        guard arguments.positional.count <= 1 else {
            throw .type("\(function) expected at most 1 argument, got \(arguments.positional.count)")
        }
        var dict = JinjaDict()
        if let first = arguments.positional.first {
            if case .dict(let other) = first {
                dict = other
            } else {
                for pair in try elements(of: first, or: { "'\($0)' object is not iterable" }) {
                    let parts = try elements(of: pair) { "cannot convert dictionary update sequence of \($0)" }
                    guard parts.count == 2 else {
                        throw .value("dictionary update sequence element has length \(parts.count); 2 is required")
                    }
                    dict.set(parts[0], hashed: try hash(parts[0]), parts[1])
                }
            }
        }
        for (name, value) in arguments.keyword { dict.set(name, value) }
        return dict
    }
}
