/// What an answer must look like, in whichever of OpenAI's, SGLang's and vLLM's forms a request says it.
package struct WireConstraint: Sendable, Equatable {
    package indirect enum Form: Sendable, Equatable {
        case jsonObject
        case jsonSchema(JSONValue)
        case regex(String)
        case ebnf(String)
        case choice([String])
        case structuralTag(WireStructuralTag)
    }

    package var form: Form
    /// As a client would write it.
    package var path: String
    package var options = WireConstraintOptions()

    /// The top-level fields of the OpenAI endpoints.
    /// - Returns: nil if the answer is free.
    static func openAI(_ fields: JSONFields) throws(FieldError) -> WireConstraint? {
        var found = FoundConstraints()
        if let format = try fields.fields("response_format") { try found.addResponseFormat(format) }
        try found.addNamed(fields)
        try found.addGuided(fields)
        if let outputs = try fields.fields("structured_outputs") { try found.addStructuredOutputs(outputs) }
        return try found.only(options: WireConstraintOptions(fields))
    }

    /// SGLang's `sampling_params`.
    static func native(_ fields: JSONFields) throws(FieldError) -> WireConstraint? {
        var found = FoundConstraints()
        try found.addNamed(fields)
        return try found.only(options: WireConstraintOptions(fields))
    }
}

/// Free text in which triggers switch structures on.
package struct WireStructuralTag: Sendable, Equatable {
    package struct Structure: Sendable, Equatable {
        package var begin: String
        package var content: WireConstraint.Form
        package var ends: [String]

        package init(begin: String, content: WireConstraint.Form, ends: [String]) {
            self.begin = begin
            self.content = content
            self.ends = ends
        }
    }

    package var structures: [Structure]
    package var triggers: [String]
    package var atLeastOne = false
    package var stopAfterFirst = false

    package init(structures: [Structure], triggers: [String]) {
        self.structures = structures
        self.triggers = triggers
    }
}

/// Radish's own `constraint_options`: how a constraint is followed.
package struct WireConstraintOptions: Sendable, Equatable {
    package enum Whitespace: String, Sendable, CaseIterable {
        case compact, spaced, flexible
    }

    package var whitespace = Whitespace.compact
    package var anyPropertyOrder = false
    package var bestEffort = false
    package var closesInBudget = false
    package var jumpsForward = true

    package init() {}

    init(_ fields: JSONFields) throws(FieldError) {
        guard let options = try fields.fields("constraint_options") else { return }
        if let name = try options.string("whitespace") {
            guard let whitespace = Whitespace(rawValue: name) else {
                throw FieldError(
                    options.path("whitespace"), .invalid("\"\(name)\"; expected compact, spaced or flexible"))
            }
            self.whitespace = whitespace
        }
        switch try options.string("property_order") {
        case nil, "schema": break
        case "any": anyPropertyOrder = true
        case let other?:
            throw FieldError(options.path("property_order"), .invalid("\"\(other)\"; expected schema or any"))
        }
        bestEffort = try options.bool("best_effort") ?? false
        closesInBudget = try options.bool("close_in_budget") ?? false
        jumpsForward = try options.bool("jump_forward") ?? true
    }
}

/// Collects what a request says, to refuse it if it says two things.
private struct FoundConstraints {
    private var all: [WireConstraint] = []
    private var isBestEffort = false

    private mutating func add(_ form: WireConstraint.Form, _ path: String) {
        all.append(WireConstraint(form: form, path: path))
    }

    func only(options: WireConstraintOptions) throws(FieldError) -> WireConstraint? {
        if all.count > 1 {
            throw FieldError(
                all[1].path, .invalid("'\(all[0].path)' is given as well; one answer can follow one constraint"))
        }
        guard var only = all.first else { return nil }
        only.options = options
        only.options.bestEffort = options.bestEffort || isBestEffort
        return only
    }

    // MARK: OpenAI

