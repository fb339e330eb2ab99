/// A set of JSON types. True and false are types of their own: each has one value.
struct JSONTypes: OptionSet, Hashable {
    let rawValue: UInt8

    static let null = JSONTypes(rawValue: 1)
    static let yes = JSONTypes(rawValue: 2)
    static let no = JSONTypes(rawValue: 4)
    static let number = JSONTypes(rawValue: 8)
    static let string = JSONTypes(rawValue: 16)
    static let array = JSONTypes(rawValue: 32)
    static let object = JSONTypes(rawValue: 64)
    static let all = JSONTypes(rawValue: 127)

    /// The single types, the cheapest first.
    static let each: [JSONTypes] = [.null, .yes, .no, .string, .number, .array, .object]

    var inverted: JSONTypes { JSONTypes.all.subtracting(self) }
}

/// Which members of an object a condition speaks of.
enum MemberSelector: Hashable {
    /// Members whose name is in a language.
    case matching(LanguageID)
    /// Members whose name is neither listed nor in one of the languages.
    case others(names: [NameID], languages: [LanguageID])
    /// Members whose name, as a string, does not satisfy a formula.
    case violating(Formula)
}

/// A property name: an index into `FormulaStore.names`.
typealias NameID = Int32
/// A language of string values: an index into `FormulaStore.languages`.
typealias LanguageID = Int32
/// A condition on a JSON value: an index into `FormulaStore`. Equal formulas have equal indices.
typealias Formula = Int32

/// One indivisible condition. Each speaks of one type and holds for values of every other type, as JSON Schema's
/// keywords do. Conditions on parts of a value name the part's formula.
enum Condition: Hashable {
    // Strings
    case language(LanguageID)
    case length(minimum: Int, maximum: Int?)
    case strings([[UInt8]])
    // Numbers
    case integer
    case lower(DecimalNumber, exclusive: Bool)
    case upper(DecimalNumber, exclusive: Bool)
    case multiple(of: DecimalNumber)
    case numbers([DecimalNumber])
    // Arrays; indices count from the next item to be read
    case item(Int, Formula)
    case items(from: Int, Formula)
    case minimumItems(Int)
    case maximumItems(Int)
    case contains(Formula, minimum: Int, maximum: Int?)
    /// No two items are equal; where the keyword stands, for errors.
    case unique(at: SchemaDocument.Place)
    // Objects; counts are of members still to be read
    case required(NameID)
    case member(NameID, Formula)
    case members(MemberSelector, Formula)
    case minimumMembers(Int)
    case maximumMembers(Int)
    /// The part that is being read satisfies the formula: only between the derivation of a condition and the choice
    /// of what that part shall be.
    case part(Formula)

    var type: JSONTypes {
        switch self {
        case .language, .length, .strings: .string
        case .integer, .lower, .upper, .multiple, .numbers: .number
        case .item, .items, .minimumItems, .maximumItems, .contains, .unique: .array
        case .required, .member, .members, .minimumMembers, .maximumMembers: .object
        case .part: []
        }
    }
}

enum FormulaNode: Hashable {
    case never
    case always
    case types(JSONTypes)
    case condition(Condition)
    /// What the schema at a place demands.
    case schema(SchemaDocument.Place)
    case not(Formula)
    case all([Formula])
    case any([Formula])
    /// Exactly one holds.
    case one([Formula])
}
