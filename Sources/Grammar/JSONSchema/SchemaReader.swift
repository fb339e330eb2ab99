/// Reads what each place of a schema demands, as a formula. Places are read when they are first asked for, and once.
final class SchemaReader {
    typealias Place = SchemaDocument.Place

    let document: SchemaDocument
    let references: SchemaReferences
    let options: JSONSchemaOptions
    let limits: GrammarLimits
    var store = FormulaStore()
    private(set) var languages: [RegularLanguage] = []
    private var languageIDs: [RegularLanguage: LanguageID] = [:]
    private var demands: [Place: Formula] = [:]
    var patterns: [[UInt8]: LanguageID] = [:]
    var formats: [String: LanguageID?] = [:]
    /// Languages that are all of a format.
    var formatsOfLanguages: [LanguageID: StringFormat] = [:]
    /// Results of `restrict`, by type.
    let restrictions = (0..<7).map { _ in FormulaMemo() }
    var expanding: Set<Expansion> = []

    init(document: SchemaDocument, options: JSONSchemaOptions, limits: GrammarLimits) {
        self.document = document
        self.options = options
        self.limits = limits
        references = SchemaReferences(document: document)
    }

    func language(_ language: RegularLanguage) -> LanguageID {
        if let known = languageIDs[language] { return known }
        let id = LanguageID(languages.count)
        languages.append(language)
        languageIDs[language] = id
        return id
    }

    // MARK: Errors

    func invalid(_ keyword: String, _ place: Place, _ reason: String) -> JSONSchemaError {
        .invalidKeyword(keyword: keyword, pointer: document.pointer(place), reason: reason)
    }

    func unsupported(_ keyword: String, _ place: Place, _ reason: String) -> JSONSchemaError {
        .unsupported(keyword: keyword, pointer: document.pointer(place), reason: reason)
    }

    // MARK: Schemas

    /// What the schema at `place` demands. References inside it are formulas of their own and not followed.
    func demand(of place: Place) throws(JSONSchemaError) -> Formula {
        if let known = demands[place] { return known }
        let formula: Formula
        switch document[place] {
        case .boolean(let flag): formula = flag ? FormulaStore.always : FormulaStore.never
        case .object(let members): formula = try demand(of: members, at: place)
        default:
            throw .invalidKeyword(
                keyword: keywordAbove(place), pointer: document.pointer(place),
                reason: "leads to a value that is no schema: an object or a boolean is expected")
        }
        demands[place] = formula
        return formula
    }

    private func keywordAbove(_ place: Place) -> String {
        var current = place
        while current >= 0 {
            if case .name(let name) = document.nodes[Int(current)].token, let keyword = SchemaKeyword(name) {
                return keyword.rawValue
            }
            current = document.nodes[Int(current)].parent
        }
        return "$schema"
    }

    private func demand(of members: [SchemaDocument.Member], at place: Place) throws(JSONSchemaError) -> Formula {
        let unevaluated = members.contains {
            let keyword = SchemaKeyword($0.name)
            return keyword == .unevaluatedProperties || keyword == .unevaluatedItems
        }
        if unevaluated, references.draft >= .draft2019 {
            let alternatives = try evaluations(of: place, depth: 0)
            return store.any(alternatives.map(\.formula))
        }
        return store.all(try assertions(of: members, at: place).map(\.formula))
    }

    /// A keyword's demand, and where it came from.
    struct Assertion {
        var keyword: SchemaKeyword
        var place: Place
        var formula: Formula
    }

