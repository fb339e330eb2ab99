/// The body of SGLang's `POST /parse_function_call`: calls of functions in a text that is already there.
package struct ParseFunctionCallRequest: Sendable, Equatable {
    package var text: String
    /// Names of the functions that may be called.
    package var functions: [String]
    /// How the text writes calls; nil: as the served model does.
    package var parser: String?

    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        guard let text = try fields.string("text") else { throw FieldError("text", .missing) }
        self.text = text
        functions = try ToolFields(fields).tools.map(\.name)
        parser = try fields.string("tool_call_parser")
    }
}

/// The body of SGLang's `POST /separate_reasoning`.
package struct SeparateReasoningRequest: Sendable, Equatable {
    package var text: String
    /// How the text marks reasoning; nil: as the served model does.
    package var parser: String?
    /// Tells the parts in order as well.
    package var returnsBlocks: Bool

    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        guard let text = try fields.string("text") else { throw FieldError("text", .missing) }
        self.text = text
        parser = try fields.string("reasoning_parser")
        returnsBlocks = try fields.bool("return_blocks") ?? false
    }
}
