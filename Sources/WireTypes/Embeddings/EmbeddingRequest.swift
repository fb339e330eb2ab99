/// The body of `POST /v1/embeddings` (OpenAI API reference), with vLLM's `truncate_prompt_tokens`; and of SGLang's
/// `/encode`, which says `text` or `input_ids`.
package struct EmbeddingRequest: Sendable, Equatable {
    package enum Encoding: String, Sendable, Equatable {
        case float
        /// Little-endian float32 in Base64.
        case base64
    }

    package var model: String?
    package var inputs: [WirePrompt]
    /// `/encode` answers a list with a list.
    package var isList: Bool
    package var encoding: Encoding
    /// Numbers of a vector; nil: all of the model's.
    package var dimensions: Int?
    /// Longer inputs are cut to so many tokens, −1: to the model's context; nil: they are an error.
    package var truncation: Int?
    package var requestID: String?

    /// OpenAI's own limit.
    package static let inputLimit = 2048

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        try self.init(fields, input: "input")
        if fields["messages"] != nil {
            throw FieldError("messages", .unsupported("Send the text in 'input'."))
        }
        switch try fields.string("encoding_format") ?? "float" {
        case "float": encoding = .float
        case "base64": encoding = .base64
        case let other: throw FieldError("encoding_format", .invalid("'\(other)'; expected float or base64"))
        }
        dimensions = try fields.int("dimensions")
        if let dimensions, dimensions < 1 {
            throw FieldError("dimensions", .invalid("\(dimensions); expected an integer ≥ 1"))
        }
    }

    /// SGLang's spelling.
    package init(native root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        try fields.refuse(["image_data", "audio_data", "video_data"], advice: "This model reads text.")
        try self.init(fields, input: fields["text"] == nil ? "input_ids" : "text")
    }

    private init(_ fields: JSONFields, input: String) throws(FieldError) {
        guard let value = fields[input] else { throw FieldError(input == "input_ids" ? "text" : input, .missing) }
        inputs = try WirePrompt.list(value, path: input)
        guard inputs.count <= Self.inputLimit else {
            throw FieldError(input, .invalid("\(inputs.count) inputs; at most \(Self.inputLimit)"))
        }
        if case .array(let elements) = value, case .string? = elements.first {
            isList = true
        } else if case .array(let elements) = value, case .array? = elements.first {
            isList = true
        } else {
            isList = false
        }
        model = try fields.string("model")
        encoding = .float
        truncation = try Self.truncation(fields)
        requestID = try fields.string("rid")
    }

    static func truncation(_ fields: JSONFields) throws(FieldError) -> Int? {
        let value = try fields.int("truncate_prompt_tokens")
        if let value, value != -1, value < 1 {
            throw FieldError("truncate_prompt_tokens", .invalid("\(value); expected -1 or an integer ≥ 1"))
        }
        return value
    }
}