    /// The demands of a schema's keywords one by one, in the order in which they are written but `required` last, so
    /// that names get the order of `properties`. Leaves out `unevaluated…`.
    func assertions(
        of members: [SchemaDocument.Member], at place: Place
    ) throws(JSONSchemaError) -> [Assertion] {
        var present: [SchemaKeyword: Place] = [:]
        var order: [SchemaKeyword] = []
        for member in members {
            guard let keyword = SchemaKeyword(member.name), isKnown(keyword) else { continue }
            present[keyword] = member.value
            if keyword != .required { order.append(keyword) }
        }
        if references.draft.referenceHidesSiblings, let reference = present[.reference],
            document.string(reference) != nil
        {
            return [Assertion(keyword: .reference, place: place, formula: try self.reference(reference, .reference))]
        }
        if present[.required] != nil { order.append(.required) }
        let schema = SchemaKeywords(place: place, present: present)
        var assertions: [Assertion] = []
        for keyword in order {
            guard let value = present[keyword] else { continue }
            do throws(JSONSchemaError) {
                let formula = try demand(of: keyword, value: value, in: schema)
                assertions.append(Assertion(keyword: keyword, place: place, formula: formula))
            } catch .unsupported where options.bestEffort {
                continue
            }
        }
        return assertions
    }

    /// Whether the declared draft has the keyword; without a declaration all are known. A keyword that a draft does
    /// not have is an annotation there.
    private func isKnown(_ keyword: SchemaKeyword) -> Bool {
        guard references.declaresDraft else { return true }
        let draft = references.draft
        switch keyword {
        case .const, .contains, .propertyNames: return draft >= .draft6
        case .if, .then, .else: return draft >= .draft7
        case .dependentRequired, .dependentSchemas, .unevaluatedItems, .unevaluatedProperties, .minContains,
            .maxContains:
            return draft >= .draft2019
        case .prefixItems: return draft >= .draft2020
        case .dependencies: return draft <= .draft7
        case .nullable: return false
        default: return true
        }
    }

    private func demand(
        of keyword: SchemaKeyword, value: Place, in schema: SchemaKeywords
    ) throws(JSONSchemaError) -> Formula {
        switch keyword {
        case .type: try type(value, nullable: schema[.nullable])
        case .enum: try equality(toOneOf: try list(value, keyword))
        case .const: try equality(toOneOf: [value])
        case .reference: try reference(value, keyword)
        case .dynamicReference, .recursiveReference: try dynamicReference(value, keyword)
        case .allOf: store.all(try subschemas(value, keyword))
        case .anyOf: store.any(try subschemas(value, keyword))
        case .oneOf: store.one(try subschemas(value, keyword))
        case .not: store.not(try subschema(value))
        case .if: try conditional(value, then: schema[.then], else: schema[.else])
        case .minLength, .maxLength, .pattern, .format: try stringDemand(of: keyword, value: value)
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .multipleOf:
            try numberDemand(of: keyword, value: value, in: schema)
        case .items, .prefixItems, .additionalItems, .contains, .minItems, .maxItems, .uniqueItems:
            try arrayDemand(of: keyword, value: value, in: schema)
        case .properties, .patternProperties, .additionalProperties, .propertyNames, .required, .minProperties,
            .maxProperties, .dependentRequired, .dependentSchemas, .dependencies:
            try objectDemand(of: keyword, value: value, in: schema)
        case .then, .else, .nullable, .minContains, .maxContains, .definitions, .defs, .unevaluatedItems,
            .unevaluatedProperties:
            FormulaStore.always
        }
    }

    // MARK: Applicators

