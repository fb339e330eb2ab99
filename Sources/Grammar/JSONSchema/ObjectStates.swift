/// Where an object stands between members.
struct ObjectState: Hashable {
    var plan: ObjectPlan.ID
    /// What the dependent demands still say.
    var residual: Formula
    /// Fewest and most members still to come.
    var minimum: Int
    var maximum: Int?
    /// With the schema's order: the names before this index are decided, the other members come last.
    var index = 0
    /// With any order: indices of the names that were read, sorted.
    var seen: [Int32] = []
    var isFirst = true

    static func start(of plan: ObjectPlan) -> ObjectState {
        ObjectState(plan: plan.id, residual: plan.dependent, minimum: plan.minimum, maximum: plan.maximum)
    }
}

/// A way to go on with an object.
struct MemberChoice {
    enum Key {
        /// Index into `ObjectPlan.names`.
        case name(Int)
        /// Index into `ObjectPlan.classes`.
        case other(Int)
    }

    var key: Key
    var value: Formula
    var next: ObjectState
}

extension SchemaSolver {
    var anyOrder: Bool { reader.options.propertyOrder == .any }

    /// Whether the object may be closed here.
    func mayClose(_ state: ObjectState) throws(JSONSchemaError) -> Bool {
        guard state.minimum <= 0 else { return false }
        let plan = plans[Int(state.plan)]
        for (index, name) in plan.names.enumerated() where name.isRequired && isUndecided(index, in: state) {
            return false
        }
        if state.residual == FormulaStore.always { return true }
        let rest = try reader.map(state.residual, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            guard case .condition(let condition) = node else { return leaf }
            switch condition {
            case .required: return FormulaStore.never
            case .minimumMembers(let count): return count <= 0 ? FormulaStore.always : FormulaStore.never
            default: return FormulaStore.always
            }
        }
        return rest == FormulaStore.always
    }

    private func isUndecided(_ index: Int, in state: ObjectState) -> Bool {
        anyOrder ? !state.seen.contains(Int32(index)) : index >= state.index
    }

    /// The members that may come next, each with what follows; what could never be completed is left out.
    /// - Parameter searching: to stop at the first, and to pass over members that bring an end no nearer.
    func memberChoices(_ state: ObjectState, searching: Bool = false) throws(JSONSchemaError) -> [MemberChoice] {
        let plan = plans[Int(state.plan)]
        guard state.maximum ?? 1 > 0 else { return [] }
        var result = MemberChoices(isSearch: searching)
        if anyOrder {
            for index in plan.names.indices where isUndecided(index, in: state) {
                try addName(index, of: plan, from: state, to: &result)
                if result.isFound { return result.found }
            }
            try addOthers(of: plan, from: state, to: &result)
            return result.found
        }
        var state = state
        while state.index < plan.names.count {
            try addName(state.index, of: plan, from: state, to: &result)
            if plan.names[state.index].isRequired || result.isFound { return result.found }
            let name = plan.names[state.index].id
            state.residual = try derivedByAbsence(of: name, state.residual)
            state.index += 1
            if state.residual == FormulaStore.never { return result.found }
        }
        try addOthers(of: plan, from: state, to: &result)
        return result.found
    }

    private struct MemberChoices {
        let isSearch: Bool
        var found: [MemberChoice] = []
        var isFound: Bool { isSearch && !found.isEmpty }
    }

    private func addName(
        _ index: Int, of plan: ObjectPlan, from state: ObjectState, to result: inout MemberChoices
    ) throws(JSONSchemaError) {
        let name = plan.names[index]
        var next = state
        next.isFirst = false
        next.minimum = max(0, state.minimum - 1)
        next.maximum = state.maximum.map { $0 - 1 }
        if anyOrder {
            next.seen = (state.seen + [Int32(index)]).sorted()
        } else {
            next.index = index + 1
        }
        try add(.name(index), value: name.value, selectors: name.selectors, name: name.id, next: next, to: &result)
    }

    private func addOthers(
        of plan: ObjectPlan, from state: ObjectState, to result: inout MemberChoices
    ) throws(JSONSchemaError) {
        for (index, other) in plan.classes.enumerated() where !result.isFound {
            var next = state
            next.isFirst = false
            next.minimum = max(0, state.minimum - 1)
            next.maximum = state.maximum.map { $0 - 1 }
            try add(.other(index), value: other.value, selectors: other.selectors, name: nil, next: next, to: &result)
        }
    }