    mutating func addResponseFormat(_ format: JSONFields) throws(FieldError) {
        guard let type = try format.string("type") else { throw FieldError(format.path("type"), .missing) }
        switch type {
        case "text": break
        case "json_object": add(.jsonObject, "response_format")
        case "json_schema":
            guard let object = try format.fields("json_schema") else {
                throw FieldError(format.path("json_schema"), .missing)
            }
            guard let schema = object["schema"] ?? object["schema_"] else {
                throw FieldError(object.path("schema"), .missing)
            }
            add(.jsonSchema(try Self.schema(schema, object.path("schema"))), object.path("schema"))
            // OpenAI: without strictness the schema is followed as far as possible.
            if try object.bool("strict") == false { isBestEffort = true }
        case "structural_tag": add(.structuralTag(try Self.structuralTag(format)), "response_format")
        case "grammar":
            guard let grammar = try format.string("grammar") else { throw FieldError(format.path("grammar"), .missing) }
            add(.ebnf(grammar), format.path("grammar"))
        default:
            throw FieldError(
                format.path("type"),
                .invalid("\"\(type)\"; expected text, json_object, json_schema, structural_tag or grammar"))
        }
    }

    // MARK: SGLang

    mutating func addNamed(_ fields: JSONFields) throws(FieldError) {
        if let schema = fields["json_schema"] {
            let path = fields.path("json_schema")
            add(.jsonSchema(try Self.schema(schema, path)), path)
        }
        if let regex = try fields.string("regex") { add(.regex(regex), fields.path("regex")) }
        if let ebnf = try fields.string("ebnf") { add(.ebnf(ebnf), fields.path("ebnf")) }
        try addTag(fields)
    }

    private mutating func addTag(_ fields: JSONFields) throws(FieldError) {
        guard let value = fields["structural_tag"] else { return }
        let path = fields.path("structural_tag")
        add(.structuralTag(try Self.structuralTag(JSONFields(try Self.parsed(value, path), path: path))), path)
    }

    // MARK: vLLM

    mutating func addGuided(_ fields: JSONFields) throws(FieldError) {
        try add(
            fields, json: "guided_json", regex: "guided_regex", choice: "guided_choice", grammar: "guided_grammar",
            object: "guided_json_object")
        try fields.refuse(
            ["guided_whitespace_pattern"], advice: "Use 'constraint_options': {\"whitespace\": \"flexible\"}.")
    }

    mutating func addStructuredOutputs(_ fields: JSONFields) throws(FieldError) {
        try add(fields, json: "json", regex: "regex", choice: "choice", grammar: "grammar", object: "json_object")
        try addTag(fields)
        try fields.refuse(
            ["whitespace_pattern"], advice: "Use 'constraint_options': {\"whitespace\": \"flexible\"}.")
    }

    private mutating func add(
        _ fields: JSONFields, json: String, regex: String, choice: String, grammar: String, object: String
    ) throws(FieldError) {
        if let schema = fields[json] {
            add(.jsonSchema(try Self.schema(schema, fields.path(json))), fields.path(json))
        }
        if let pattern = try fields.string(regex) { add(.regex(pattern), fields.path(regex)) }
        if let texts = try fields.array(choice) {
            guard !texts.isEmpty else { throw FieldError(fields.path(choice), .invalid("it is an empty array")) }
            var choices: [String] = []
            for (index, text) in texts.enumerated() {
                choices.append(try text.string(at: "\(fields.path(choice))[\(index)]"))
            }
            add(.choice(choices), fields.path(choice))
        }
        if let source = try fields.string(grammar) { add(.ebnf(source), fields.path(grammar)) }
        if try fields.bool(object) == true { add(.jsonObject, fields.path(object)) }
    }

    // MARK: Parts

    /// SGLang and vLLM also take JSON in a string.
    private static func parsed(_ value: JSONValue, _ path: String) throws(FieldError) -> JSONValue {
        guard case .string(let text) = value else { return value }
        do {
            return try JSONParser.parse(Array(text.utf8))
        } catch {
            throw FieldError(path, .invalid("the string is not JSON: \(error.message)"))
        }
    }

