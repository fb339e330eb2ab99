/// Why a JSON Schema was refused. `pointer` is the JSON pointer of the place inside the schema, as a URI fragment
/// (`#/properties/a/pattern`), so that a client finds what to mend.
package enum JSONSchemaError: Error, Equatable, Sendable {
    /// The schema is not JSON. `offset` counts bytes.
    case malformedJSON(offset: Int, reason: String)
    /// A keyword has a value that JSON Schema does not allow.
    case invalidKeyword(keyword: String, pointer: String, reason: String)
    /// A keyword that is valid and cannot be enforced here.
    case unsupported(keyword: String, pointer: String, reason: String)
    /// A reference leads nowhere inside the schema, or to itself.
    case unresolvedReference(reference: String, pointer: String, reason: String)
    /// No JSON value satisfies the schema.
    case unsatisfiable(pointer: String)
    /// The task that compiled was cancelled.
    case cancelled
    /// A bound of `GrammarLimits` was reached; `bound` is its name.
    case limitExceeded(bound: String, limit: Int, pointer: String)

    /// The keyword that caused the refusal, where it is one.
    package var keyword: String? {
        switch self {
        case .invalidKeyword(let keyword, _, _), .unsupported(let keyword, _, _): keyword
        case .unresolvedReference: "$ref"
        case .malformedJSON, .unsatisfiable, .limitExceeded, .cancelled: nil
        }
    }
}

extension JSONSchemaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformedJSON(let offset, let reason):
            "the JSON Schema is not valid JSON at byte \(offset): \(reason)"
        case .invalidKeyword(let keyword, let pointer, let reason):
            "the JSON Schema is invalid at \(pointer): '\(keyword)' \(reason)"
        case .unsupported(let keyword, let pointer, let reason):
            "the JSON Schema keyword '\(keyword)' at \(pointer) cannot be enforced: \(reason)"
        case .unresolvedReference(let reference, let pointer, let reason):
            "the reference '\(reference)' at \(pointer) cannot be resolved: \(reason)"
        case .unsatisfiable(let pointer):
            "no JSON value satisfies the JSON Schema at \(pointer)"
        case .cancelled: "the compilation of the JSON Schema was cancelled"
        case .limitExceeded(let bound, let limit, let pointer):
            "the JSON Schema is too large at \(pointer): it exceeds the bound \(bound) of \(limit)"
        }
    }
}
