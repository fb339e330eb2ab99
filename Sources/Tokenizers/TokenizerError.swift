/// What can be wrong with a `tokenizer.json`.
///
/// `path` is the place inside the file, such as `pre_tokenizer.pretokenizers[1].pattern`; the empty path is the file
/// itself.
package enum TokenizerError: Error, Equatable, Sendable {
    /// The bytes are not JSON (RFC 8259). `offset` counts bytes from the start of the file.
    case invalidJSON(offset: Int, reason: String)
    /// A field that the format demands is absent.
    case missingField(path: String)
    /// A field has a JSON type other than the format's.
    case wrongType(path: String, expected: String, found: String)
    /// A value has the right type and cannot be used.
    case invalidValue(path: String, value: String, reason: String)
    /// A component, such as a normalizer or a model, that this module does not have.
    case unsupportedComponent(path: String, type: String)
    /// A component is known but not with this setting.
    case unsupportedOption(path: String, value: String, reason: String)
    /// A regular expression uses a construct that the matcher does not have. `offset` counts Unicode scalars.
    case unsupportedPattern(path: String, pattern: String, syntax: String, offset: Int)
}

extension TokenizerError: CustomStringConvertible {
    /// One sentence for a person: where, what was found, what was expected.
    package var description: String {
        switch self {
        case .invalidJSON(let offset, let reason):
            "tokenizer.json is not valid JSON at byte \(offset): \(reason)"
        case .missingField(let path):
            "tokenizer.json: \(path) is missing"
        case .wrongType(let path, let expected, let found):
            "tokenizer.json: \(path) must be \(expected), found \(found)"
        case .invalidValue(let path, let value, let reason):
            "tokenizer.json: \(path) is \(value): \(reason)"
        case .unsupportedComponent(let path, let type):
            "tokenizer.json: \(path) has type \"\(type)\", which is not supported"
        case .unsupportedOption(let path, let value, let reason):
            "tokenizer.json: \(path) is \(value), which is not supported: \(reason)"
        case .unsupportedPattern(let path, let pattern, let syntax, let offset):
            "tokenizer.json: \(path) uses \(syntax) at character \(offset), which is not supported, in \(pattern)"
        }
    }
}
