/// The body of `POST /v1/chat/completions` (OpenAI API reference), with the fields that SGLang and vLLM add.
package struct ChatCompletionRequest: Sendable, Equatable {
    package var options: RequestOptions
    package var messages: [ChatMessage]
    package var sampling: SamplingFields
    /// Nil: no log-probabilities; otherwise this many alternatives for each token.
    package var topLogprobs: Int?
    package var addGenerationPrompt: Bool
    package var continueFinalMessage: Bool
    /// Further variables for the chat template, in the client's order.
    package var templateVariables: JSONObject
    package var tools: ToolFields
    /// SGLang's: reasoning is told apart from the content.
    package var separatesReasoning: Bool
    /// SGLang's: reasoning is told as it comes.
    package var streamsReasoning: Bool

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        options = try RequestOptions(fields)
        guard let messages = try fields.array("messages") else { throw FieldError("messages", .missing) }
        guard !messages.isEmpty else { throw FieldError("messages", .invalid("at least one message is needed")) }
        self.messages = []
        for (index, message) in messages.enumerated() {
            self.messages.append(try ChatMessage(JSONFields(message, path: "messages[\(index)]")))
        }
        sampling = try SamplingFields(openAI: fields)
        if let limit = sampling.maxTokens, limit < 1 {
            throw FieldError(sampling.maxTokensPath, .invalid("found \(limit), expected an integer ≥ 1"))
        }
        topLogprobs = try Self.topLogprobs(fields)
        continueFinalMessage = try fields.bool("continue_final_message") ?? false
        addGenerationPrompt = try fields.bool("add_generation_prompt") ?? !continueFinalMessage
        guard !(addGenerationPrompt && continueFinalMessage) else {
            throw FieldError(
                "continue_final_message", .invalid("it excludes 'add_generation_prompt', which is also true"))
        }
        templateVariables = try fields.fields("chat_template_kwargs")?.object ?? JSONObject()
        if let effort = try fields.string("reasoning_effort"), templateVariables["reasoning_effort"] == nil {
            templateVariables.set("reasoning_effort", .string(effort))
        }
        tools = try ToolFields(fields)
        if let constraint = sampling.constraint, tools.choice != .none, tools.choice != .auto {
            throw FieldError(
                constraint.path, .invalid("'tool_choice' demands calls; one answer can follow one constraint"))
        }
        separatesReasoning = try fields.bool("separate_reasoning") ?? true
        streamsReasoning = try fields.bool("stream_reasoning") ?? true
        try Self.refuseUnsupported(fields)
    }

    private static func topLogprobs(_ fields: JSONFields) throws(FieldError) -> Int? {
        let wanted = try fields.bool("logprobs") ?? false
        guard let top = try fields.int("top_logprobs") else { return wanted ? 0 : nil }
        guard wanted || top == 0 else {
            throw FieldError("top_logprobs", .invalid("it is only allowed when 'logprobs' is true"))
        }
        return wanted ? top : nil
    }

    private static func refuseUnsupported(_ fields: JSONFields) throws(FieldError) {
        if let modalities = try fields.strings("modalities", atMost: 8), modalities.contains(where: { $0 != "text" }) {
            throw FieldError("modalities", .unsupported("Only \"text\" is available."))
        }
        try fields.refuse([
            "audio", "prediction", "web_search_options", "input_ids", "echo", "documents", "chat_template", "best_of",
            "return_hidden_states",
        ])
        try fields.refuse(["add_special_tokens"], advice: "The chat template writes the special tokens.")
    }
}
