/// Writes formulas as grammar expressions.
struct SchemaGrammar {
    let solver: SchemaSolver
    let source: GrammarBuilder.Source
    /// Between tokens of the JSON text.
    let space: GrammarBuilder.Expression
    private let separator: GrammarBuilder.Expression
    private let frame: ObjectFrame

    /// First element of a rule's key.
    enum RuleKind: Int32 {
        case object, objectState, arguments, argumentState, array, arrayState
    }

    private var notation: ArgumentNotation? { solver.reader.options.arguments }
    private var isPython: Bool { notation == .python }

    init(solver: SchemaSolver, source: GrammarBuilder.Source, builder: inout GrammarBuilder) {
        self.solver = solver
        self.source = source
        let comma = builder.text(",")
        let colon: GrammarBuilder.Expression
        switch solver.reader.options.whitespace {
        case .compact where solver.reader.options.arguments != .python:
            space = GrammarBuilder.empty
            separator = comma
            colon = builder.text(":")
        case .compact, .spaced:
            space = GrammarBuilder.empty
            separator = builder.text(", ")
            colon = builder.text(": ")
        case .flexible(let maximum):
            let blank = RegularLanguage.set(CodePointSet([0x20, 0x09, 0x0A, 0x0D] as [UInt32]))
            space = builder.regular(blank.repeated(0, max(0, maximum)))
            separator = builder.sequence([space, comma, space])
            colon = builder.sequence([space, builder.text(":"), space])
        }
        frame = ObjectFrame(space: space, separator: separator, colon: colon, &builder)
    }

    // MARK: Values

