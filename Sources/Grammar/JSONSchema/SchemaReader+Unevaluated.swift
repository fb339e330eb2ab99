/// `unevaluatedProperties` and `unevaluatedItems`: what the schemas that apply to the same value have not looked at.
/// Which do apply can depend on the value, so a schema becomes alternatives, one for each set of subschemas that hold,
/// and within an alternative the rest is known.
extension SchemaReader {
    /// The parts of a value that a schema has looked at.
    struct Coverage: Hashable {
        var allMembers = false
        var names: Set<NameID> = []
        var languages: Set<LanguageID> = []
        var allItems = false
        var prefix = 0
        /// Items that satisfy one of these.
        var contained: Set<Formula> = []

        var isEmpty: Bool { self == Coverage() }

        func union(_ other: Coverage) -> Coverage {
            var result = self
            result.allMembers = allMembers || other.allMembers
            result.names.formUnion(other.names)
            result.languages.formUnion(other.languages)
            result.allItems = allItems || other.allItems
            result.prefix = max(prefix, other.prefix)
            result.contained.formUnion(other.contained)
            return result
        }
    }

    /// One way for a schema to hold. The formulas of a schema's evaluations together say exactly what it demands.
    struct Evaluation {
        var formula: Formula
        var coverage = Coverage()
    }

    func evaluations(of place: Place, depth: Int) throws(JSONSchemaError) -> [Evaluation] {
        guard case .object(let members) = document[place] else {
            return [Evaluation(formula: try demand(of: place))]
        }
        guard depth <= 32 else {
            throw unsupported("unevaluatedProperties", place, "the schemas beside it refer to each other too deeply")
        }
        var result = [Evaluation(formula: FormulaStore.always)]
        let assertions = try assertions(of: members, at: place)
        let present = Dictionary(
            members.compactMap { member in SchemaKeyword(member.name).map { ($0, member.value) } },
            uniquingKeysWith: { $1 })
        let schema = SchemaKeywords(place: place, present: present)
        for assertion in assertions {
            let alternatives = try evaluations(of: assertion, in: schema, depth: depth + 1)
            result = try product(result, alternatives, at: place)
        }
        if let rest = schema[.unevaluatedProperties] {
            let demand = try subschema(rest)
            for index in result.indices where !result[index].coverage.allMembers {
                let coverage = result[index].coverage
                let selector = MemberSelector.others(
                    names: coverage.names.sorted(), languages: coverage.languages.sorted())
                let condition = store.condition(.members(selector, demand))
                result[index].formula = store.all(result[index].formula, condition)
                result[index].coverage.allMembers = true
            }
        }
        if let rest = schema[.unevaluatedItems] {
            let demand = try subschema(rest)
            for index in result.indices where !result[index].coverage.allItems {
                let coverage = result[index].coverage
                let either = store.any(coverage.contained.sorted() + [demand])
                let condition = store.condition(.items(from: coverage.prefix, either))
                result[index].formula = store.all(result[index].formula, condition)
                result[index].coverage.allItems = true
            }
        }
        return try merged(result, at: place)
    }

