/// Where an array stands: what is still demanded of the items to come.
struct ArrayState: Hashable {
    /// Restricted to arrays; indices and counts are those of the items still to be read.
    var residual: Formula
    /// Formulas of the values read so far, kept while `uniqueItems` matters, sorted.
    var used: [Formula] = []
}

extension SchemaSolver {
    /// Whether the array may end here.
    func mayEnd(_ state: ArrayState) throws(JSONSchemaError) -> Bool {
        let rest = try reader.map(state.residual, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            guard case .condition(let condition) = node else { return leaf }
            switch condition {
            case .minimumItems(let count): return count <= 0 ? FormulaStore.always : FormulaStore.never
            case .contains(_, let minimum, _): return minimum <= 0 ? FormulaStore.always : FormulaStore.never
            default: return FormulaStore.always
            }
        }
        return rest == FormulaStore.always
    }

    /// The demands of a plain array, in which no decision spans items: nil when there is one that does.
    struct PlainArray {
        var items: [Formula]
        var rest: Formula
        var minimum: Int
        var maximum: Int?
    }

    func plainArray(_ formula: Formula) throws(JSONSchemaError) -> PlainArray? {
        var parts = [formula]
        if case .all(let inner) = reader.store[formula] { parts = inner }
        var items: [Int: [Formula]] = [:]
        var rests: [(from: Int, part: Formula)] = []
        var minimum = 0
        var maximum: Int?
        var needsUnique = false
        for part in parts {
            switch reader.store[part] {
            case .always: break
            case .condition(.item(let index, let item)): items[index, default: []].append(item)
            case .condition(.items(let from, let item)): rests.append((from, item))
            case .condition(.minimumItems(let count)): minimum = max(minimum, count)
            case .condition(.maximumItems(let count)): maximum = min(maximum ?? count, count)
            case .condition(.unique): needsUnique = true
            default: return nil
            }
        }
        let length = max((items.keys.max() ?? -1) + 1, rests.map(\.from).max() ?? 0)
        var plain = PlainArray(items: [], rest: FormulaStore.always, minimum: minimum, maximum: maximum)
        for index in 0..<length {
            plain.items.append(reader.store.all((items[index] ?? []) + rests.filter { $0.from <= index }.map(\.part)))
        }
        plain.rest = reader.store.all(rests.map(\.part))
        for (index, item) in plain.items.enumerated() {
            if let maximum = plain.maximum, index >= maximum { break }
            if try !isSatisfiable(item) {
                plain.maximum = index
                break
            }
        }
        if plain.maximum ?? Int.max > length, try !isSatisfiable(plain.rest) { plain.maximum = length }
        if let maximum = plain.maximum, maximum < length { plain.items.removeSubrange(maximum...) }
        // One item is always unique.
        if needsUnique, plain.maximum ?? Int.max > 1 { return nil }
        return plain
    }

    /// The ways to read one more item: what it must satisfy, and where the array then stands.
    func itemChoices(_ state: ArrayState) throws(JSONSchemaError) -> [(item: Formula, next: ArrayState)] {
        let derived = try derivedByItem(state.residual)
        var result: [(item: Formula, next: ArrayState)] = []
        for choice in try choices(derived, beside: FormulaStore.always) {
            let item = reader.store.all(choice.demands)
            guard try isSatisfiable(item) else { continue }
            guard let unique = uniquePlace(in: choice.residual) else {
                result.append((item, ArrayState(residual: choice.residual)))
                continue
            }
            guard let values = try values(of: item, limit: limits.maximumUniqueValues) else {
                if reader.options.bestEffort {
                    let residual = try replacingUnique(in: choice.residual, by: FormulaStore.always)
                    result.append((item, ArrayState(residual: residual)))
                    continue
                }
                throw .unsupported(
                    keyword: "uniqueItems", pointer: reader.document.pointer(unique),
                    reason: "the items cannot be told apart unless their schema lists their values")
            }
            for value in values {
                if state.used.contains(value) {
                    let residual = try replacingUnique(in: choice.residual, by: FormulaStore.never)
                    if residual == FormulaStore.never { continue }
                    let used = uniquePlace(in: residual) == nil ? [] : state.used
                    result.append((value, ArrayState(residual: residual, used: used)))
                } else {
                    let used = (state.used + [value]).sorted()
                    result.append((value, ArrayState(residual: choice.residual, used: used)))
                }
            }
        }
        return result
    }

    func canEnd(_ state: ArrayState) throws(JSONSchemaError) -> Bool {
        if state.residual == FormulaStore.never { return false }
        if state.residual == FormulaStore.always { return true }
        return try answer(.array(state)) { () throws(JSONSchemaError) in
            if try mayEnd(state) { return true }
            if state.used.isEmpty, let plain = try plainArray(state.residual) {
                return plain.minimum <= plain.maximum ?? Int.max
            }
            for choice in try itemChoices(state) where try canEnd(choice.next) { return true }
            return false
        }
    }

    private func uniquePlace(in formula: Formula) -> SchemaDocument.Place? {
        switch reader.store[formula] {
        case .condition(.unique(let place)): place
        case .not(let inner): uniquePlace(in: inner)
        case .all(let parts), .any(let parts), .one(let parts): parts.lazy.compactMap(uniquePlace).first
        default: nil
        }
    }

    private func replacingUnique(in formula: Formula, by value: Formula) throws(JSONSchemaError) -> Formula {
        try reader.map(formula, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            if case .condition(.unique) = node { return value }
            return leaf
        }
    }

    private func derivedByItem(_ formula: Formula) throws(JSONSchemaError) -> Formula {
        try reader.map(formula, known: FormulaMemo()) { (leaf, node) throws(JSONSchemaError) in
            guard case .condition(let condition) = node else { return leaf }
            switch condition {
            case .item(let index, let part):
                return self.reader.store.condition(index == 0 ? .part(part) : .item(index - 1, part))
            case .items(let from, let part):
                if from > 0 { return self.reader.store.condition(.items(from: from - 1, part)) }
                return self.reader.store.all(self.reader.store.condition(.part(part)), leaf)
            case .minimumItems(let count):
                return count <= 1 ? FormulaStore.always : self.reader.store.condition(.minimumItems(count - 1))
            case .maximumItems(let count):
                return count <= 0 ? FormulaStore.never : self.reader.store.condition(.maximumItems(count - 1))
            case .contains(let part, let minimum, let maximum):
                let holds = self.reader.store.condition(.part(part))
                if maximum == nil {
                    // Counting an item is never worse than not counting it: one direction is enough.
                    let counted = self.reader.contains(part, minimum: minimum - 1, maximum: nil)
                    let here = self.reader.store.all(holds, counted)
                    return self.reader.store.any([here, leaf])
                }
                let counted =
                    maximum == 0
                    ? FormulaStore.never
                    : self.reader.contains(part, minimum: max(0, minimum - 1), maximum: maximum.map { $0 - 1 })
                let fails = self.reader.store.not(holds)
                return self.reader.store.any([
                    self.reader.store.all(holds, counted), self.reader.store.all(fails, leaf),
                ])
            default: return leaf
            }
        }
    }
}
