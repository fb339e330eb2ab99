/// Bounds that only JSON Schema needs.
extension GrammarLimits {
    /// Most steps of finding out what a schema demands and whether it can be satisfied.
    var maximumSchemaSteps: Int { 400_000 }
    /// Longest number in a schema, in digits written out without exponent.
    var maximumNumberLength: Int { 512 }
    /// Largest `minItems` and `minProperties`.
    var maximumRequiredItems: Int { 65_536 }
    /// Largest multiple, in units of its last digit, whose remainders are states.
    var maximumRemainders: Int { 4_096 }
    /// Deepest chain of values inside values that is followed to see whether a schema can be satisfied.
    var maximumValueDepth: Int { 256 }
    /// Longest chain of items or members that is followed to see whether an array or object can be completed.
    var maximumStateDepth: Int { 512 }
    /// Most different values of the items of a `uniqueItems` array.
    var maximumUniqueValues: Int { 4_096 }
}
