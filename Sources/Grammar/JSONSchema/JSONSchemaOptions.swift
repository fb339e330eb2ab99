/// How a JSON Schema becomes a grammar: which of the many spellings of a valid JSON value the grammar admits, and what
/// happens to keywords that cannot be enforced.
package struct JSONSchemaOptions: Hashable, Sendable {
    package enum PropertyOrder: Hashable, Sendable {
        /// Named properties in the order in which the schema names them, other properties after them.
        case schema
        /// Any order, each named property at most once.
        case any
    }

    package enum Whitespace: Hashable, Sendable {
        /// None.
        case compact
        /// One space after each colon and each comma, always.
        case spaced
        /// Wherever JSON permits it, each time up to `maximum` characters.
        case flexible(maximum: Int)
    }

    package enum NumberSpelling: Hashable, Sendable {
        /// One spelling for each integer (`12`, never `12.0` or `1.2e1`); trailing zeros only where the schema admits
        /// fractions; exponents only where nothing limits the number.
        case usual
        /// Every decimal spelling of a value: `12.0` is an integer, `-0` is `0`, and bounded exponents.
        case any
    }

    package enum StringSpelling: Hashable, Sendable {
        /// Names and enumerated strings with the fewest escapes; other strings with any.
        case usual
        /// Any escapes anywhere.
        case any
    }

    package var propertyOrder = PropertyOrder.schema
    package var whitespace = Whitespace.compact
    package var numberSpelling = NumberSpelling.usual
    package var stringSpelling = StringSpelling.usual
    /// Whether each member counts for `minProperties` even if its name was read before. Right for given texts, whose
    /// names are distinct; what is written must not rely on it.
    package var countsRepeatedNames = false
    /// Whether the formats that are known are enforced. Unknown formats are annotations in every draft.
    package var assertsFormats = true
    /// How the outermost value, which is an object then, is written; nil: as JSON.
    package var arguments: ArgumentNotation?
    /// Drops keywords that cannot be enforced instead of refusing the schema.
    package var bestEffort = false

    package init() {}

    /// The options that accept any JSON text of a valid value: for judging given instances.
    package static var verdict: JSONSchemaOptions {
        var options = JSONSchemaOptions()
        options.propertyOrder = .any
        options.whitespace = .flexible(maximum: 64)
        options.numberSpelling = .any
        options.stringSpelling = .any
        options.countsRepeatedNames = true
        return options
    }
}
