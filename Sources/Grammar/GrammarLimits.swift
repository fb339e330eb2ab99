/// Bounds that keep a hostile constraint from taking a server's time or memory. A constraint that reaches one is
/// refused with `GrammarError.limitExceeded` and the bound's name.
package struct GrammarLimits: Hashable, Sendable {
    /// Longest source text of a constraint, in bytes.
    package var maximumSourceBytes = 4 << 20
    /// Deepest nesting of groups, arrays and objects in a constraint's source.
    package var maximumNesting = 200
    /// Most nodes of the term of one regular language.
    package var maximumPatternNodes = 200_000
    /// Most states that one question about a regular language (is it empty, how long are its texts) may visit, and most
    /// states of one regular leaf while it is matched.
    package var maximumPatternStates = 20_000
    /// Most rules of a grammar given as text.
    package var maximumRules = 10_000
    /// Most expressions of a whole grammar, lazily made ones included.
    package var maximumExpressions = 2_000_000
    /// Most alternatives that a schema may be multiplied out to at one place.
    package var maximumAlternatives = 4_096
    /// Longest search for the answer to one question of a compilation, in milliseconds.
    package var maximumMilliseconds = 5_000
    /// Bytes of cached mask pieces that a compiled grammar keeps; the oldest are dropped beyond it.
    package var maximumCacheBytes = 4 << 20

    package init() {}
}
