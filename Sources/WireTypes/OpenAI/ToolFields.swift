/// The functions a request offers, and whether they must be called.
package struct ToolFields: Sendable, Equatable {
    package struct Tool: Sendable, Equatable {
        package var name: String
        /// JSON Schema of the arguments; nil: any object.
        package var parameters: JSONValue?
        /// The arguments must follow the schema.
        package var isStrict: Bool
        /// As the client wrote it, for the chat template.
        package var json: JSONValue
        /// Where it is in the body.
        package var path: String

        /// Names of the parameters that are strings: calls in tags write these as they are, and all others as JSON.
        package var textParameters: Set<String> {
            guard case .object(let schema) = parameters, case .object(let properties) = schema["properties"] else {
                return []
            }
            return Set(
                properties.members.filter { member in
                    guard case .object(let property) = member.value else { return false }
                    return property["type"] == .string("string")
                }.map(\.name))
        }
    }

    package enum Choice: Sendable, Equatable {
        case none
        case auto
        /// At least one, of whichever function.
        case required
        case function(String)
    }

    package var tools: [Tool] = []
    package var choice = Choice.none
    /// Whether one answer may call several times.
    package var parallel = true

    package init() {}

    /// More are refused: each is part of every prompt.
    private static let limit = 1024

    /// Reads `tools`, `tool_choice` and `parallel_tool_calls`.
    package init(_ fields: JSONFields) throws(FieldError) {
        parallel = try fields.bool("parallel_tool_calls") ?? true
        let values = try fields.array("tools") ?? []
        guard values.count <= Self.limit else {
            throw FieldError(fields.path("tools"), .invalid("\(values.count) tools; at most \(Self.limit) are allowed"))
        }
        for (index, value) in values.enumerated() {
            tools.append(try Self.tool(value, path: "\(fields.path("tools"))[\(index)]"))
        }
        choice = try Self.choice(fields, tools)
        let legacy = "Use 'tools' and 'tool_choice'."
        try fields.refuse(["functions"], advice: legacy)
        switch fields["function_call"] {
        case nil, .string("none"), .string("auto"): break
        default: throw FieldError(fields.path("function_call"), .unsupported(legacy))
        }
        // As with the peers, a model that may call nothing is told of nothing.
        if choice == .none { tools = [] }
    }

    private static func tool(_ value: JSONValue, path: String) throws(FieldError) -> Tool {
        let fields = try JSONFields(value, path: path)
        let type = try fields.string("type") ?? "function"
        guard type == "function" else {
            throw FieldError(
                fields.path("type"), .unsupported("The type \"\(type)\" is not available, only \"function\" is."))
        }
        guard let function = try fields.fields("function") else { throw FieldError(fields.path("function"), .missing) }
        guard let name = try function.string("name") else { throw FieldError(function.path("name"), .missing) }
        guard !name.isEmpty, name.utf8.count <= 256 else {
            throw FieldError(function.path("name"), .invalid("expected 1 to 256 bytes"))
        }
        _ = try function.string("description")
        // Schemas are objects; `true` and an absent one allow everything.
        let parameters = function["parameters"]
        switch parameters {
        case nil, .object, .bool: break
        case let other?:
            throw FieldError(function.path("parameters"), .wrongType(expected: "an object", found: other.typeName))
        }
        return Tool(
            name: name, parameters: parameters, isStrict: try function.bool("strict") ?? false, json: value, path: path)
    }

    private static func choice(_ fields: JSONFields, _ tools: [Tool]) throws(FieldError) -> Choice {
        let path = fields.path("tool_choice")
        let wanted: Choice
        switch fields["tool_choice"] {
        case nil: return tools.isEmpty ? .none : .auto
        case .string("none"): return .none
        case .string("auto"): return tools.isEmpty ? .none : .auto
        case .string("required"), .string("any"): wanted = .required
        case .string(let other):
            throw FieldError(
                path, .invalid("\"\(other)\"; expected \"none\", \"auto\", \"required\" or a function's object"))
        case let value?:
            let object = try JSONFields(value, path: path)
            guard let function = try object.fields("function") else {
                throw FieldError(object.path("function"), .missing)
            }
            guard let name = try function.string("name") else { throw FieldError(function.path("name"), .missing) }
            guard tools.contains(where: { $0.name == name }) else {
                throw FieldError(function.path("name"), .invalid("'tools' has no function \"\(name)\""))
            }
            wanted = .function(name)
        }
        guard !tools.isEmpty else { throw FieldError(path, .invalid("it is only allowed when 'tools' has functions")) }
        return wanted
    }
}
