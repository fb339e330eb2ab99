/// Strings: every boolean combination of patterns, lengths, formats and enumerations is a regular language.
extension SchemaSolver {
    func hasString(_ formula: Formula) throws(JSONSchemaError) -> Bool {
        if let list = finiteStrings(formula) { return !list.isEmpty }
        let language = stringLanguage(formula)
        if !language.mayHideEmptiness { return language != .nothing }
        return try !wrap { () throws(GrammarError) in try language.isEmpty(limits) }
    }

    /// The strings that satisfy a formula that was restricted to strings.
    func stringLanguage(_ formula: Formula) -> RegularLanguage {
        if let known = stringLanguages[formula] { return known }
        let result: RegularLanguage
        if let list = finiteStrings(formula) {
            result = .texts(list.map { String(decoding: $0, as: UTF8.self) })
        } else {
            switch reader.store[formula] {
            case .never: result = .nothing
            case .always: result = .anyText
            case .condition(.language(let id)): result = reader.languages[Int(id)]
            case .condition(.length(let minimum, let maximum)):
                result = maximum.map { $0 < minimum } == true ? .nothing : .length(minimum, maximum)
            case .not(let inner): result = stringLanguage(inner).complement
            case .all(let parts): result = conjunction(parts)
            case .any(let parts): result = .union(parts.map(stringLanguage))
            case .one(let parts):
                result = .union(
                    parts.indices.map { chosen in
                        RegularLanguage.intersection(
                            parts.indices.map { index in
                                let language = stringLanguage(parts[index])
                                return index == chosen ? language : language.complement
                            })
                    })
            // Conditions on other types hold for strings.
            case .condition, .types, .schema: result = .anyText
            }
        }
        stringLanguages[formula] = result
        return result
    }

    /// Lengths meet in one interval, which is a counter and not a product of automata.
    private func conjunction(_ parts: [Formula]) -> RegularLanguage {
        var minimum = 0
        var maximum: Int?
        var languages: [RegularLanguage] = []
        for part in parts {
            if case .condition(.length(let low, let high)) = reader.store[part] {
                minimum = max(minimum, low)
                if let high { maximum = min(maximum ?? high, high) }
            } else {
                languages.append(stringLanguage(part))
            }
        }
        if let maximum, maximum < minimum { return .nothing }
        if minimum > 0 || maximum != nil { languages.append(.length(minimum, maximum)) }
        return .intersection(languages)
    }

    /// The strings that satisfy `formula` when an enumeration bounds them; nil when none does.
    func finiteStrings(_ formula: Formula) -> [[UInt8]]? {
        switch reader.store[formula] {
        case .never: return []
        case .condition(.strings(let list)): return list
        case .all(let parts):
            var shortest: [[UInt8]]?
            for part in parts {
                if let list = finiteStrings(part), list.count < shortest?.count ?? Int.max { shortest = list }
            }
            return shortest.map { list in
                list.filter { text in parts.allSatisfy { holds($0, for: text) } }
            }
        case .any(let parts), .one(let parts):
            var union: [[UInt8]] = []
            for part in parts {
                guard let list = finiteStrings(part) else { return nil }
                union += list
            }
            return FormulaStore.sortedUnique(union).filter { holds(formula, for: $0) }
        default: return nil
        }
    }

    /// Whether `text` is in `list`, which is in ascending order as all enumerations are.
    private static func contains(_ list: [[UInt8]], _ text: [UInt8]) -> Bool {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle] == text { return true }
            if list[middle].lexicographicallyPrecedes(text) { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// Whether a string satisfies a formula that was restricted to strings.
    func holds(_ formula: Formula, for text: [UInt8]) -> Bool {
        switch reader.store[formula] {
        case .never: return false
        case .always: return true
        case .condition(.strings(let list)): return Self.contains(list, text)
        case .condition(.language(let id)):
            return reader.languages[Int(id)].contains(String(decoding: text, as: UTF8.self))
        case .condition(.length(let minimum, let maximum)):
            let length = text.lazy.filter { $0 & 0xC0 != 0x80 }.count
            return length >= minimum && length <= maximum ?? Int.max
        case .not(let inner): return !holds(inner, for: text)
        case .all(let parts): return parts.allSatisfy { holds($0, for: text) }
        case .any(let parts): return parts.contains { holds($0, for: text) }
        case .one(let parts): return parts.count { holds($0, for: text) } == 1
        case .condition, .types, .schema: return true
        }
    }
}
