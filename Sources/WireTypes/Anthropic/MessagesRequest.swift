/// The body of Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`, brought into the form of a chat
/// completion: one way leads from a conversation to the model.
package struct MessagesRequest: Sendable, Equatable {
    package var chat: ChatCompletionRequest
    package var model: String?
    package var stream: Bool
    /// Where the client wants the prompt kept, from the front to the back.
    package private(set) var breakpoints: [CacheBreakpoint] = []

    /// - Parameter counts: only the prompt matters; `max_tokens` may be absent.
    /// - Throws: `FieldError` with a path in Anthropic's body.
    package init(_ root: JSONValue, counts: Bool = false) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        stream = counts ? false : try fields.bool("stream") ?? false
        var body = JSONObject()
        var messages: [JSONValue] = []
        breakpoints = try CacheBreakpoint.ofTools(fields)
        if let system = fields["system"] {
            let text = try AnthropicContent.text(system, path: "system")
            if !text.isEmpty {
                breakpoints += try CacheBreakpoint.inBlocks(of: system, path: "system", message: 0)
                messages.append(ChatJSON.message("system", text))
            }
        }
        guard let turns = try fields.array("messages") else { throw FieldError("messages", .missing) }
        guard !turns.isEmpty else { throw FieldError("messages", .invalid("at least one message is needed")) }
        var lastRole = ""
        for (index, turn) in turns.enumerated() {
            let turn = try JSONFields(turn, path: "messages[\(index)]")
            guard let role = try turn.string("role") else { throw FieldError(turn.path("role"), .missing) }
            let made = try AnthropicContent.messages(turn, role: role)
            if let content = turn["content"] {
                let last = messages.count + made.count - 1
                breakpoints += try CacheBreakpoint.inBlocks(of: content, path: turn.path("content"), message: last)
            }
            messages += made
            lastRole = role
        }
        if let wish = try CacheBreakpoint(fields, .message(messages.count - 1)) { breakpoints.append(wish) }
        guard breakpoints.count <= CacheBreakpoint.limit else {
            throw FieldError(
                "cache_control",
                .invalid("at most \(CacheBreakpoint.limit) may be given, found \(breakpoints.count)"))
        }
        body.set("messages", .array(messages))
        // A last turn of the assistant is the beginning of the answer.
        if lastRole == "assistant" { body.set("continue_final_message", .bool(true)) }
        if !counts {
            guard let limit = try fields.int("max_tokens") else { throw FieldError("max_tokens", .missing) }
            body.set("max_tokens", .int(limit))
            body.set("stream", .bool(stream))
        }
        for name in ["temperature", "top_p", "top_k", "priority", "cache_salt", "rid", "chat_template_kwargs"] {
            if let value = fields[name] { body.set(name, value) }
        }
        if let stop = fields["stop_sequences"] { body.set("stop", stop) }
        try Self.output(fields, &body)
        try Self.thinking(fields, &body)
        try Self.tools(fields, &body)
        chat = try ChatCompletionRequest(.object(body))
    }

    /// The schema of the answer, which older clients send as `output_format`, and how hard to think.
    private static func output(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        let config = try fields.fields("output_config")
        if let effort = try config?.string("effort") { body.set("reasoning_effort", .string(effort)) }
        let newer = try config?.fields("format")
        let older = try fields.fields("output_format")
        guard let format = newer ?? older else { return }
        guard try format.string("type") == "json_schema" else {
            throw FieldError(format.path("type"), .invalid("expected \"json_schema\""))
        }
        guard let schema = format["schema"] else { throw FieldError(format.path("schema"), .missing) }
        let form = JSONObject([("name", .string("answer")), ("schema", schema), ("strict", .bool(true))])
        body.set(
            "response_format",
            .object(JSONObject([("type", .string("json_schema")), ("json_schema", .object(form))])))
    }

    private static func thinking(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        guard let thinking = try fields.fields("thinking") else { return }
        let type = try thinking.string("type")
        var variables = JSONObject()
        if case .object(let own)? = body["chat_template_kwargs"] { variables = own }
        variables.set("enable_thinking", .bool(type == "enabled" || type == "adaptive"))
        body.set("chat_template_kwargs", .object(variables))
    }

    private static func tools(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        guard let tools = try fields.array("tools"), !tools.isEmpty else { return }
        var list: [JSONValue] = []
        for (index, value) in tools.enumerated() {
            let tool = try JSONFields(value, path: "tools[\(index)]")
            guard let name = try tool.string("name") else { throw FieldError(tool.path("name"), .missing) }
            if let type = try tool.string("type"), type != "custom" {
                throw FieldError(tool.path("type"), .unsupported("Only tools that the client runs are available."))
            }
            var function = JSONObject([("name", .string(name))])
            if let text = try tool.string("description") { function.set("description", .string(text)) }
            if let schema = tool["input_schema"] { function.set("parameters", schema) }
            if let strict = tool["strict"] { function.set("strict", strict) }
            list.append(.object(JSONObject([("type", .string("function")), ("function", .object(function))])))
        }
        body.set("tools", .array(list))
        guard let choice = try fields.fields("tool_choice") else { return }
        if try choice.bool("disable_parallel_tool_use") == true { body.set("parallel_tool_calls", .bool(false)) }
        switch try choice.string("type") {
        case "auto"?, nil: break
        case "none"?: body.set("tool_choice", .string("none"))
        case "any"?: body.set("tool_choice", .string("required"))
        case "tool"?:
            guard let name = try choice.string("name") else { throw FieldError(choice.path("name"), .missing) }
            body.set("tool_choice", ChatJSON.namedFunction(name))
        case let other?:
            throw FieldError(
                choice.path("type"), .invalid("'\(other)'; expected \"auto\", \"any\", \"tool\" or \"none\""))
        }
    }
}

