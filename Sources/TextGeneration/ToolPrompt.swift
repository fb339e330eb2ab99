import ChatTemplates

/// Tools for models whose chat template knows none: described in the system message, in the words and the format that
/// Hermes introduced and most models have seen in training.
enum ToolPrompt {
    private static let description = """
        # Tools

        You may call one or more functions to assist with the user query.

        You are provided with function signatures within <tools></tools> XML tags:
        <tools>
        {% for tool in tools %}{{ tool | tojson }}
        {% endfor %}</tools>

        For each function call, return a json object with function name and arguments within <tool_call></tool_call> \
        XML tags:
        <tool_call>
        {"name": <function-name>, "arguments": <args-json-object>}
        </tool_call>
        """

    private static let call = """
        <tool_call>
        {"name": {{ name | tojson }}, "arguments": {{ arguments if arguments is string else arguments | tojson }}}
        </tool_call>
        """

    static func hasCalls(_ messages: [JinjaValue]) -> Bool {
        messages.contains { message in
            guard case .dict(let fields) = message, case .list? = fields["tool_calls"] else { return false }
            return true
        }
    }

    /// The messages with tools, calls and their results written as text.
    static func messages(
        _ messages: [JinjaValue], tools: JinjaValue?
    ) throws(TextGenerationError) -> [JinjaValue] {
        var result: [JinjaValue] = []
        for message in messages {
            guard case .dict(var fields) = message else {
                result.append(message)
                continue
            }
            if case .list(let calls)? = fields["tool_calls"] {
                var text = Self.text(fields["content"])
                for value in calls.elements {
                    guard case .dict(let call) = value, case .dict(let function)? = call["function"] else { continue }
                    if !text.isEmpty { text += "\n" }
                    text += try render(
                        Self.call,
                        [("name", function["name"] ?? .none), ("arguments", function["arguments"] ?? .object([]))])
                }
                fields.set("content", .string(text))
            }
            if case .string("tool")? = fields["role"] {
                fields.set("role", "user")
                let text = Self.text(fields["content"])
                fields.set("content", .string("<tool_response>\n\(text)\n</tool_response>"))
            }
            result.append(.dict(fields))
        }
        guard let tools else { return result }
        let text = try render(Self.description, [("tools", tools)])
        if case .dict(var first)? = result.first, case .string("system")? = first["role"] {
            first.set("content", .string(Self.text(first["content"]) + "\n\n" + text))
            result[0] = .dict(first)
        } else {
            result.insert(.object([("role", "system"), ("content", .string(text))]), at: 0)
        }
        return result
    }

    private static func text(_ value: JinjaValue?) -> String {
        if case .string(let text)? = value { return text }
        return ""
    }

    private static func render(
        _ source: String, _ variables: [(String, JinjaValue)]
    ) throws(TextGenerationError) -> String {
        do {
            return try ChatTemplate(source: source, name: "tools").render(variables)
        } catch {
            throw .template(error)
        }
    }
}
