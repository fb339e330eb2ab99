/// One message of a conversation, checked and brought into the form that chat templates know.
package struct ChatMessage: Sendable, Equatable {
    /// What the template sees, in the client's order.
    package var object: JSONObject

    private static let roles = ["system", "developer", "user", "assistant", "tool", "function"]

    /// - Throws: `FieldError` with a path such as `messages[1].content[0].type`.
    package init(_ fields: JSONFields) throws(FieldError) {
        guard let role = try fields.string("role") else { throw FieldError(fields.path("role"), .missing) }
        guard Self.roles.contains(role) else {
            let known = Self.roles.map { "'\($0)'" }.joined(separator: ", ")
            throw FieldError(fields.path("role"), .invalid("'\(role)'; supported values are \(known)"))
        }
        // Assistants may say nothing but tool calls; everybody else must say something.
        if fields["content"] == nil, role != "assistant" { throw FieldError(fields.path("content"), .missing) }
        object = JSONObject()
        for member in fields.object.members {
            switch member.name {
            case "role":
                // OpenAI's newer name for the system role; the templates of open models know only the older one.
                object.set("role", .string(role == "developer" ? "system" : role))
            case "content":
                object.set("content", .string(try Self.text(member.value, path: fields.path("content"))))
            case "tool_calls":
                // Templates ask whether there are any by asking whether the field is there.
                if let calls = try Self.toolCalls(fields) { object.set("tool_calls", calls) }
            case "name", "tool_call_id", "reasoning_content", "reasoning":
                object.set(member.name, try fields.string(member.name).map { .string($0) } ?? .null)
            default:
                object.set(member.name, member.value)
            }
        }
        // Null is how Python says nothing, but templates add strings to it: an empty string says the same.
        if object["content"] == nil { object.set("content", .string("")) }
    }

    /// A string, or the texts of a list of parts.
    private static func text(_ value: JSONValue, path: String) throws(FieldError) -> String {
        switch value {
        case .null: return ""
        case .string(let text): return text
        case .array(let parts):
            var texts: [String] = []
            for (index, part) in parts.enumerated() {
                texts.append(try self.part(part, path: "\(path)[\(index)]"))
            }
            return texts.joined(separator: "\n")
        default:
            throw FieldError(
                path, .wrongType(expected: "a string or an array of content parts", found: value.typeName))
        }
    }

    private static func part(_ value: JSONValue, path: String) throws(FieldError) -> String {
        if case .string(let text) = value { return text }
        let fields = try JSONFields(value, path: path)
        guard let type = try fields.string("type") else { throw FieldError(fields.path("type"), .missing) }
        let name: String
        switch type {
        case "text", "input_text", "output_text": name = "text"
        case "refusal": name = "refusal"
        default:
            throw FieldError(
                fields.path("type"), .unsupported("The part \"\(type)\" is not text, and this model reads only text."))
        }
        guard let text = try fields.string(name) else { throw FieldError(fields.path(name), .missing) }
        return text
    }

    /// The API sends arguments as JSON in a string, templates expect the object itself.
    private static func toolCalls(_ fields: JSONFields) throws(FieldError) -> JSONValue? {
        guard let calls = try fields.array("tool_calls") else { return nil }
        var result: [JSONValue] = []
        for (index, value) in calls.enumerated() {
            let call = try JSONFields(value, path: "\(fields.path("tool_calls"))[\(index)]")
            var object = call.object
            if let function = try call.fields("function") {
                guard try function.string("name") != nil else { throw FieldError(function.path("name"), .missing) }
                var members = function.object
                if case .string(let text) = function["arguments"], let parsed = try? JSONParser.parse(Array(text.utf8)),
                    case .object = parsed
                {
                    members.set("arguments", parsed)
                }
                object.set("function", .object(members))
            }
            result.append(.object(object))
        }
        return .array(result)
    }
}
