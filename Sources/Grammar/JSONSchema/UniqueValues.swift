/// Values one by one, where a formula admits only finitely many: what `uniqueItems` needs to keep apart.
extension SchemaSolver {
    /// For each value that satisfies `formula`, the formula of equality with it; nil when there are more than `limit`
    /// or no end of them.
    func values(of formula: Formula, limit: Int) throws(JSONSchemaError) -> [Formula]? {
        if let known = enumerations[formula] { return known }
        // A value inside itself: no end of them.
        guard enumerating.insert(formula).inserted else { return nil }
        defer { enumerating.remove(formula) }
        var result: [Formula]? = []
        for type in JSONTypes.each where try isSatisfiable(formula, as: type) {
            let restricted = try reader.restrict(formula, to: type)
            let some: [Formula]?
            switch type {
            case .string: some = try strings(of: restricted, limit: limit)
            case .number: some = try numbers(of: restricted, limit: limit)
            case .array: some = try arrays(of: restricted, limit: limit)
            case .object: some = try objects(of: restricted, limit: limit)
            default: some = [reader.store.types(type)]
            }
            result = some.flatMap { next in result.map { $0 + next } }
            if result?.count ?? 0 > limit { result = nil }
            if result == nil { break }
        }
        if leastOpen == Int.max { enumerations[formula] = .some(result) }
        return result
    }

    private func strings(of formula: Formula, limit: Int) throws(JSONSchemaError) -> [Formula]? {
        let list: [[UInt8]]
        if let finite = finiteStrings(formula) {
            list = finite
        } else {
            let language = stringLanguage(formula)
            let found = try wrap { () throws(GrammarError) in
                guard try language.lengthBounds(limits)?.maximum != nil else { return nil as [String]? }
                return try language.enumerated(limit: limit, limits)
            }
            guard let found else { return nil }
            list = found.map { Array($0.utf8) }
        }
        guard list.count <= limit else { return nil }
        return list.map { reader.store.all(reader.store.types(.string), reader.store.condition(.strings([$0]))) }
    }

    private func numbers(of formula: Formula, limit: Int) throws(JSONSchemaError) -> [Formula]? {
        let list: [DecimalNumber]
        if let finite = finiteNumbers(formula) {
            list = finite
        } else {
            let language = numberLanguage(formula)
            let found = try wrap { () throws(GrammarError) in
                guard try language.lengthBounds(limits)?.maximum != nil else { return nil as [String]? }
                return try language.enumerated(limit: limit, limits)
            }
            guard let found else { return nil }
            list = found.compactMap { DecimalNumber(json: $0.utf8) }
        }
        guard list.count <= limit else { return nil }
        return list.map { reader.store.all(reader.store.types(.number), reader.store.condition(.numbers([$0]))) }
    }

    private func arrays(of formula: Formula, limit: Int) throws(JSONSchemaError) -> [Formula]? {
        guard let plain = try plainArray(formula), let maximum = plain.maximum, maximum <= limit else { return nil }
        var prefixes: [[Formula]] = [[]]
        var found: [[Formula]] = []
        for length in 0...maximum {
            if length >= plain.minimum { found += prefixes }
            if found.count > limit || prefixes.count > limit { return nil }
            if length == maximum { break }
            let item = length < plain.items.count ? plain.items[length] : plain.rest
            guard let values = try values(of: item, limit: limit), values.count * prefixes.count <= limit else {
                return nil
            }
            prefixes = prefixes.flatMap { prefix in values.map { prefix + [$0] } }
        }
        return found.map { items in
            var parts = [reader.store.types(.array)]
            for (index, item) in items.enumerated() { parts.append(reader.store.condition(.item(index, item))) }
            parts.append(reader.store.condition(.minimumItems(items.count)))
            parts.append(reader.store.condition(.maximumItems(items.count)))
            return reader.store.all(parts)
        }
    }

    private func objects(of formula: Formula, limit: Int) throws(JSONSchemaError) -> [Formula]? {
        let plan = try plan(formula)
        guard plan.isPlain else { return nil }
        for other in plan.classes where try isSatisfiable(other.value) { return nil }
        var found: [[(name: NameID, value: Formula)]] = [[]]
        for name in plan.names {
            guard try isSatisfiable(name.value) else { continue }
            guard let values = try values(of: name.value, limit: limit) else { return nil }
            let absent = name.isRequired ? 0 : 1
            guard found.count * (values.count + absent) <= limit else { return nil }
            found = found.flatMap { members in
                (absent == 1 ? [members] : []) + values.map { members + [(name.id, $0)] }
            }
        }
        let allowed = found.filter { $0.count >= plan.minimum && $0.count <= plan.maximum ?? Int.max }
        return allowed.map { members in
            // By name, so that the order in which a schema names them does not matter.
            let sorted = members.sorted { $0.name < $1.name }
            var parts = [reader.store.types(.object)]
            for member in sorted { parts.append(reader.store.condition(.member(member.name, member.value))) }
            let others = MemberSelector.others(names: sorted.map(\.name), languages: [])
            parts.append(reader.store.condition(.members(others, FormulaStore.never)))
            for member in sorted { parts.append(reader.store.condition(.required(member.name))) }
            return reader.store.all(parts)
        }
    }
}
