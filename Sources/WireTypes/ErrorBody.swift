/// The error body of the OpenAI API: `{"error": {"message", "type", "param", "code"}}`, on every surface.
///
/// Clients of OpenAI's Node library see no message at all unless it is nested like this.
package struct ErrorBody: Sendable, Equatable {
    package var message: String
    /// For example `invalid_request_error`.
    package var type: String
    /// Path of the field that is wrong, for example `messages[1].content`.
    package var parameter: String?
    /// For example `context_length_exceeded`.
    package var code: String?
    /// Further numbers for programs, such as `n_prompt_tokens` and `n_ctx`.
    package var numbers: [(name: String, value: Int)]

    package init(
        message: String, type: String = "invalid_request_error", parameter: String? = nil, code: String? = nil,
        numbers: [(name: String, value: Int)] = []
    ) {
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
        self.numbers = numbers
    }

    package static func == (left: ErrorBody, right: ErrorBody) -> Bool { left.json == right.json }

    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("error")
            write(to: &writer)
        }
        return writer.bytes
    }

    /// The object inside `error`.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("message", message)
            writer.field("type", type)
            writer.field("param", parameter)
            writer.field("code", code)
            for (name, value) in numbers { writer.field(name, value) }
        }
    }
}