    private func add(
        _ key: MemberChoice.Key, value: Formula, selectors: Set<MemberSelector>, name: NameID?, next: ObjectState,
        to result: inout MemberChoices
    ) throws(JSONSchemaError) {
        if next.residual == FormulaStore.always {
            guard try isSatisfiable(value) else { return }
            if try canEnd(next) { result.found.append(MemberChoice(key: key, value: value, next: next)) }
            return
        }
        let derived = try derived(by: name, selectors: selectors, next.residual)
        if result.isSearch, derived == next.residual, plans[Int(next.plan)].minimum == 0, !isRequired(key, next.plan) { return }
        guard try isSatisfiable(value) else { return }
        for choice in try choices(derived, beside: value) {
            let demand = reader.store.all([value] + choice.demands)
            var next = next
            next.residual = choice.residual
            if try canEnd(next) { result.found.append(MemberChoice(key: key, value: demand, next: next)) }
            if result.isFound { return }
        }
    }

    private func isRequired(_ key: MemberChoice.Key, _ plan: ObjectPlan.ID) -> Bool {
        guard case .name(let index) = key else { return false }
        return plans[Int(plan)].names[index].isRequired
    }

    // MARK: Derivation

    private func derivedByAbsence(of name: NameID, _ formula: Formula) throws(JSONSchemaError) -> Formula {
        if formula == FormulaStore.always { return formula }
        return try reader.map(formula, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            switch node {
            case .condition(.required(name)): FormulaStore.never
            case .condition(.member(name, _)): FormulaStore.always
            default: leaf
            }
        }
    }

    private func derived(
        by name: NameID?, selectors: Set<MemberSelector>, _ formula: Formula
    ) throws(JSONSchemaError) -> Formula {
        try reader.map(formula, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            guard case .condition(let condition) = node else { return leaf }
            switch condition {
            case .required(let other) where other == name: return FormulaStore.always
            case .member(let other, let part) where other == name:
                return self.reader.store.condition(.part(part))
            case .members(let selector, let part) where selectors.contains(selector):
                return self.reader.store.all(self.reader.store.condition(.part(part)), leaf)
            case .minimumMembers(let count):
                return count <= 1 ? FormulaStore.always : self.reader.store.condition(.minimumMembers(count - 1))
            case .maximumMembers(let count):
                return count <= 0 ? FormulaStore.never : self.reader.store.condition(.maximumMembers(count - 1))
            default: return leaf
            }
        }
    }

    // MARK: Completion

    /// Whether the object can be completed from here.
    func canEnd(_ state: ObjectState) throws(JSONSchemaError) -> Bool {
        if state.residual == FormulaStore.never { return false }
        var key = state
        key.isFirst = false
        if let known = objectEnds[key] { return known }
        try step()
        let plan = plans[Int(state.plan)]
        let result: Bool
        if state.residual == FormulaStore.always {
            result = try canEndPlain(state, plan)
        } else if try mayClose(state) {
            result = true
        } else {
            guard stateDepth < limits.maximumStateDepth else {
                throw .limitExceeded(bound: "maximumStateDepth", limit: limits.maximumStateDepth, pointer: "#")
            }
            stateDepth += 1
            defer { stateDepth -= 1 }
            // While the state is open it counts as one that cannot end: an end does not come from a loop.
            objectEnds[key] = false
            result = try !memberChoices(state, searching: true).isEmpty
        }
        objectEnds[key] = result || leastOpen == Int.max ? result : nil
        return result
    }

    private func canEndPlain(_ state: ObjectState, _ plan: ObjectPlan) throws(JSONSchemaError) -> Bool {
        var required = 0
        for (index, name) in plan.names.enumerated() where name.isRequired && isUndecided(index, in: state) {
            guard try isSatisfiable(name.value) else { return false }
            required += 1
        }
        if let maximum = state.maximum, maximum < max(required, state.minimum) { return false }
        var missing = state.minimum - required
        if missing <= 0 { return true }
        for (index, name) in plan.names.enumerated() where !name.isRequired && isUndecided(index, in: state) {
            guard try isSatisfiable(name.value) else { continue }
            missing -= 1
            if missing <= 0 { return true }
        }
        for other in plan.classes where try isSatisfiable(other.value) { return true }
        return false
    }
}