    private func evaluations(
        of assertion: Assertion, in schema: SchemaKeywords, depth: Int
    ) throws(JSONSchemaError) -> [Evaluation] {
        let value = schema[assertion.keyword] ?? assertion.place
        var own = Evaluation(formula: assertion.formula)
        switch assertion.keyword {
        case .properties:
            own.coverage.names = Set(try members(value, .properties).map { store.name($0.name) })
        case .patternProperties:
            for member in try members(value, .patternProperties) {
                own.coverage.languages.insert(
                    try patternLanguage(member.name, keyword: "patternProperties", at: member.value))
            }
        case .additionalProperties: own.coverage.allMembers = true
        case .prefixItems: own.coverage.prefix = try list(value, .prefixItems).count
        case .items:
            if case .array(let elements) = document[value] {
                own.coverage.prefix = elements.count
            } else {
                own.coverage.allItems = true
            }
        case .additionalItems:
            if let items = schema[.items], case .array = document[items] { own.coverage.allItems = true }
        case .contains where references.draft >= .draft2020: own.coverage.contained = [try subschema(value)]
        case .reference:
            return try evaluations(of: try references.resolve(document.string(value) ?? "", at: value), depth: depth)
        case .allOf:
            var result = [Evaluation(formula: FormulaStore.always)]
            for child in try list(value, .allOf) {
                result = try product(result, try evaluations(of: child, depth: depth), at: value)
            }
            return result
        case .anyOf: return try alternatives(try list(value, .anyOf), exclusive: false, at: value, depth: depth)
        case .oneOf: return try alternatives(try list(value, .oneOf), exclusive: true, at: value, depth: depth)
        case .if:
            let test = try evaluations(of: value, depth: depth)
            let failed = Evaluation(formula: store.not(try subschema(value)))
            var yes = test
            var no = [failed]
            if let then = schema[.then] { yes = try product(test, try evaluations(of: then, depth: depth), at: value) }
            if let other = schema[.else] {
                no = try product(no, try evaluations(of: other, depth: depth), at: value)
            }
            return yes + no
        case .dependentSchemas, .dependencies:
            var result = [Evaluation(formula: assertion.formula)]
            for member in try members(value, assertion.keyword) {
                guard case .object = document[member.value] else { continue }
                let required = store.condition(.required(store.name(member.name)))
                let present = Evaluation(formula: store.all(store.types(.object), required))
                let absent = Evaluation(formula: store.not(present.formula))
                let applied = try product([present], try evaluations(of: member.value, depth: depth), at: value)
                result = try product(result, applied + [absent], at: value)
            }
            return result
        case .dynamicReference, .recursiveReference:
            let target = try references.resolveDynamic(
                document.string(value) ?? "", keyword: assertion.keyword.rawValue, at: value)
            return try evaluations(of: target, depth: depth)
        default: break
        }
        return [own]
    }

    /// The evaluations of `anyOf` or `oneOf`: one for each set of covering children that hold.
    private func alternatives(
        _ children: [Place], exclusive: Bool, at place: Place, depth: Int
    ) throws(JSONSchemaError) -> [Evaluation] {
        var plain: [Formula] = []
        var covering: [(formula: Formula, evaluations: [Evaluation])] = []
        for child in children {
            let evaluations = try evaluations(of: child, depth: depth)
            let formula = try subschema(child)
            if evaluations.allSatisfy(\.coverage.isEmpty) {
                plain.append(formula)
            } else {
                covering.append((formula, evaluations))
            }
        }
        let others = exclusive ? store.one(plain) : store.any(plain)
        let none = store.not(store.any(plain))
        var result: [(evaluation: Evaluation, held: Int)] = [(Evaluation(formula: FormulaStore.always), 0)]
        for child in covering {
            var next: [(evaluation: Evaluation, held: Int)] = []
            for entry in result {
                let failed = store.all(entry.evaluation.formula, store.not(child.formula))
                next.append((Evaluation(formula: failed, coverage: entry.evaluation.coverage), entry.held))
                if exclusive, entry.held > 0 { continue }
                for held in try product([entry.evaluation], child.evaluations, at: place) {
                    next.append((held, entry.held + 1))
                }
            }
            result = next
            try checkCount(result.count, at: place)
        }
        return result.map { entry in
            var evaluation = entry.evaluation
            if entry.held == 0 {
                evaluation.formula = store.all(evaluation.formula, others)
            } else if exclusive {
                evaluation.formula = store.all(evaluation.formula, none)
            }
            return evaluation
        }
    }

    private func product(
        _ left: [Evaluation], _ right: [Evaluation], at place: Place
    ) throws(JSONSchemaError) -> [Evaluation] {
        try checkCount(left.count * right.count, at: place)
        var result: [Evaluation] = []
        for first in left {
            for second in right {
                let formula = store.all(first.formula, second.formula)
                if formula == FormulaStore.never { continue }
                result.append(Evaluation(formula: formula, coverage: first.coverage.union(second.coverage)))
            }
        }
        return try merged(result, at: place)
    }

    private func merged(_ evaluations: [Evaluation], at place: Place) throws(JSONSchemaError) -> [Evaluation] {
        guard evaluations.count > 1 else { return evaluations }
        var order: [Coverage] = []
        var formulas: [Coverage: [Formula]] = [:]
        for evaluation in evaluations {
            if formulas[evaluation.coverage] == nil { order.append(evaluation.coverage) }
            formulas[evaluation.coverage, default: []].append(evaluation.formula)
        }
        return order.map { Evaluation(formula: store.any(formulas[$0] ?? []), coverage: $0) }
    }

    private func checkCount(_ count: Int, at place: Place) throws(JSONSchemaError) {
        guard count <= limits.maximumAlternatives else {
            throw .limitExceeded(
                bound: "maximumAlternatives", limit: limits.maximumAlternatives, pointer: document.pointer(place))
        }
    }
}
