/// The body of `POST /v1/responses`, brought into the form of a chat completion.
package struct ResponsesRequest: Sendable, Equatable {
    /// What the answer shows of the request.
    package struct Echo: Sendable, Equatable {
        package var instructions: String?
        package var maxOutputTokens: Int?
        package var previousID: String?
        package var temperature: Double
        package var topP: Double
        package var parallel: Bool
        package var tools: JSONValue
        package var toolChoice: JSONValue
        package var format: JSONValue
        package var reasoning: JSONValue
        package var metadata: JSONValue
        package var user: String?
        package var isStored: Bool
    }

    package var echo: Echo
    package var model: String?
    package var stream: Bool
    /// The conversation as it goes on from the previous response, without instructions: chat messages.
    package var input: [JSONValue]
    /// The input items as they came, for `GET /v1/responses/{id}/input_items`.
    package var items: [JSONValue]
    private var body: JSONObject

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        stream = try fields.bool("stream") ?? false
        guard let value = fields["input"] else { throw FieldError("input", .missing) }
        (input, items) = try ResponsesInput.messages(value)
        body = JSONObject([("stream", .bool(stream))])
        for name in [
            "temperature", "top_p", "top_k", "min_p", "seed", "stop", "priority", "cache_salt",
            "chat_template_kwargs", "presence_penalty", "frequency_penalty", "repetition_penalty", "ignore_eos", "rid",
        ] {
            if let value = fields[name] { body.set(name, value) }
        }
        let format = try Self.format(fields, &body)
        let tools = try Self.tools(fields, &body)
        let limit = try fields.int("max_output_tokens")
        if let limit {
            guard limit >= 1 else {
                throw FieldError("max_output_tokens", .invalid("found \(limit), expected an integer ≥ 1"))
            }
            body.set("max_completion_tokens", .int(limit))
        }
        let reasoning = try fields.fields("reasoning")
        if let effort = try reasoning?.string("effort") { body.set("reasoning_effort", .string(effort)) }
        echo = Echo(
            instructions: try Self.instructions(fields), maxOutputTokens: limit,
            previousID: try fields.string("previous_response_id"), temperature: try fields.number("temperature") ?? 1,
            topP: try fields.number("top_p") ?? 1, parallel: try fields.bool("parallel_tool_calls") ?? true,
            tools: tools, toolChoice: fields["tool_choice"] ?? .string("auto"), format: format,
            reasoning: reasoning.map { .object($0.object) } ?? .null,
            metadata: fields["metadata"] ?? .object(JSONObject()),
            user: try fields.string("user"), isStored: try fields.bool("store") ?? true)
        try Self.refuse(fields)
    }

    private static func refuse(_ fields: JSONFields) throws(FieldError) {
        try fields.refuse(["background"], advice: "Answers are made while the client waits.")
        try fields.refuse(["conversation"], advice: "Use 'previous_response_id'.")
        try fields.refuse(["prompt"], advice: "There are no stored prompts.")
        let logprobs = "Log-probabilities are told by /v1/chat/completions."
        try fields.refuse(["top_logprobs"], advice: logprobs)
        if try fields.strings("include", atMost: 64)?.contains("message.output_text.logprobs") == true {
            throw FieldError("include", .unsupported(logprobs))
        }
    }

    /// A text, or input items as some clients send them.
    private static func instructions(_ fields: JSONFields) throws(FieldError) -> String? {
        try fields.string("instructions")
    }

    /// The chat completion that answers it.
    /// - Parameter history: the conversation so far, without instructions.
    package func chat(after history: [JSONValue]) throws(FieldError) -> ChatCompletionRequest {
        var body = body
        let opening = echo.instructions.map { [ChatJSON.message("system", $0)] } ?? []
        body.set("messages", .array(opening + history + input))
        return try ChatCompletionRequest(.object(body))
    }

    /// `text.format` has the members of chat's `response_format.json_schema` beside its type.
    private static func format(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) -> JSONValue {
        let text = JSONValue.object(JSONObject([("type", .string("text"))]))
        guard let format = try fields.fields("text")?.fields("format") else { return text }
        switch try format.string("type") {
        case nil, "text"?: return text
        case "json_object"?: body.set("response_format", .object(format.object))
        case "json_schema"?:
            var schema = JSONObject()
            for name in ["name", "schema", "strict", "description"] {
                if let value = format[name] { schema.set(name, value) }
            }
            body.set(
                "response_format",
                .object(JSONObject([("type", .string("json_schema")), ("json_schema", .object(schema))])))
        case let other?:
            throw FieldError(
                format.path("type"), .invalid("'\(other)'; expected \"text\", \"json_object\" or \"json_schema\""))
        }
        return .object(format.object)
    }

    /// Functions are flat here: their members stand beside the type.
    private static func tools(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) -> JSONValue {
        let tools = try fields.array("tools") ?? []
        if let parallel = fields["parallel_tool_calls"] { body.set("parallel_tool_calls", parallel) }
        guard !tools.isEmpty else { return .array([]) }
        var list: [JSONValue] = []
        for (index, value) in tools.enumerated() {
            let tool = try JSONFields(value, path: "tools[\(index)]")
            guard let type = try tool.string("type") else { throw FieldError(tool.path("type"), .missing) }
            guard type == "function" else {
                throw FieldError(
                    tool.path("type"), .unsupported("\"\(type)\" runs on OpenAI's servers; only \"function\" is here."))
            }
            var function = JSONObject()
            for name in ["name", "description", "parameters", "strict"] {
                if let value = tool[name] { function.set(name, value) }
            }
            guard function["name"] != nil else { throw FieldError(tool.path("name"), .missing) }
            list.append(.object(JSONObject([("type", .string("function")), ("function", .object(function))])))
        }
        body.set("tools", .array(list))
        switch fields["tool_choice"] {
        case nil: break
        case .string(let name)?: body.set("tool_choice", .string(name))
        case let value?:
            let choice = try JSONFields(value, path: "tool_choice")
            if try choice.string("type") == "allowed_tools" {
                body.set("tool_choice", try Self.allowed(choice))
                break
            }
            guard let name = try choice.string("name") else { throw FieldError(choice.path("name"), .missing) }
            body.set("tool_choice", ChatJSON.namedFunction(name))
        }
        return .array(tools)
    }

    /// `allowed_tools` in chat's form: one level deeper, and with functions that are not flat.
    private static func allowed(_ choice: JSONFields) throws(FieldError) -> JSONValue {
        var tools: [JSONValue] = []
        for (index, value) in (try choice.array("tools") ?? []).enumerated() {
            let tool = try JSONFields(value, path: "\(choice.path("tools"))[\(index)]")
            guard let name = try tool.string("name") else { throw FieldError(tool.path("name"), .missing) }
            tools.append(ChatJSON.namedFunction(name))
        }
        let restriction = JSONObject([("mode", choice["mode"] ?? .null), ("tools", .array(tools))])
        return .object(JSONObject([("type", .string("allowed_tools")), ("allowed_tools", .object(restriction))]))
    }
}
