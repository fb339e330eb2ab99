/// The `input` of a response: a text, or items of a conversation.
enum ResponsesInput {
    /// - Returns: chat messages, and the items as `input_items` lists them.
    static func messages(_ value: JSONValue) throws(FieldError) -> (messages: [JSONValue], items: [JSONValue]) {
        if case .string(let text) = value {
            let part = JSONObject([("type", .string("input_text")), ("text", .string(text))])
            let item = JSONObject([
                ("type", .string("message")), ("role", .string("user")), ("content", .array([.object(part)])),
            ])
            return ([ChatJSON.message("user", text)], [.object(item)])
        }
        guard case .array(let items) = value else {
            throw FieldError("input", .wrongType(expected: "a string or an array of items", found: value.typeName))
        }
        guard !items.isEmpty else { throw FieldError("input", .invalid("it is an empty array")) }
        var assembly = Assembly()
        for (index, item) in items.enumerated() { try assembly.add(JSONFields(item, path: "input[\(index)]")) }
        assembly.endTurn()
        return (assembly.messages, items)
    }

    /// What one turn of the assistant is in a chat, several items are here: reasoning, text and calls.
    private struct Assembly {
        var messages: [JSONValue] = []
        private var reasoning = ""
        private var text = ""
        private var calls: [JSONValue] = []

        mutating func add(_ item: JSONFields) throws(FieldError) {
            switch try item.string("type") ?? "message" {
            case "message": try message(item)
            case "reasoning": reasoning += try parts(item, "content") + (reasoning.isEmpty ? "" : "\n")
            case "function_call":
                guard let id = try item.string("call_id") else { throw FieldError(item.path("call_id"), .missing) }
                guard let name = try item.string("name") else { throw FieldError(item.path("name"), .missing) }
                calls.append(ChatJSON.call(id: id, name: name, arguments: try item.string("arguments") ?? "{}"))
            case "function_call_output":
                guard let id = try item.string("call_id") else { throw FieldError(item.path("call_id"), .missing) }
                endTurn()
                messages.append(ChatJSON.toolResult(id: id, text: try parts(item, "output")))
            case let type:
                throw FieldError(
                    item.path("type"), .unsupported("The item \"\(type)\" belongs to a tool this server does not run."))
            }
        }

        private mutating func message(_ item: JSONFields) throws(FieldError) {
            guard let role = try item.string("role") else { throw FieldError(item.path("role"), .missing) }
            guard item["content"] != nil else { throw FieldError(item.path("content"), .missing) }
            let content = try parts(item, "content")
            guard role == "assistant" else {
                endTurn()
                messages.append(ChatJSON.message(role, content))
                return
            }
            if !text.isEmpty || !calls.isEmpty { endTurn() }
            text = content
        }

        /// A string, or the texts of parts.
        private func parts(_ item: JSONFields, _ name: String) throws(FieldError) -> String {
            guard let value = item[name] else { return "" }
            if case .string(let text) = value { return text }
            var texts: [String] = []
            for (index, part) in try value.array(at: item.path(name)).enumerated() {
                let part = try JSONFields(part, path: "\(item.path(name))[\(index)]")
                let type = try part.string("type") ?? "input_text"
                guard ["input_text", "output_text", "text", "reasoning_text", "summary_text", "refusal"].contains(type)
                else {
                    throw FieldError(
                        part.path("type"),
                        .unsupported("The part \"\(type)\" is not text, and this model reads only text."))
                }
                texts.append(try part.string(type == "refusal" ? "refusal" : "text") ?? "")
            }
            return texts.joined(separator: "\n")
        }

        mutating func endTurn() {
            defer { (reasoning, text, calls) = ("", "", []) }
            guard !text.isEmpty || !calls.isEmpty else { return }
            var message = JSONObject([("role", .string("assistant")), ("content", .string(text))])
            if !reasoning.isEmpty { message.set("reasoning_content", .string(reasoning)) }
            if !calls.isEmpty { message.set("tool_calls", .array(calls)) }
            messages.append(.object(message))
        }
    }
}
