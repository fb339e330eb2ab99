/// An object's demands, sorted: which names are special, into which classes all other names fall, and what is demanded
/// of the members of each. Demands that depend on each other stay a formula that is derived member by member.
final class ObjectPlan {
    typealias ID = Int32

    struct Name {
        var id: NameID
        /// What the member's value must satisfy in any case.
        var value: Formula
        var isRequired: Bool
        /// Selectors of the dependent demands that speak of this member.
        var selectors: Set<MemberSelector>
    }

    /// Names without special meaning that are treated alike.
    struct NameClass {
        var language: RegularLanguage
        var value: Formula
        var selectors: Set<MemberSelector>
    }

    let id: ID
    var names: [Name] = []
    var classes: [NameClass] = []
    var minimum = 0
    var maximum: Int?
    /// Demands that span members.
    var dependent = FormulaStore.always

    /// Groups of free names, by class, where they were needed.
    var groups: [Int: [RegularLanguage]] = [:]

    init(id: ID) { self.id = id }

    var isPlain: Bool { dependent == FormulaStore.always }
    var isCounted: Bool { minimum > 0 || maximum != nil }
}

extension SchemaSolver {
    /// The plan of a formula that was restricted to objects.
    func plan(_ formula: Formula) throws(JSONSchemaError) -> ObjectPlan {
        if let known = objectPlans[formula] { return known }
        let plan = ObjectPlan(id: ObjectPlan.ID(plans.count))
        plans.append(plan)
        objectPlans[formula] = plan
        var parts = [formula]
        if case .all(let inner) = reader.store[formula] { parts = inner }
        var names = NameOrder()
        var required: Set<NameID> = []
        var byName: [NameID: [Formula]] = [:]
        var selected: [(selector: MemberSelector, value: Formula)] = []
        var dependent: [Formula] = []
        var listed: [NameID] = []
        for part in parts {
            switch reader.store[part] {
            case .condition(.required(let name)):
                required.insert(name)
                names.add(name)
            case .condition(.member(let name, let value)):
                byName[name, default: []].append(value)
                names.add(name)
            case .condition(.members(let selector, let value)):
                selected.append((selector, value))
                if case .others(let others, _) = selector { listed += others }
            case .condition(.minimumMembers(let count)): plan.minimum = max(plan.minimum, count)
            case .condition(.maximumMembers(let count)): plan.maximum = min(plan.maximum ?? count, count)
            default:
                dependent.append(part)
                collectNames(part, into: &names, listed: &listed)
            }
        }
        for name in listed { names.add(name) }
        plan.dependent = reader.store.all(dependent)
        var dependentSelectors: [MemberSelector] = []
        collectSelectors(plan.dependent, into: &dependentSelectors)
        let selectors = selected.map(\.selector) + dependentSelectors
        for name in names.order {
            var matching: Set<MemberSelector> = []
            for selector in selectors where try applies(selector, to: name) { matching.insert(selector) }
            let values = (byName[name] ?? []) + selected.filter { matching.contains($0.selector) }.map(\.value)
            plan.names.append(
                ObjectPlan.Name(
                    id: name, value: reader.store.all(values), isRequired: required.contains(name),
                    selectors: matching))
        }
        try addClasses(to: plan, selectors: selectors, selected: selected)
        return plan
    }

    private struct NameOrder {
        var order: [NameID] = []
        private var seen: Set<NameID> = []

        mutating func add(_ name: NameID) { if seen.insert(name).inserted { order.append(name) } }
    }

    private func collectNames(_ formula: Formula, into names: inout NameOrder, listed: inout [NameID]) {
        switch reader.store[formula] {
        case .condition(.required(let name)): listed.append(name)
        case .condition(.member(let name, _)): names.add(name)
        case .condition(.members(.others(let others, _), _)): listed += others
        case .not(let inner): collectNames(inner, into: &names, listed: &listed)
        case .all(let parts), .any(let parts), .one(let parts):
            for part in parts { collectNames(part, into: &names, listed: &listed) }
        default: break
        }
    }

