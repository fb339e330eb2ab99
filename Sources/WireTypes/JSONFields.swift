/// A field of a request that is missing or has a value we cannot use.
package struct FieldError: Error, Equatable, Sendable {
    package enum Problem: Equatable, Sendable {
        case missing
        case wrongType(expected: String, found: String)
        /// Says what was found and what was expected.
        case invalid(String)
        /// A field of the API that this server does not implement; says what to do instead.
        case unsupported(String)
    }

    /// As a client would write it, for example `messages[1].content`.
    package var path: String
    package var problem: Problem

    package init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    package var message: String {
        switch problem {
        case .missing: "Missing required parameter: '\(path)'."
        case .wrongType(let expected, let found): "Invalid type for '\(path)': expected \(expected), but got \(found)."
        case .invalid(let reason): "Invalid value for '\(path)': \(reason)."
        case .unsupported(let advice): "'\(path)' is not supported yet. \(advice)"
        }
    }

    /// As the OpenAI API names the kinds of errors.
    package var code: String {
        switch problem {
        case .missing: "missing_required_parameter"
        case .wrongType: "invalid_type"
        case .invalid: "invalid_value"
        case .unsupported: "unsupported_parameter"
        }
    }
}

/// Typed access to the members of an object; every error names the path. A null is the same as an absent member.
package struct JSONFields: Sendable {
    package let object: JSONObject
    private let prefix: String

    /// The whole request. - Throws: if it is not an object.
    package init(root: JSONValue) throws(FieldError) {
        guard case .object(let object) = root else {
            throw FieldError("", .invalid("the body must be a JSON object, but it is \(root.typeName)"))
        }
        self.object = object
        prefix = ""
    }

    package init(_ value: JSONValue, path: String) throws(FieldError) {
        guard case .object(let object) = value else {
            throw FieldError(path, .wrongType(expected: "an object", found: value.typeName))
        }
        self.object = object
        prefix = path + "."
    }

    package func path(_ name: String) -> String { prefix + name }

    /// Nil if absent or null.
    package subscript(name: String) -> JSONValue? {
        guard let value = object[name], value != .null else { return nil }
        return value
    }

    package func string(_ name: String) throws(FieldError) -> String? {
        guard let value = self[name] else { return nil }
        return try value.string(at: path(name))
    }

    package func bool(_ name: String) throws(FieldError) -> Bool? {
        guard let value = self[name] else { return nil }
        return try value.bool(at: path(name))
    }

    package func int(_ name: String) throws(FieldError) -> Int? {
        guard let value = self[name] else { return nil }
        return try value.int(at: path(name))
    }

    package func number(_ name: String) throws(FieldError) -> Double? {
        guard let value = self[name] else { return nil }
        return try value.number(at: path(name))
    }

    package func array(_ name: String) throws(FieldError) -> [JSONValue]? {
        guard let value = self[name] else { return nil }
        return try value.array(at: path(name))
    }

    package func fields(_ name: String) throws(FieldError) -> JSONFields? {
        guard let value = self[name] else { return nil }
        return try JSONFields(value, path: path(name))
    }

    package func tokenIDs(_ name: String) throws(FieldError) -> [Int32]? {
        guard let value = self[name] else { return nil }
        return try value.tokenIDs(at: path(name))
    }

    /// One string or a list of them.
    package func strings(_ name: String, atMost limit: Int) throws(FieldError) -> [String]? {
        guard let value = self[name] else { return nil }
        if case .string(let text) = value { return [text] }
        guard case .array(let elements) = value else {
            throw FieldError(
                path(name), .wrongType(expected: "a string or an array of strings", found: value.typeName))
        }
        guard elements.count <= limit else {
            throw FieldError(path(name), .invalid("\(elements.count) entries; at most \(limit) are allowed"))
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            texts.append(try element.string(at: "\(path(name))[\(index)]"))
        }
        return texts
    }

    /// Refuses fields that would change the answer and that we do not implement. What says nothing (`false`, `0`,
    /// `""`, `[]`, `{}`) is let through.
    package func refuse(_ names: [String], advice: String = "Leave it out.") throws(FieldError) {
        for name in names {
            guard let value = self[name] else { continue }
            let saysNothing =
                switch value {
                case .null: true
                case .bool(let value): !value
                case .int(let value): value == 0
                case .number(let value): value == 0
                case .string(let text): text.isEmpty
                case .array(let elements): elements.isEmpty
                case .object(let object): object.isEmpty
                }
            if !saysNothing { throw FieldError(path(name), .unsupported(advice)) }
        }
    }
}

extension JSONValue {
    package func string(at path: String) throws(FieldError) -> String {
        guard case .string(let text) = self else {
            throw FieldError(path, .wrongType(expected: "a string", found: typeName))
        }
        return text
    }

    package func bool(at path: String) throws(FieldError) -> Bool {
        guard case .bool(let value) = self else {
            throw FieldError(path, .wrongType(expected: "a boolean", found: typeName))
        }
        return value
    }

    /// Also takes `5.0`: JSON knows one kind of number.
    package func int(at path: String) throws(FieldError) -> Int {
        switch self {
        case .int(let value): return value
        case .number(let value):
            if let exact = Int(exactly: value) { return exact }
            throw FieldError(path, .wrongType(expected: "an integer", found: "\(value)"))
        default: throw FieldError(path, .wrongType(expected: "an integer", found: typeName))
        }
    }

    package func number(at path: String) throws(FieldError) -> Double {
        switch self {
        case .int(let value): return Double(value)
        case .number(let value): return value
        default: throw FieldError(path, .wrongType(expected: "a number", found: typeName))
        }
    }

    package func array(at path: String) throws(FieldError) -> [JSONValue] {
        guard case .array(let elements) = self else {
            throw FieldError(path, .wrongType(expected: "an array", found: typeName))
        }
        return elements
    }

    package func tokenIDs(at path: String) throws(FieldError) -> [Int32] {
        let elements = try array(at: path)
        var ids: [Int32] = []
        ids.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .int(let id) = element else {
                throw FieldError("\(path)[\(index)]", .wrongType(expected: "a token id", found: element.typeName))
            }
            guard let id = Int32(exactly: id), id >= 0 else {
                throw FieldError("\(path)[\(index)]", .invalid("\(id) is not a token id"))
            }
            ids.append(id)
        }
        return ids
    }
}