    private static func schema(_ value: JSONValue, _ path: String) throws(FieldError) -> JSONValue {
        let schema = try parsed(value, path)
        switch schema {
        case .object, .bool: return schema
        default: throw FieldError(path, .wrongType(expected: "an object or a boolean", found: schema.typeName))
        }
    }

    /// SGLang's older form with `structures` and `triggers`, or XGrammar's newer one with `format`.
    private static func structuralTag(_ fields: JSONFields) throws(FieldError) -> WireStructuralTag {
        if let format = try fields.fields("format") { return try tag(format: format) }
        let structures = try fields.array("structures") ?? []
        guard !structures.isEmpty else { throw FieldError(fields.path("structures"), .missing) }
        var tag = WireStructuralTag(structures: [], triggers: try Self.strings(fields, "triggers"))
        for (index, value) in structures.enumerated() {
            let structure = try JSONFields(value, path: "\(fields.path("structures"))[\(index)]")
            let content: WireConstraint.Form
            if let schema = structure["schema"] {
                content = .jsonSchema(try Self.schema(schema, structure.path("schema")))
            } else {
                content = .jsonObject
            }
            tag.structures.append(
                .init(
                    begin: try required(structure, "begin"), content: content, ends: [try required(structure, "end")]))
        }
        tag.atLeastOne = try fields.bool("at_least_one") ?? false
        return tag
    }

    private static func tag(format: JSONFields) throws(FieldError) -> WireStructuralTag {
        let type = try required(format, "type")
        guard type == "triggered_tags" else {
            throw FieldError(
                format.path("type"),
                .unsupported("The format \"\(type)\" is not available; \"triggered_tags\" is."))
        }
        var tag = WireStructuralTag(structures: [], triggers: try strings(format, "triggers"))
        for (index, value) in (try format.array("tags") ?? []).enumerated() {
            let fields = try JSONFields(value, path: "\(format.path("tags"))[\(index)]")
            guard let content = try fields.fields("content") else { throw FieldError(fields.path("content"), .missing) }
            let ends: [String]
            if case .array? = fields["end"] {
                ends = try strings(fields, "end")
            } else {
                ends = [try required(fields, "end")]
            }
            tag.structures.append(
                .init(begin: try required(fields, "begin"), content: try self.content(content), ends: ends))
        }
        guard !tag.structures.isEmpty else { throw FieldError(format.path("tags"), .missing) }
        tag.atLeastOne = try format.bool("at_least_one") ?? false
        tag.stopAfterFirst = try format.bool("stop_after_first") ?? false
        return tag
    }

    private static func content(_ fields: JSONFields) throws(FieldError) -> WireConstraint.Form {
        let type = try required(fields, "type")
        switch type {
        case "json_schema":
            guard let schema = fields["json_schema"] else { throw FieldError(fields.path("json_schema"), .missing) }
            return .jsonSchema(try Self.schema(schema, fields.path("json_schema")))
        case "regex": return .regex(try required(fields, "pattern"))
        case "grammar": return .ebnf(try required(fields, "grammar"))
        case "const_string": return .choice([try required(fields, "value")])
        default:
            throw FieldError(
                fields.path("type"),
                .unsupported(
                    "The content \"\(type)\" is not available; json_schema, regex, grammar and const_string are."))
        }
    }

    private static func required(_ fields: JSONFields, _ name: String) throws(FieldError) -> String {
        guard let text = try fields.string(name) else { throw FieldError(fields.path(name), .missing) }
        return text
    }

    private static func strings(_ fields: JSONFields, _ name: String) throws(FieldError) -> [String] {
        guard let texts = try fields.strings(name, atMost: 1024) else { throw FieldError(fields.path(name), .missing) }
        return texts
    }
}
