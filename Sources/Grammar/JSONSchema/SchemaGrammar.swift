/// Writes formulas as grammar expressions.
struct SchemaGrammar {
    let solver: SchemaSolver
    let source: GrammarBuilder.Source
    /// Between tokens of the JSON text.
    let space: GrammarBuilder.Expression
    private let separator: GrammarBuilder.Expression
    private let colon: GrammarBuilder.Expression

    /// First element of a rule's key.
    enum RuleKind: Int32 {
        case object, objectState, array, arrayState
    }

    init(solver: SchemaSolver, source: GrammarBuilder.Source, builder: inout GrammarBuilder) {
        self.solver = solver
        self.source = source
        let comma = builder.text(",")
        let colon = builder.text(":")
        switch solver.reader.options.whitespace {
        case .compact:
            space = GrammarBuilder.empty
            separator = comma
            self.colon = colon
        case .spaced:
            space = GrammarBuilder.empty
            separator = builder.text(", ")
            self.colon = builder.text(": ")
        case .flexible(let maximum):
            let blank = RegularLanguage.set(CodePointSet([0x20, 0x09, 0x0A, 0x0D] as [UInt32]))
            space = builder.regular(blank.repeated(0, max(0, maximum)))
            separator = builder.sequence([space, comma, space])
            self.colon = builder.sequence([space, colon, space])
        }
    }

    // MARK: Values

    /// The texts of the values that satisfy `formula`.
    func value(_ formula: Formula, _ builder: inout GrammarBuilder) throws(JSONSchemaError) -> GrammarBuilder.Expression
    {
        var alternatives: [GrammarBuilder.Expression] = []
        for type in JSONTypes.each where try solver.isSatisfiable(formula, as: type) {
            let restricted = try solver.reader.restrict(formula, to: type)
            switch type {
            case .null: alternatives.append(builder.text("null"))
            case .yes: alternatives.append(builder.text("true"))
            case .no: alternatives.append(builder.text("false"))
            case .string: alternatives.append(string(restricted, &builder))
            case .number: alternatives.append(builder.regular(try solver.numberSpellings(restricted)))
            case .array: alternatives.append(builder.lazyRule(source, [RuleKind.array.rawValue, restricted]))
            default: alternatives.append(builder.lazyRule(source, [RuleKind.object.rawValue, restricted]))
            }
        }
        return builder.choice(alternatives)
    }

    private var escapesFreely: Bool { solver.reader.options.stringSpelling == .any }

    private func string(_ formula: Formula, _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        let isListed = solver.finiteStrings(formula) != nil
        return builder.regular(
            solver.stringLanguage(formula), isListed && !escapesFreely ? .canonicalJSONString : .jsonString)
    }

    // MARK: Rules

