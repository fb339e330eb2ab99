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
    /// Groups of free names that may not come again, sorted.
    var groups: [Int32] = []
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
        /// Index into `ObjectPlan.classes` and into the groups of that class.
        case group(Int, Int)
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

    /// The named member at the state's index, if it may come next; nothing may depend on which members there are.
    func nextNamed(_ state: ObjectState) throws(JSONSchemaError) -> MemberChoice? {
        var result = MemberChoices(isSearch: true)
        try addName(state.index, of: plans[Int(state.plan)], from: state, to: &result)
        return result.found.first
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
            var found = MemberChoices(isSearch: result.isSearch)
            try add(.other(index), value: other.value, selectors: other.selectors, name: nil, next: next, to: &found)
            for choice in found.found {
                let isWitness = state.minimum > 0 || choice.next.residual != state.residual
                if reader.options.countsRepeatedNames || (!isWitness && state.groups.isEmpty) {
                    result.found.append(choice)
                    continue
                }
                for group in try groups(of: other, index: index, in: plan).indices where !result.isFound {
                    let id = Self.groupID(ofClass: index, group: group)
                    if state.groups.contains(id) { continue }
                    var choice = choice
                    choice.key = .group(index, group)
                    if isWitness { choice.next.groups = (state.groups + [id]).sorted() }
                    // Once the minimum is reached, a repeated name does no harm.
                    if choice.next.minimum == 0, plan.isPlain { choice.next.groups = [] }
                    if try canEnd(choice.next) { result.found.append(choice) }
                }
            }
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
        if result.isSearch, derived == next.residual, plans[Int(next.plan)].minimum == 0, !isRequired(key, next.plan) {
            return
        }
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
        return try answer(.object(key)) { () throws(JSONSchemaError) in
            if state.residual == FormulaStore.always { return try canEndPlain(state, plans[Int(state.plan)]) }
            if try mayClose(state) { return true }
            return try !memberChoices(state, searching: true).isEmpty
        }
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
        for (index, other) in plan.classes.enumerated() where try isSatisfiable(other.value) {
            if reader.options.countsRepeatedNames || (missing == 1 && state.groups.isEmpty) { return true }
            let groups = try groups(of: other, index: index, in: plan)
            missing -= groups.indices.count { !state.groups.contains(Self.groupID(ofClass: index, group: $0)) }
            if missing <= 0 { return true }
        }
        return false
    }
}
