/// OpenAI's rules for schemas with `"strict": true`, beyond JSON Schema itself, and their wording. Compilation does not
/// need them: it is for callers that want what that API would refuse refused here too.
package enum StrictMode {
    /// One breach of the rules.
    package struct Violation: Equatable, Sendable {
        /// JSON pointer of the subschema.
        package var pointer: String
        /// As the API words it.
        package var message: String

        package init(pointer: String, message: String) {
            self.pointer = pointer
            self.message = message
        }
    }

    package static let maximumDepth = 10
    package static let maximumProperties = 5_000
    package static let maximumEnumValues = 1_000

    private static let refusedKeywords: Set<String> = [
        "allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf", "patternProperties",
        "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedItems", "contains",
        "minContains", "maxContains", "uniqueItems", "prefixItems", "additionalItems", "dependencies",
    ]

    /// All breaches, in the order of the schema; empty for a strict schema.
    /// - Parameter name: the schema's name in the request, for the message.
    package static func violations(
        _ document: SchemaDocument, name: String = "response"
    ) -> [Violation] {
        var check = Check(document: document, name: name)
        if document.string(document.member("type", of: SchemaDocument.root)) != "object" {
            check.report(
                SchemaDocument.root, [],
                "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"\(check.typeName(SchemaDocument.root))\"'."
            )
        }
        if document.member("anyOf", of: SchemaDocument.root) != nil {
            check.report(SchemaDocument.root, [], "schema must not have 'anyOf' at the top level.")
        }
        check.visit(SchemaDocument.root, context: [], depth: 1)
        if check.properties > maximumProperties {
            check.report(
                SchemaDocument.root, [],
                "schema has \(check.properties) properties, which exceeds the limit of \(maximumProperties).")
        }
        if check.enumValues > maximumEnumValues {
            check.report(
                SchemaDocument.root, [],
                "schema has \(check.enumValues) enum values, which exceeds the limit of \(maximumEnumValues).")
        }
        return check.found
    }

    private struct Check {
        let document: SchemaDocument
        let name: String
        var found: [Violation] = []
        var properties = 0
        var enumValues = 0

        mutating func report(_ place: SchemaDocument.Place, _ context: [String], _ reason: String) {
            let tuple = context.map { "'\($0)'" }.joined(separator: ", ") + (context.count == 1 ? "," : "")
            found.append(
                Violation(
                    pointer: document.pointer(place),
                    message: "Invalid schema for response_format '\(name)': In context=(\(tuple)), \(reason)"))
        }

        func typeName(_ place: SchemaDocument.Place) -> String {
            document.string(document.member("type", of: place)) ?? "None"
        }

        mutating func visit(_ place: SchemaDocument.Place, context: [String], depth: Int) {
            guard case .object(let members) = document[place] else { return }
            if depth > StrictMode.maximumDepth {
                report(place, context, "nesting exceeds the limit of \(StrictMode.maximumDepth) levels.")
                return
            }
            var isTyped = false
            for member in members {
                let keyword = String(decoding: member.name, as: UTF8.self)
                if ["type", "$ref", "anyOf", "enum", "const"].contains(keyword) { isTyped = true }
                if StrictMode.refusedKeywords.contains(keyword) {
                    report(place, context, "'\(keyword)' is not permitted.")
                }
                if keyword == "enum", case .array(let values) = document[member.value] { enumValues += values.count }
                if keyword == "default" { report(place, context, "'default' is not permitted.") }
            }
            if !isTyped { report(place, context, "schema must have a 'type' key.") }
            checkObject(place, context)
            for member in members {
                let keyword = String(decoding: member.name, as: UTF8.self)
                switch (keyword, document[member.value]) {
                case ("properties", .object(let children)), ("$defs", .object(let children)),
                    ("definitions", .object(let children)):
                    for child in children {
                        let childName = String(decoding: child.name, as: UTF8.self)
                        visit(
                            child.value, context: context + [keyword, childName],
                            depth: depth + (keyword == "properties" ? 1 : 0))
                    }
                case ("items", .object): visit(member.value, context: context + ["items"], depth: depth + 1)
                case ("anyOf", .array(let children)):
                    for (index, child) in children.enumerated() {
                        visit(child, context: context + ["anyOf", String(index)], depth: depth)
                    }
                default: break
                }
            }
        }

        /// Objects must be closed and name every property as required.
        private mutating func checkObject(_ place: SchemaDocument.Place, _ context: [String]) {
            let children = document.member("properties", of: place)
            guard isObject(place) || children != nil else { return }
            let additional = document.member("additionalProperties", of: place).map { document[$0] }
            if case .boolean(false) = additional {
            } else {
                report(place, context, "'additionalProperties' is required to be supplied and to be false.")
            }
            guard let children, case .object(let members) = document[children] else { return }
            properties += members.count
            var required: Set<[UInt8]> = []
            if let list = document.member("required", of: place), case .array(let names) = document[list] {
                for name in names { if case .string(let text) = document[name] { required.insert(text) } }
            }
            for member in members where !required.contains(member.name) {
                report(
                    place, context,
                    "'required' is required to be supplied and to be an array including every key in properties. "
                        + "Missing '\(String(decoding: member.name, as: UTF8.self))'.")
                break
            }
        }

        private func isObject(_ place: SchemaDocument.Place) -> Bool {
            guard let type = document.member("type", of: place) else { return false }
            switch document[type] {
            case .string(let text): return text == Array("object".utf8)
            case .array(let types): return types.contains { document.string($0) == "object" }
            default: return false
            }
        }
    }
}
