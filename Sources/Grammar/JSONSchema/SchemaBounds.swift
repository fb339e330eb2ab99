/// Bounds that only JSON Schema needs.
extension GrammarLimits {
    /// Most steps of finding out what a schema demands and whether it can be satisfied.
    var maximumSchemaSteps: Int { 200_000 }
    /// Longest number in a schema, in digits written out without exponent.
    var maximumNumberLength: Int { 512 }
    /// Largest `minItems` and `minProperties`.
    var maximumRequiredItems: Int { 65_536 }
    /// Largest multiple, in units of its last digit, whose remainders are states.
    var maximumRemainders: Int { 4_096 }
    /// Deepest chain of questions whether a value, or what is left of an array or object, can be completed.
    var maximumValueDepth: Int { 700 }
    /// Longest chain of schemas that apply to the same value, one inside the other.
    var maximumReferenceChain: Int { 500 }
    /// Most different values of the items of a `uniqueItems` array.
    var maximumUniqueValues: Int { 4_096 }
}
