/// The keywords of JSON Schema that assert something or lead to subschemas. All others are annotations.
enum SchemaKeyword: String, CaseIterable {
    case type, `enum`, const, nullable
    case allOf, anyOf, oneOf, not
    case `if`, then, `else`
    case reference = "$ref"
    case dynamicReference = "$dynamicRef"
    case recursiveReference = "$recursiveRef"
    case definitions
    case defs = "$defs"
    case minLength, maxLength, pattern, format
    case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
    case items, prefixItems, additionalItems, unevaluatedItems, contains, minContains, maxContains
    case minItems, maxItems, uniqueItems
    case properties, patternProperties, additionalProperties, unevaluatedProperties, propertyNames, required
    case minProperties, maxProperties
    case dependentRequired, dependentSchemas, dependencies

    /// Where the subschemas are in a keyword's value.
    enum Children {
        case none
        case schema
        case schemaOrList
        case named
    }

    private static let byName: [[UInt8]: SchemaKeyword] = Dictionary(
        uniqueKeysWithValues: allCases.map { (Array($0.rawValue.utf8), $0) })

    init?(_ name: [UInt8]) {
        guard let keyword = Self.byName[name] else { return nil }
        self = keyword
    }

    var children: Children {
        switch self {
        case .not, .if, .then, .else, .additionalItems, .unevaluatedItems, .contains, .additionalProperties,
            .unevaluatedProperties, .propertyNames:
            .schema
        case .allOf, .anyOf, .oneOf, .prefixItems, .items: .schemaOrList
        case .properties, .patternProperties, .definitions, .defs, .dependentSchemas, .dependencies: .named
        default: .none
        }
    }
}