    func list(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> [Place] {
        guard case .array(let elements) = document[value] else {
            throw invalid(keyword.rawValue, value, "must be an array")
        }
        return elements
    }

    private func subschemas(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> [Formula] {
        let elements = try list(value, keyword)
        guard !elements.isEmpty else { throw invalid(keyword.rawValue, value, "must not be empty") }
        guard elements.count <= limits.maximumAlternatives else {
            throw .limitExceeded(
                bound: "maximumAlternatives", limit: limits.maximumAlternatives, pointer: document.pointer(value))
        }
        var formulas: [Formula] = []
        for element in elements { formulas.append(try subschema(element)) }
        return formulas
    }

    private func conditional(_ condition: Place, then: Place?, else: Place?) throws(JSONSchemaError) -> Formula {
        if then == nil, `else` == nil { return FormulaStore.always }
        let test = try subschema(condition)
        let negated = store.not(test)
        var yes = FormulaStore.always
        var no = FormulaStore.always
        if let then { yes = try subschema(then) }
        if let `else` { no = try subschema(`else`) }
        return store.any([store.all(test, yes), store.all(negated, no)])
    }

    private func reference(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> Formula {
        guard let text = document.string(value) else { throw invalid(keyword.rawValue, value, "must be a string") }
        return try subschema(try references.resolve(text, at: value))
    }

    private func dynamicReference(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> Formula {
        guard let text = document.string(value) else { throw invalid(keyword.rawValue, value, "must be a string") }
        return try subschema(try references.resolveDynamic(text, keyword: keyword.rawValue, at: value))
    }

    private func type(_ value: Place, nullable: Place?) throws(JSONSchemaError) -> Formula {
        var names: [Place] = [value]
        if case .array(let elements) = document[value] { names = elements }
        var types: JSONTypes = []
        var integers = false
        for place in names {
            switch document.string(place) {
            case "null": types.insert(.null)
            case "boolean": types.formUnion([.yes, .no])
            case "integer": integers = true
            case "number": types.insert(.number)
            case "string": types.insert(.string)
            case "array": types.insert(.array)
            case "object": types.insert(.object)
            default: throw invalid("type", place, "must be one of the seven type names, or an array of them")
            }
        }
        if let nullable, case .boolean(true) = document[nullable] { types.insert(.null) }
        var formula = store.types(types)
        if integers, !types.contains(.number) {
            let integer = store.condition(.integer)
            let number = store.types(types.union(.number))
            formula = store.all(number, integer)
        }
        return formula
    }

    // MARK: Equality

    /// Values equal to one of those at `places`.
    func equality(toOneOf places: [Place]) throws(JSONSchemaError) -> Formula {
        var types: JSONTypes = []
        var strings: [[UInt8]] = []
        var numbers: [DecimalNumber] = []
        var others: [Formula] = []
        for place in places {
            switch document[place] {
            case .null: types.insert(.null)
            case .boolean(let flag): types.insert(flag ? .yes : .no)
            case .string(let text): strings.append(text)
            case .number(let number):
                try checkLength(number, at: place)
                numbers.append(number)
            case .array(let elements): others.append(try equality(toArray: elements))
            case .object(let members): others.append(try equality(toObject: members))
            }
        }
        var formulas = [store.types(types)]
        if !strings.isEmpty {
            let list = store.condition(.strings(FormulaStore.sortedUnique(strings)))
            formulas.append(store.all(store.types(.string), list))
        }
        if !numbers.isEmpty {
            let list = store.condition(.numbers(Array(Set(numbers)).sorted()))
            formulas.append(store.all(store.types(.number), list))
        }
        return store.any(formulas + others)
    }

    private func equality(toArray elements: [Place]) throws(JSONSchemaError) -> Formula {
        var parts = [store.types(.array)]
        for (index, element) in elements.enumerated() {
            let part = try equality(toOneOf: [element])
            parts.append(store.condition(.item(index, part)))
        }
        parts.append(store.condition(.minimumItems(elements.count)))
        parts.append(store.condition(.maximumItems(elements.count)))
        return store.all(parts)
    }

    private func equality(toObject members: [SchemaDocument.Member]) throws(JSONSchemaError) -> Formula {
        var parts = [store.types(.object)]
        let names = members.map { store.name($0.name) }
        for (name, member) in zip(names, members) {
            let part = try equality(toOneOf: [member.value])
            parts.append(store.condition(.member(name, part)))
        }
        let others = MemberSelector.others(names: names.sorted(), languages: [])
        parts.append(store.condition(.members(others, FormulaStore.never)))
        for name in names { parts.append(store.condition(.required(name))) }
        return store.all(parts)
    }
}

/// The assertion keywords of one schema and the places of their values.
struct SchemaKeywords {
    let place: SchemaDocument.Place
    let present: [SchemaKeyword: SchemaDocument.Place]

    subscript(_ keyword: SchemaKeyword) -> SchemaDocument.Place? { present[keyword] }
}
