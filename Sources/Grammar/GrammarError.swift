/// Why a constraint was refused. Every case names the place and what is wrong there, so that a client can mend it.
package enum GrammarError: Error, Equatable, Sendable {
    /// A regular expression is malformed. `offset` counts Unicode scalars.
    case invalidPattern(pattern: String, offset: Int, reason: String)
    /// A regular expression uses a construct that has no finite automaton here, such as a back-reference.
    case unsupportedPattern(pattern: String, offset: Int, construct: String)
    /// A text grammar (EBNF) is malformed or names a rule that is not there. Line and column count from 1.
    case invalidGrammar(line: Int, column: Int, reason: String)
    /// A JSON Schema is malformed at `pointer` (a JSON pointer; "" is the whole schema).
    case invalidSchema(pointer: String, reason: String)
    /// A JSON Schema keyword at `pointer` cannot be enforced exactly.
    case unsupportedSchema(pointer: String, keyword: String, reason: String)
    /// A structural tag description is malformed.
    case invalidStructuralTag(reason: String)
    /// A bound of `GrammarLimits` was reached; `bound` is its name.
    case limitExceeded(bound: String, limit: Int)
    /// No text at all satisfies the constraint.
    case unsatisfiable
    /// The task that compiled was cancelled.
    case cancelled
}

extension GrammarError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidPattern(let pattern, let offset, let reason):
            "the regular expression \"\(pattern)\" is malformed at character \(offset): \(reason)"
        case .unsupportedPattern(let pattern, let offset, let construct):
            "the regular expression \"\(pattern)\" uses \(construct) at character \(offset), which is not supported"
        case .invalidGrammar(let line, let column, let reason):
            "the grammar is malformed at line \(line), column \(column): \(reason)"
        case .invalidSchema(let pointer, let reason):
            "the JSON schema is malformed at \"\(pointer)\": \(reason)"
        case .unsupportedSchema(let pointer, let keyword, let reason):
            "the JSON schema's keyword \"\(keyword)\" at \"\(pointer)\" cannot be enforced: \(reason)"
        case .invalidStructuralTag(let reason):
            "the structural tag is malformed: \(reason)"
        case .limitExceeded(let bound, let limit):
            "the grammar is too large: it exceeds the bound \(bound) of \(limit)"
        case .unsatisfiable:
            "no text satisfies the grammar"
        case .cancelled:
            "the compilation of the grammar was cancelled"
        }
    }
}
