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
    /// Names of those that may be called; nil: all. The others stay in the prompt, so that its cached beginning fits.
    package var allowed: Set<String>?
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
        if let restriction = try Self.restriction(fields) {
            (choice, allowed) = try Self.allowed(restriction, tools)
        } else {
            choice = try Self.choice(fields, tools)
        }
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

    /// The object of a `tool_choice` of the type `allowed_tools`.
    private static func restriction(_ fields: JSONFields) throws(FieldError) -> JSONFields? {
        guard case .object? = fields["tool_choice"], let choice = try fields.fields("tool_choice"),
            try choice.string("type") == "allowed_tools"
        else { return nil }
        guard let restriction = try choice.fields("allowed_tools") else {
            throw FieldError(choice.path("allowed_tools"), .missing)
        }
        return restriction
    }

    private static func allowed(
        _ restriction: JSONFields, _ tools: [Tool]
    ) throws(FieldError) -> (Choice, Set<String>) {
        let choice: Choice
        switch try restriction.string("mode") {
        case "auto"?: choice = .auto
        case "required"?: choice = .required
        case let other:
            throw FieldError(
                restriction.path("mode"),
                other.map { .invalid("\"\($0)\"; expected \"auto\" or \"required\"") } ?? .missing)
        }
        var names: Set<String> = []
        for (index, value) in (try restriction.array("tools") ?? []).enumerated() {
            let tool = try JSONFields(value, path: "\(restriction.path("tools"))[\(index)]")
            guard let function = try tool.fields("function") else { throw FieldError(tool.path("function"), .missing) }
            names.insert(try named(function, among: tools))
        }
        guard !names.isEmpty else { throw FieldError(restriction.path("tools"), .missing) }
        return (choice, names)
    }

    private static func named(_ function: JSONFields, among tools: [Tool]) throws(FieldError) -> String {
        guard let name = try function.string("name") else { throw FieldError(function.path("name"), .missing) }
        guard tools.contains(where: { $0.name == name }) else {
            throw FieldError(function.path("name"), .invalid("'tools' has no function \"\(name)\""))
        }
        return name
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
            wanted = .function(try named(function, among: tools))
        }
        guard !tools.isEmpty else { throw FieldError(path, .invalid("it is only allowed when 'tools' has functions")) }
        return wanted
    }
}