/// Content blocks of Anthropic's messages.
enum AnthropicContent {
    /// A string, or the texts of blocks that may be nothing but text.
    static func text(_ value: JSONValue, path: String) throws(FieldError) -> String {
        if case .string(let text) = value { return text }
        var texts: [String] = []
        for (index, block) in try value.array(at: path).enumerated() {
            let block = try JSONFields(block, path: "\(path)[\(index)]")
            texts.append(try text(of: block))
        }
        return texts.joined(separator: "\n")
    }

    private static func text(of block: JSONFields) throws(FieldError) -> String {
        guard let type = try block.string("type") else { throw FieldError(block.path("type"), .missing) }
        guard type == "text" else {
            throw FieldError(
                block.path("type"), .unsupported("The block \"\(type)\" is not text, and this model reads only text."))
        }
        guard let text = try block.string("text") else { throw FieldError(block.path("text"), .missing) }
        return text
    }

    /// The chat messages of one turn: results of tools are messages of their own there, and come first.
    static func messages(_ turn: JSONFields, role: String) throws(FieldError) -> [JSONValue] {
        guard role == "user" || role == "assistant" || role == "system" else {
            throw FieldError(turn.path("role"), .invalid("'\(role)'; expected \"user\" or \"assistant\""))
        }
        guard let content = turn["content"] else { throw FieldError(turn.path("content"), .missing) }
        if case .string(let text) = content { return [ChatJSON.message(role, text)] }
        var texts: [String] = []
        var thinking: [String] = []
        var calls: [JSONValue] = []
        var results: [JSONValue] = []
        for (index, block) in try content.array(at: turn.path("content")).enumerated() {
            let block = try JSONFields(block, path: "\(turn.path("content"))[\(index)]")
            switch try block.string("type") {
            case "tool_use"?: calls.append(try call(block))
            case "tool_result"?: results.append(try result(block))
            case "thinking"?: thinking.append(try block.string("thinking") ?? "")
            case "redacted_thinking"?: break
            default: texts.append(try text(of: block))
            }
        }
        var message = JSONObject([
            ("role", .string(role)), ("content", .string(texts.joined(separator: "\n"))),
        ])
        if !thinking.isEmpty { message.set("reasoning_content", .string(thinking.joined(separator: "\n"))) }
        if !calls.isEmpty { message.set("tool_calls", .array(calls)) }
        let saysSomething = !texts.isEmpty || !calls.isEmpty || role == "assistant"
        return results + (saysSomething || results.isEmpty ? [.object(message)] : [])
    }

    private static func call(_ block: JSONFields) throws(FieldError) -> JSONValue {
        guard let id = try block.string("id") else { throw FieldError(block.path("id"), .missing) }
        guard let name = try block.string("name") else { throw FieldError(block.path("name"), .missing) }
        var writer = JSONWriter()
        writer.value(block["input"] ?? .object(JSONObject()))
        return ChatJSON.call(id: id, name: name, arguments: String(decoding: writer.bytes, as: UTF8.self))
    }

    private static func result(_ block: JSONFields) throws(FieldError) -> JSONValue {
        guard let id = try block.string("tool_use_id") else { throw FieldError(block.path("tool_use_id"), .missing) }
        let text = try block["content"].map { value throws(FieldError) in
            try Self.text(value, path: block.path("content"))
        }
        return ChatJSON.toolResult(id: id, text: text ?? "")
    }
}

/// Parts of a chat completion's body, for requests that come in another form.
enum ChatJSON {
    static func message(_ role: String, _ text: String) -> JSONValue {
        .object(JSONObject([("role", .string(role)), ("content", .string(text))]))
    }

    static func call(id: String, name: String, arguments: String) -> JSONValue {
        .object(
            JSONObject([
                ("id", .string(id)), ("type", .string("function")),
                ("function", .object(JSONObject([("name", .string(name)), ("arguments", .string(arguments))]))),
            ]))
    }

    static func toolResult(id: String, text: String) -> JSONValue {
        .object(JSONObject([("role", .string("tool")), ("tool_call_id", .string(id)), ("content", .string(text))]))
    }

    static func namedFunction(_ name: String) -> JSONValue {
        .object(
            JSONObject([
                ("type", .string("function")), ("function", .object(JSONObject([("name", .string(name))]))),
            ]))
    }
}