    /// The texts of the values that satisfy `formula`.
    func value(_ formula: Formula, _ builder: inout GrammarBuilder) throws(JSONSchemaError) -> GrammarBuilder.Expression
    {
        var alternatives: [GrammarBuilder.Expression] = []
        for type in JSONTypes.each where try solver.isSatisfiable(formula, as: type) {
            let restricted = try solver.reader.restrict(formula, to: type)
            switch type {
            case .null: alternatives.append(builder.text(isPython ? "None" : "null"))
            case .yes: alternatives.append(builder.text(isPython ? "True" : "true"))
            case .no: alternatives.append(builder.text(isPython ? "False" : "false"))
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
        if let list = solver.finiteStrings(formula), !escapesFreely {
            return builder.literals(list.map { JSONText.quoted(String(decoding: $0, as: UTF8.self)) })
        }
        if notation == nil, case .condition(.language(let id)) = solver.reader.store[formula],
            let format = solver.reader.formatsOfLanguages[id]
        {
            return builder.strings(of: format)
        }
        let language = expressible(solver.stringLanguage(formula))
        // Python knows nearly all of JSON's escapes, and the canonical ones.
        return builder.regular(language, isPython ? .canonicalJSONString : .jsonString)
    }

    private func expressible(_ strings: RegularLanguage) -> RegularLanguage {
        notation?.strings.map(strings.intersection) ?? strings
    }

    // MARK: Rules

    /// The body of a rule.
    func body(_ key: [Int32], _ builder: inout GrammarBuilder) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        switch RuleKind(rawValue: key[0]) {
        case .object:
            let plan = try solver.plan(key[1])
            return builder.sequence([frame.open, try members(ObjectState.start(of: plan), frame, &builder)])
        case .objectState: return try members(objectState(key), frame, &builder)
        case .arguments:
            let plan = try solver.plan(key[1])
            return try members(ObjectState.start(of: plan), argumentFrame(&builder), &builder)
        case .argumentState: return try members(objectState(key), argumentFrame(&builder), &builder)
        case .array: return try array(key[1], &builder)
        case .arrayState:
            return try items(
                ArrayState(residual: key[1], used: Array(key[3...])), isFirst: key[2] == 1, &builder)
        case nil: return GrammarBuilder.never
        }
    }

    // MARK: Objects

    /// The outermost object in the notation of arguments.
    func arguments(
        _ formula: Formula, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        builder.lazyRule(source, [RuleKind.arguments.rawValue, try solver.reader.restrict(formula, to: .object)])
    }

    private func argumentFrame(_ builder: inout GrammarBuilder) -> ObjectFrame {
        notation.map { ObjectFrame($0, separator: separator, &builder) } ?? frame
    }

    private func objectRule(
        _ state: ObjectState, _ frame: ObjectFrame, _ builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        builder.lazyRule(
            source,
            [
                frame.rule.rawValue, state.plan, state.residual, Int32(state.minimum),
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
        _ state: ObjectState, _ frame: ObjectFrame, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let plan = solver.plans[Int(state.plan)]
        if let chained = try nextMember(state, of: plan, frame, &builder) { return chained }
        let close = state.isFirst ? frame.closeEmpty : frame.close
        let separator = frame.separator
        var alternatives: [GrammarBuilder.Expression] = []
        let isFree = state.residual == FormulaStore.always && state.maximum == nil
        var others: [GrammarBuilder.Expression] = []
        for choice in try solver.memberChoices(state) {
            let member = try member(choice, of: plan, frame, &builder)
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
            let next = objectRule(choice.next, frame, &builder)
            alternatives.append(builder.sequence([state.isFirst ? GrammarBuilder.empty : separator, member, next]))
        }
        let mayClose = try solver.mayClose(state)
        if !others.isEmpty {
            // The members that come last repeat without end: one loop, no state for each.
            let other = builder.choice(others)
            let more = builder.repetition(builder.sequence([separator, other]))
            let end = frame.close
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

    /// In the schema's order: the next named member, or what may stand there without it. Each place is written once, not
    /// once for every member that it can be reached from. Nil where names are not taken one by one.
    private func nextMember(
        _ state: ObjectState, of plan: ObjectPlan, _ frame: ObjectFrame, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression? {
        guard !solver.anyOrder, state.residual == FormulaStore.always, state.index < plan.names.count,
            state.maximum ?? 1 > 0
        else { return nil }
        var alternatives: [GrammarBuilder.Expression] = []
        if let choice = try solver.nextNamed(state) {
            let member = try member(choice, of: plan, frame, &builder)
            let next = objectRule(choice.next, frame, &builder)
            let separator = state.isFirst ? GrammarBuilder.empty : frame.separator
            alternatives.append(builder.sequence([separator, member, next]))
        }
        if !plan.names[state.index].isRequired {
            var without = state
            without.index += 1
            if try solver.canEnd(without) { alternatives.append(objectRule(without, frame, &builder)) }
        }
        return builder.choice(alternatives)
    }

    private func member(
        _ choice: MemberChoice, of plan: ObjectPlan, _ frame: ObjectFrame, _ builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let name: GrammarBuilder.Expression
        var text: String?
        switch choice.key {
        case .name(let index):
            let known = String(decoding: solver.reader.store.names[Int(plan.names[index].id)], as: UTF8.self)
            text = known
            if frame.namesAreBare {
                name = builder.text(known)
            } else {
                name =
                    escapesFreely ? builder.regular(.text(known), .jsonString) : builder.bytes(JSONText.quoted(known))
            }
        case .other(let index): name = self.name(plan.classes[index].language, frame, &builder)
        case .group(let index, let group):
            let groups = try solver.groups(of: plan.classes[index], index: index, in: plan)
            name = self.name(groups[group], frame, &builder)
        }
        let value: GrammarBuilder.Expression
        if let text, frame.texts.contains(text) {
            value = builder.regular(solver.stringLanguage(try solver.reader.restrict(choice.value, to: .string)))
        } else {
            value = try self.value(choice.value, &builder)
        }
        return builder.sequence([frame.beforeName, name, frame.colon, value, frame.afterValue])
    }

    private func name(
        _ language: RegularLanguage, _ frame: ObjectFrame, _ builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        if frame.namesAreBare { return builder.regular(language) }
        return builder.regular(expressible(language), isPython ? .canonicalJSONString : .jsonString)
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
