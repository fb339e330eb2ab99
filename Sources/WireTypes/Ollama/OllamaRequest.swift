/// The bodies of Ollama's `POST /api/chat` and `/api/generate`, brought into the form of a chat completion (or of a
/// plain completion, with `raw`).
package struct OllamaRequest: Sendable, Equatable {
    package enum Prompt: Sendable, Equatable {
        case chat(ChatCompletionRequest)
        case raw(CompletionRequest)
        /// Only the model is to be loaded, which it is.
        case nothing
    }

    package var model: String?
    package var prompt: Prompt
    package var stream: Bool

    /// - Parameter generates: `/api/generate`, whose prompt is one text; otherwise `/api/chat`.
    /// - Throws: `FieldError` with a path in Ollama's body.
    package init(_ root: JSONValue, generates: Bool) throws(FieldError) {
        let fields = try JSONFields(root: root)
        // Ollama's clients write the tag that it adds by itself.
        model = try fields.string("model").map { $0.hasSuffix(":latest") ? String($0.dropLast(7)) : $0 }
        stream = try fields.bool("stream") ?? true
        try fields.refuse(["images"], advice: "This model reads only text.")
        try fields.refuse(["suffix"], advice: "This model cannot fill in between two texts.")
        var body = JSONObject([("stream", .bool(stream))])
        try Self.options(fields, &body)
        try Self.format(fields, &body)
        try Self.thinking(fields, &body)
        if let tools = fields["tools"] { body.set("tools", tools) }
        if generates {
            prompt = try Self.generation(fields, &body)
            return
        }
        let turns = try fields.array("messages") ?? []
        guard !turns.isEmpty else {
            prompt = .nothing
            return
        }
        var messages: [JSONValue] = []
        for (index, turn) in turns.enumerated() {
            messages.append(try Self.message(JSONFields(turn, path: "messages[\(index)]")))
        }
        body.set("messages", .array(messages))
        prompt = .chat(try ChatCompletionRequest(.object(body)))
    }

    private static func generation(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) -> Prompt {
        let text = try fields.string("prompt") ?? ""
        guard !text.isEmpty else { return .nothing }
        if try fields.bool("raw") == true {
            body.set("prompt", .string(text))
            if body["max_tokens"] == nil { body.set("max_tokens", .int(128)) }
            return .raw(try CompletionRequest(.object(body)))
        }
        let system = try fields.string("system").map { [ChatJSON.message("system", $0)] } ?? []
        body.set("messages", .array(system + [ChatJSON.message("user", text)]))
        return .chat(try ChatCompletionRequest(.object(body)))
    }

    /// Calls have no ids here, and their arguments are objects.
    private static func message(_ turn: JSONFields) throws(FieldError) -> JSONValue {
        guard let role = try turn.string("role") else { throw FieldError(turn.path("role"), .missing) }
        try turn.refuse(["images"], advice: "This model reads only text.")
        var message = JSONObject([("role", .string(role)), ("content", .string(try turn.string("content") ?? ""))])
        if let thinking = try turn.string("thinking") { message.set("reasoning_content", .string(thinking)) }
        if let name = try turn.string("tool_name") { message.set("name", .string(name)) }
        if let calls = try turn.array("tool_calls"), !calls.isEmpty {
            var list: [JSONValue] = []
            for (index, value) in calls.enumerated() {
                let call = try JSONFields(value, path: "\(turn.path("tool_calls"))[\(index)]")
                guard let function = try call.fields("function") else {
                    throw FieldError(call.path("function"), .missing)
                }
                guard let name = try function.string("name") else { throw FieldError(function.path("name"), .missing) }
                var writer = JSONWriter()
                writer.value(function["arguments"] ?? .object(JSONObject()))
                list.append(
                    ChatJSON.call(
                        id: "call_\(index)", name: name, arguments: String(decoding: writer.bytes, as: UTF8.self)))
            }
            message.set("tool_calls", .array(list))
        }
        return .object(message)
    }

    /// Names of Ollama's options and ours. What is about the machine (`num_ctx`, `num_thread`, …) is the operator's.
    private static let names = [
        ("temperature", "temperature"), ("top_p", "top_p"), ("top_k", "top_k"), ("min_p", "min_p"), ("seed", "seed"),
        ("stop", "stop"), ("repeat_penalty", "repetition_penalty"), ("presence_penalty", "presence_penalty"),
        ("frequency_penalty", "frequency_penalty"),
    ]

    private static func options(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        guard let options = try fields.fields("options") else { return }
        for (theirs, ours) in names { if let value = options[theirs] { body.set(ours, value) } }
        // -1 and -2: until the end, or until the context is full.
        if let limit = try options.int("num_predict"), limit >= 0 { body.set("max_tokens", .int(max(1, limit))) }
    }

    private static func format(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        switch fields["format"] {
        case nil, .string("")?: break
        case .string("json")?:
            body.set("response_format", .object(JSONObject([("type", .string("json_object"))])))
        case .object(let schema)?:
            let form = JSONObject([("name", .string("format")), ("schema", .object(schema)), ("strict", .bool(true))])
            body.set(
                "response_format",
                .object(JSONObject([("type", .string("json_schema")), ("json_schema", .object(form))])))
        default: throw FieldError("format", .invalid("expected \"json\" or a JSON schema"))
        }
    }

    private static func thinking(_ fields: JSONFields, _ body: inout JSONObject) throws(FieldError) {
        let isWanted: Bool
        switch fields["think"] {
        case nil: return
        case .bool(let value)?: isWanted = value
        // An effort.
        case .string?: isWanted = true
        case let value?: throw FieldError("think", .wrongType(expected: "a boolean or a string", found: value.typeName))
        }
        body.set("chat_template_kwargs", .object(JSONObject([("enable_thinking", .bool(isWanted))])))
    }
}
