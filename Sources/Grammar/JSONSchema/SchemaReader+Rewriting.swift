/// Results of one mapping of formulas.
final class FormulaMemo {
    var results: [Formula: Formula] = [:]
}

/// Rewriting of formulas leaf by leaf.
extension SchemaReader {
    /// Rebuilds a formula with each leaf (type set, condition, schema) replaced. `known` keeps the results of one
    /// mapping.
    func map(
        _ formula: Formula, known: FormulaMemo,
        leaf: (Formula, FormulaNode) throws(JSONSchemaError) -> Formula
    ) throws(JSONSchemaError) -> Formula {
        if let result = known.results[formula] { return result }
        let result: Formula
        let node = store[formula]
        switch node {
        case .never, .always: return formula
        case .types, .condition, .schema: result = try leaf(formula, node)
        case .not(let inner): result = store.not(try map(inner, known: known, leaf: leaf))
        case .all(let parts):
            var mapped: [Formula] = []
            for part in parts {
                let next = try map(part, known: known, leaf: leaf)
                if next == FormulaStore.never {
                    mapped = [next]
                    break
                }
                mapped.append(next)
            }
            result = store.all(mapped)
        case .any(let parts):
            var mapped: [Formula] = []
            for part in parts { mapped.append(try map(part, known: known, leaf: leaf)) }
            result = store.any(mapped)
        case .one(let parts):
            var mapped: [Formula] = []
            for part in parts { mapped.append(try map(part, known: known, leaf: leaf)) }
            result = store.one(mapped)
        }
        known.results[formula] = result
        return result
    }

    /// The formula of a subschema: its demand itself where that speaks of scalars only, so that equal subschemas at
    /// different places are equal formulas.
    func subschema(_ place: Place) throws(JSONSchemaError) -> Formula {
        guard case .object(let members) = document[place] else { return try demand(of: place) }
        for member in members {
            guard let keyword = SchemaKeyword(member.name) else { continue }
            switch keyword {
            case .type, .nullable, .minLength, .maxLength, .pattern, .format, .minimum, .maximum, .exclusiveMinimum,
                .exclusiveMaximum, .multipleOf, .enum, .const:
                continue
            default: return store.schema(place)
            }
        }
        return try demand(of: place)
    }

    /// What a formula says of values of one type: conditions on other types hold, references are followed.
    /// - Throws: `unresolvedReference` when a reference leads to itself without entering a part of the value.
    func restrict(_ formula: Formula, to type: JSONTypes) throws(JSONSchemaError) -> Formula {
        let known = restrictions[type.rawValue.trailingZeroBitCount]
        return try map(formula, known: known) { (leaf, node) throws(JSONSchemaError) in
            switch node {
            case .types(let types): return types.contains(type) ? FormulaStore.always : FormulaStore.never
            case .condition(let condition): return condition.type == type ? leaf : FormulaStore.always
            case .schema(let place):
                let key = Expansion(place: place, type: type)
                guard expanding.insert(key).inserted else {
                    throw .unresolvedReference(
                        reference: document.pointer(place), pointer: document.pointer(place),
                        reason: "it leads to itself")
                }
                defer { expanding.remove(key) }
                guard expanding.count <= limits.maximumReferenceChain else {
                    throw .limitExceeded(
                        bound: "maximumReferenceChain", limit: limits.maximumReferenceChain,
                        pointer: document.pointer(place))
                }
                return try restrict(try demand(of: place), to: type)
            default: return leaf
            }
        }
    }

    struct Expansion: Hashable {
        var place: Place
        var type: JSONTypes
    }

    /// Reads every schema that is reachable from `root`, so that what cannot be enforced is refused now.
    func checkAll(from root: Formula) throws(JSONSchemaError) {
        var seen: Set<Formula> = [root]
        var pending = [root]
        func visit(_ formula: Formula) { if seen.insert(formula).inserted { pending.append(formula) } }
        while let formula = pending.popLast() {
            switch store[formula] {
            case .never, .always, .types: break
            case .schema(let place): visit(try demand(of: place))
            case .not(let inner): visit(inner)
            case .all(let parts), .any(let parts), .one(let parts): parts.forEach(visit)
            case .condition(let condition):
                switch condition {
                case .item(_, let part), .items(_, let part), .contains(let part, _, _), .member(_, let part):
                    visit(part)
                case .members(let selector, let part):
                    visit(part)
                    if case .violating(let names) = selector { visit(names) }
                default: break
                }
            }
            guard seen.count <= limits.maximumSchemaSteps else {
                throw .limitExceeded(bound: "maximumSchemaSteps", limit: limits.maximumSchemaSteps, pointer: "#")
            }
        }
    }
}
