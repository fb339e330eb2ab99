/// One way to choose what a part of a value (a member or an item) shall satisfy, and what is left to demand of the rest.
struct PartChoice {
    /// Formulas that the part must satisfy.
    var demands: [Formula]
    var residual: Formula
}

/// After a condition was derived by one part, the part's own formulas stand in it as `.part`. Each becomes a decision:
/// where a formula only helps, the alternatives are to demand it or to do without; where its absence matters too, to
/// demand it or its negation. Together the choices admit exactly the values that the derived formula admits.
extension SchemaSolver {
    /// Choices whose demands, together with `always`, some value satisfies.
    func choices(
        _ derived: Formula, beside simple: Formula
    ) throws(JSONSchemaError) -> [PartChoice] {
        var found: [PartChoice] = []
        var pending = [PartChoice(demands: [], residual: derived)]
        while let choice = pending.popLast() {
            try step()
            if choice.residual == FormulaStore.never { continue }
            guard let part = firstPart(in: choice.residual) else {
                found.append(choice)
                if found.count > limits.maximumAlternatives {
                    throw .limitExceeded(
                        bound: "maximumAlternatives", limit: limits.maximumAlternatives, pointer: "#")
                }
                continue
            }
            let yes = try replacing(part, in: choice.residual, by: FormulaStore.always)
            let no = try replacing(part, in: choice.residual, by: FormulaStore.never)
            if yes == no {
                pending.append(PartChoice(demands: choice.demands, residual: yes))
                continue
            }
            let roles = roles(of: part, in: choice.residual, positive: true)
            let demanded = PartChoice(demands: choice.demands + [part], residual: yes)
            let refused = PartChoice(demands: choice.demands + [reader.store.not(part)], residual: no)
            let without = PartChoice(demands: choice.demands, residual: roles.negative ? yes : no)
            // The last one pushed is looked at first.
            var options: [PartChoice] = []
            if roles.positive, roles.negative {
                options = [refused, demanded]
            } else {
                options = [without, roles.positive ? demanded : refused]
            }
            for option in options where option.residual != FormulaStore.never {
                if option.demands.count > choice.demands.count {
                    let demand = reader.store.all([simple] + option.demands)
                    guard try isSatisfiable(demand) else { continue }
                }
                pending.append(option)
            }
        }
        return found
    }

    private func firstPart(in formula: Formula) -> Formula? {
        switch reader.store[formula] {
        case .condition(.part(let part)): part
        case .not(let inner): firstPart(in: inner)
        case .all(let parts), .any(let parts), .one(let parts): parts.lazy.compactMap(firstPart).first
        default: nil
        }
    }

    private func replacing(_ part: Formula, in formula: Formula, by value: Formula) throws(JSONSchemaError) -> Formula {
        let target = FormulaNode.condition(.part(part))
        return try reader.map(formula, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            node == target ? value : leaf
        }
    }

    /// Whether a part's formula can make the whole true by holding (positive) and by failing (negative).
    private func roles(of part: Formula, in formula: Formula, positive: Bool) -> (positive: Bool, negative: Bool) {
        switch reader.store[formula] {
        case .condition(.part(part)): return (positive, !positive)
        case .not(let inner): return roles(of: part, in: inner, positive: !positive)
        case .all(let parts), .any(let parts):
            return parts.reduce((false, false)) { result, next in
                let roles = roles(of: part, in: next, positive: positive)
                return (result.0 || roles.positive, result.1 || roles.negative)
            }
        case .one(let parts):
            return parts.reduce((false, false)) { result, next in
                let roles = roles(of: part, in: next, positive: positive)
                let occurs = roles.positive || roles.negative
                return (result.0 || occurs, result.1 || occurs)
            }
        default: return (false, false)
        }
    }
}