    private func collectSelectors(_ formula: Formula, into selectors: inout [MemberSelector]) {
        switch reader.store[formula] {
        case .condition(.members(let selector, _)): selectors.append(selector)
        case .not(let inner): collectSelectors(inner, into: &selectors)
        case .all(let parts), .any(let parts), .one(let parts):
            for part in parts { collectSelectors(part, into: &selectors) }
        default: break
        }
    }

    private func applies(_ selector: MemberSelector, to name: NameID) throws(JSONSchemaError) -> Bool {
        let bytes = reader.store.names[Int(name)]
        switch selector {
        case .matching(let language):
            return reader.languages[Int(language)].contains(String(decoding: bytes, as: UTF8.self))
        case .others(let names, let languages):
            if names.contains(name) { return false }
            let text = String(decoding: bytes, as: UTF8.self)
            return !languages.contains { reader.languages[Int($0)].contains(text) }
        case .violating(let formula):
            return !holds(try reader.restrict(formula, to: .string), for: bytes)
        }
    }

    /// Splits all names that are not special by the languages of the selectors.
    private func addClasses(
        to plan: ObjectPlan, selectors: [MemberSelector], selected: [(selector: MemberSelector, value: Formula)]
    ) throws(JSONSchemaError) {
        // No other names at all is by far the most common case.
        var languages: [RegularLanguage] = []
        func add(_ language: RegularLanguage) { if !languages.contains(language) { languages.append(language) } }
        var violated: [MemberSelector: RegularLanguage] = [:]
        for selector in selectors {
            switch selector {
            case .matching(let id): add(reader.languages[Int(id)])
            case .others(_, let ids): ids.forEach { add(reader.languages[Int($0)]) }
            case .violating(let formula):
                let language = stringLanguage(try reader.restrict(formula, to: .string)).complement
                violated[selector] = language
                add(language)
            }
        }
        let special = RegularLanguage.texts(
            plan.names.map { String(decoding: reader.store.names[Int($0.id)], as: UTF8.self) })
        var classes: [(language: RegularLanguage, inside: Set<RegularLanguage>)] = [
            (plan.names.isEmpty ? .anyText : special.complement, [])
        ]
        for language in languages {
            var next: [(language: RegularLanguage, inside: Set<RegularLanguage>)] = []
            for entry in classes {
                let inside = entry.language.intersection(language)
                let outside = entry.language.subtracting(language)
                if try hasText(inside) { next.append((inside, entry.inside.union([language]))) }
                if try hasText(outside) { next.append((outside, entry.inside)) }
            }
            classes = next
            if classes.count > limits.maximumAlternatives {
                throw .limitExceeded(
                    bound: "maximumAlternatives", limit: limits.maximumAlternatives, pointer: "#")
            }
        }
        var merged: [MergedClass: RegularLanguage] = [:]
        var order: [MergedClass] = []
        for entry in classes {
            let matching = Set(
                selectors.filter { selector in
                    switch selector {
                    case .matching(let id): entry.inside.contains(reader.languages[Int(id)])
                    case .others(_, let ids): !ids.contains { entry.inside.contains(reader.languages[Int($0)]) }
                    case .violating: violated[selector].map { entry.inside.contains($0) } ?? false
                    }
                })
            let value = reader.store.all(selected.filter { matching.contains($0.selector) }.map(\.value))
            let key = MergedClass(value: value, selectors: plan.isPlain ? [] : matching)
            if let known = merged[key] {
                merged[key] = known.union(entry.language)
            } else {
                merged[key] = entry.language
                order.append(key)
            }
        }
        plan.classes = order.map {
            ObjectPlan.NameClass(language: merged[$0] ?? .nothing, value: $0.value, selectors: $0.selectors)
        }
    }

    private struct MergedClass: Hashable {
        var value: Formula
        var selectors: Set<MemberSelector>
    }

    private func hasText(_ language: RegularLanguage) throws(JSONSchemaError) -> Bool {
        try !wrap { () throws(GrammarError) in try language.isEmpty(limits) }
    }
}