    /// The body of a rule.
    func body(_ key: [Int32], _ builder: inout GrammarBuilder) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        switch RuleKind(rawValue: key[0]) {
        case .object:
            let plan = try solver.plan(key[1])
            let state = try members(ObjectState.start(of: plan), &builder)
            return builder.sequence([builder.text("{"), space, state])
        case .objectState: return try members(objectState(key), &builder)
        case .array: return try array(key[1], &builder)
        case .arrayState:
            return try items(
                ArrayState(residual: key[1], used: Array(key[3...])), isFirst: key[2] == 1, &builder)
        case nil: return GrammarBuilder.never
        }
    }

    // MARK: Objects

    private func objectRule(_ state: ObjectState, _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        builder.lazyRule(
            source,
            [
                RuleKind.objectState.rawValue, state.plan, state.residual, Int32(state.minimum),
                state.maximum.map { Int32($0) } ?? -1, Int32(state.index), state.isFirst ? 1 : 0,
                Int32(state.seen.count),
            ] + state.seen + state.groups)
    }

    private func objectState(_ key: [Int32]) -> ObjectState {
        ObjectState(
            plan: key[1], residual: key[2], minimum: Int(key[3]), maximum: key[4] < 0 ? nil : Int(key[4]),
            index: Int(key[5]), seen: Array(key[8..<8 + Int(key[7])]), groups: Array(key[(8 + Int(key[7]))...]),
            isFirst: key[6] == 1)
    }

    /// What may stand from `state` on, the closing brace included.
    private func members(
        _ state: ObjectState, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let plan = solver.plans[Int(state.plan)]
        let close = state.isFirst ? builder.text("}") : builder.sequence([space, builder.text("}")])
        var alternatives: [GrammarBuilder.Expression] = []
        let isFree = state.residual == FormulaStore.always && state.maximum == nil
        var others: [GrammarBuilder.Expression] = []
        for choice in try solver.memberChoices(state) {
            let member = try member(choice, of: plan, &builder)
            let isLoop: Bool
            if case .other = choice.key, isFree, state.minimum == 0, !solver.anyOrder {
                isLoop = true
            } else {
                isLoop = false
            }
            if isLoop {
                others.append(member)
                continue
            }
            let next = objectRule(choice.next, &builder)
            alternatives.append(builder.sequence([state.isFirst ? GrammarBuilder.empty : separator, member, next]))
        }
        let mayClose = try solver.mayClose(state)
        if !others.isEmpty {
            // The members that come last repeat without end: one loop, no state for each.
            let other = builder.choice(others)
            let more = builder.repetition(builder.sequence([separator, other]))
            let end = builder.sequence([space, builder.text("}")])
            if state.isFirst {
                alternatives.append(builder.sequence([other, more, end]))
            } else {
                alternatives.append(builder.sequence([more, end]))
                return builder.choice(alternatives)
            }
        }
        if mayClose { alternatives.append(close) }
        return builder.choice(alternatives)
    }

    private func member(
        _ choice: MemberChoice, of plan: ObjectPlan, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let name: GrammarBuilder.Expression
        switch choice.key {
        case .name(let index):
            let text = String(decoding: solver.reader.store.names[Int(plan.names[index].id)], as: UTF8.self)
            name = escapesFreely ? builder.regular(.text(text), .jsonString) : builder.bytes(JSONText.quoted(text))
        case .other(let index): name = builder.regular(plan.classes[index].language, .jsonString)
        case .group(let index, let group):
            let groups = try solver.groups(of: plan.classes[index], index: index, in: plan)
            name = builder.regular(groups[group], .jsonString)
        }
        return builder.sequence([name, colon, try value(choice.value, &builder)])
    }

    // MARK: Arrays

    private func array(_ formula: Formula, _ builder: inout GrammarBuilder) throws(JSONSchemaError)
        -> GrammarBuilder.Expression
    {
        let open = builder.sequence([builder.text("["), space])
        guard let plain = try solver.plainArray(formula) else {
            let state = ArrayState(residual: formula)
            return builder.sequence([open, try items(state, isFirst: true, &builder)])
        }
        let end = builder.sequence([space, builder.text("]")])
        // From the last item back, so that each tail is written once.
        var tail = end
        let count = plain.items.count
        if plain.maximum ?? Int.max > count, try solver.isSatisfiable(plain.rest) {
            let item = builder.sequence([separator, try value(plain.rest, &builder)])
            let more = builder.repetition(
                item, minimum: max(0, plain.minimum - max(count, 1)),
                maximum: plain.maximum.map { $0 - max(count, 1) })
            tail = builder.sequence([more, end])
            if count == 0 {
                let first = builder.sequence([try value(plain.rest, &builder), tail])
                return builder.sequence([
                    open, plain.minimum > 0 ? first : builder.choice([builder.text("]"), first]),
                ])
            }
        }
        for index in plain.items.indices.reversed() {
            let item = try value(plain.items[index], &builder)
            let isLast = plain.minimum <= index + 1
            if index < count - 1, isLast { tail = builder.choice([end, tail]) }
            tail = builder.sequence([index == 0 ? GrammarBuilder.empty : separator, item, tail])
        }
        if count == 0 { return builder.sequence([open, builder.text("]")]) }
        return builder.sequence([open, plain.minimum > 0 ? tail : builder.choice([builder.text("]"), tail])])
    }

    /// What may stand from `state` on, the closing bracket included.
    private func items(
        _ state: ArrayState, isFirst: Bool, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        var alternatives: [GrammarBuilder.Expression] = []
        if try solver.mayEnd(state) {
            alternatives.append(builder.sequence([isFirst ? GrammarBuilder.empty : space, builder.text("]")]))
        }
        var literals: [LiteralTree.Entry] = []
        for choice in try solver.itemChoices(state) where try solver.canEnd(choice.next) {
            let key = [RuleKind.arrayState.rawValue, choice.next.residual, 0] + choice.next.used
            let next = builder.lazyRule(source, key)
            let string = try solver.reader.restrict(choice.item, to: .string)
            if !escapesFreely, !choice.next.used.isEmpty, let list = solver.finiteStrings(string), list.count == 1 {
                let text = String(decoding: list[0], as: UTF8.self)
                literals.append(LiteralTree.Entry(bytes: JSONText.quoted(text), next: next))
            } else {
                let item = try value(choice.item, &builder)
                alternatives.append(builder.sequence([isFirst ? GrammarBuilder.empty : separator, item, next]))
            }
        }
        if !literals.isEmpty {
            let tree = LiteralTree.expression(literals, &builder)
            alternatives.append(builder.sequence([isFirst ? GrammarBuilder.empty : separator, tree]))
        }
        return builder.choice(alternatives)
    }
}
