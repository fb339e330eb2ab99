/// Reads ahead, so that most of what could be refused is refused before any text is matched.
extension SchemaSolver {
    /// Visits the values inside values that satisfy `start`, up to a number of them.
    func survey(from start: Formula, limit: Int = 512) throws(JSONSchemaError) {
        var seen: Set<Formula> = [start]
        var pending = [start]
        func visit(_ formula: Formula) { if seen.insert(formula).inserted { pending.append(formula) } }
        var next = 0
        while next < pending.count, next < limit {
            let formula = pending[next]
            next += 1
            if try isSatisfiable(formula, as: .object) {
                let plan = try plan(try reader.restrict(formula, to: .object))
                for name in plan.names { visit(name.value) }
                for other in plan.classes { visit(other.value) }
            }
            if try isSatisfiable(formula, as: .array) {
                let restricted = try reader.restrict(formula, to: .array)
                if let plain = try plainArray(restricted) {
                    for item in plain.items { visit(item) }
                    visit(plain.rest)
                } else {
                    for item in try items(from: ArrayState(residual: restricted)) { visit(item) }
                }
            }
        }
    }

    /// What the items of an array may have to satisfy, along the states that differ in their demands.
    private func items(from start: ArrayState, limit: Int = 64) throws(JSONSchemaError) -> [Formula] {
        var seen: Set<Formula> = [start.residual]
        var pending = [start]
        var items: [Formula] = []
        var next = 0
        while next < pending.count, next < limit {
            for choice in try itemChoices(pending[next]) {
                if choice.next.used.isEmpty { items.append(choice.item) }
                if seen.insert(choice.next.residual).inserted { pending.append(choice.next) }
            }
            next += 1
        }
        return items
    }
}
