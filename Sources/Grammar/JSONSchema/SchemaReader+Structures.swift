/// Keywords that speak of arrays and of objects.
extension SchemaReader {
    // MARK: Arrays

    func arrayDemand(
        of keyword: SchemaKeyword, value: Place, in schema: SchemaKeywords
    ) throws(JSONSchemaError) -> Formula {
        switch keyword {
        case .prefixItems: return try prefix(try list(value, keyword))
        case .items:
            // Up to 2019-09 a list gives the schemas of the first items.
            if case .array(let elements) = document[value] { return try prefix(elements) }
            var first = 0
            if let prefix = schema[.prefixItems] { first = try list(prefix, .prefixItems).count }
            return store.condition(.items(from: first, try subschema(value)))
        case .additionalItems:
            guard let items = schema[.items], case .array(let elements) = document[items] else {
                return FormulaStore.always
            }
            return store.condition(.items(from: elements.count, try subschema(value)))
        case .contains:
            let minimum = try schema[.minContains].map { (place) throws(JSONSchemaError) in
                try count(place, .minContains)
            }
            let maximum = try schema[.maxContains].map { (place) throws(JSONSchemaError) in
                try count(place, .maxContains)
            }
            return contains(try subschema(value), minimum: minimum ?? 1, maximum: maximum)
        case .minItems:
            let minimum = try count(value, keyword)
            guard minimum <= limits.maximumRequiredItems else {
                throw .limitExceeded(
                    bound: "maximumRequiredItems", limit: limits.maximumRequiredItems,
                    pointer: document.pointer(value))
            }
            return minimum == 0 ? FormulaStore.always : store.condition(.minimumItems(minimum))
        case .maxItems: return store.condition(.maximumItems(try count(value, keyword)))
        default:
            guard case .boolean(let flag) = document[value] else {
                throw invalid("uniqueItems", value, "must be a boolean")
            }
            return flag ? store.condition(.unique(at: value)) : FormulaStore.always
        }
    }

    private func prefix(_ elements: [Place]) throws(JSONSchemaError) -> Formula {
        var parts: [Formula] = []
        for (index, element) in elements.enumerated() {
            parts.append(store.condition(.item(index, try subschema(element))))
        }
        return store.all(parts)
    }

    /// Between `minimum` and `maximum` items satisfy `part`.
    func contains(_ part: Formula, minimum: Int, maximum: Int?) -> Formula {
        if let maximum, maximum < minimum {
            return store.not(store.types(.array))
        }
        if minimum == 0, maximum == nil { return FormulaStore.always }
        return store.condition(.contains(part, minimum: minimum, maximum: maximum))
    }

    // MARK: Objects

    func members(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> [SchemaDocument.Member] {
        guard case .object(let members) = document[value] else {
            throw invalid(keyword.rawValue, value, "must be an object")
        }
        return members
    }

    func objectDemand(
        of keyword: SchemaKeyword, value: Place, in schema: SchemaKeywords
    ) throws(JSONSchemaError) -> Formula {
        switch keyword {
        case .properties:
            var parts: [Formula] = []
            for member in try members(value, keyword) {
                let name = store.name(member.name)
                parts.append(store.condition(.member(name, try subschema(member.value))))
            }
            return store.all(parts)
        case .patternProperties:
            var parts: [Formula] = []
            for member in try members(value, keyword) {
                let language = try patternLanguage(member.name, keyword: keyword.rawValue, at: member.value)
                parts.append(store.condition(.members(.matching(language), try subschema(member.value))))
            }
            return store.all(parts)
        case .additionalProperties:
            let selector = try selectorOfOthers(in: schema)
            return store.condition(.members(selector, try subschema(value)))
        case .propertyNames:
            return store.condition(.members(.violating(try subschema(value)), FormulaStore.never))
        case .required: return try required(value, keyword)
        case .minProperties:
            let minimum = try count(value, keyword)
            guard minimum <= limits.maximumRequiredItems else {
                throw .limitExceeded(
                    bound: "maximumRequiredItems", limit: limits.maximumRequiredItems,
                    pointer: document.pointer(value))
            }
            return minimum == 0 ? FormulaStore.always : store.condition(.minimumMembers(minimum))
        case .maxProperties: return store.condition(.maximumMembers(try count(value, keyword)))
        default:
            var parts: [Formula] = []
            for member in try members(value, keyword) {
                let name = store.name(member.name)
                let present = store.all(store.types(.object), store.condition(.required(name)))
                let demand: Formula
                if keyword == .dependentRequired {
                    demand = try required(member.value, keyword)
                } else if keyword == .dependencies, case .array = document[member.value] {
                    demand = try required(member.value, keyword)
                } else if keyword == .dependencies, case .string(let other) = document[member.value] {
                    // Draft 3 allowed one bare name.
                    demand = store.condition(.required(store.name(other)))
                } else {
                    demand = try subschema(member.value)
                }
                let absent = store.not(present)
                parts.append(store.any([absent, demand]))
            }
            return store.all(parts)
        }
    }

    /// The members that `properties` and `patternProperties` beside it do not name.
    func selectorOfOthers(in schema: SchemaKeywords) throws(JSONSchemaError) -> MemberSelector {
        var names: [NameID] = []
        var languages: [LanguageID] = []
        if let properties = schema[.properties] {
            names = try members(properties, .properties).map { store.name($0.name) }.sorted()
        }
        if let patterns = schema[.patternProperties] {
            for member in try members(patterns, .patternProperties) {
                languages.append(
                    try patternLanguage(member.name, keyword: "patternProperties", at: member.value))
            }
        }
        return .others(names: names, languages: Array(Set(languages)).sorted())
    }

    private func required(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> Formula {
        var parts: [Formula] = []
        for place in try list(value, keyword) {
            guard case .string(let name) = document[place] else {
                throw invalid(keyword.rawValue, place, "must be an array of strings")
            }
            parts.append(store.condition(.required(store.name(name))))
        }
        return store.all(parts)
    }
}
