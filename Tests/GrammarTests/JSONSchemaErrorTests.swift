import Grammar
import Testing

/// What is refused, and how the refusal says where and why.
struct JSONSchemaErrorTests {
    private func refusal(_ schema: String, limits: GrammarLimits = GrammarLimits()) -> JSONSchemaError? {
        do {
            _ = try JSONSchemaCompiler.compile(json: Array(schema.utf8), limits: limits)
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        (
            "{\"prefixItems\": [{\"type\": \"boolean\"}, {\"type\": \"boolean\"}], \"uniqueItems\": true}",
            "uniqueItems",
            "#/uniqueItems"
        ),
        (
            "{\"properties\": {\"tags\": {\"items\": {\"type\": \"string\"}, \"uniqueItems\": true}}}", "uniqueItems",
            "#/properties/tags/uniqueItems"
        ),
        ("{\"items\": {\"pattern\": \"(a)\\\\1\"}}", "pattern", "#/items/pattern"),
        ("{\"patternProperties\": {\"(a)\\\\1\": true}}", "patternProperties", "#/patternProperties/(a)\\1"),
        ("{\"properties\": {\"a/b\": {\"multipleOf\": 1000003}}}", "multipleOf", "#/properties/a~1b/multipleOf"),
    ])
    func whatCannotBeEnforcedIsNamed(schema: String, keyword: String, pointer: String) throws {
        guard case .unsupported(keyword, pointer, _)? = refusal(schema) else {
            Issue.record("\(schema): \(refusal(schema).map { "\($0)" } ?? "accepted")")
            return
        }
        var options = JSONSchemaOptions()
        options.bestEffort = true
        _ = try JSONSchemaCompiler.compile(json: Array(schema.utf8), options: options)
    }

    @Test(arguments: [
        ("{\"type\": \"text\"}", "type", "#/type"),
        ("{\"properties\": {\"a\": {\"minLength\": -1}}}", "minLength", "#/properties/a/minLength"),
        ("{\"minLength\": 1.5}", "minLength", "#/minLength"),
        ("{\"required\": \"a\"}", "required", "#/required"),
        ("{\"anyOf\": []}", "anyOf", "#/anyOf"),
        ("{\"items\": 3}", "items", "#/items"),
        ("{\"multipleOf\": 0}", "multipleOf", "#/multipleOf"),
        ("{\"pattern\": \"[\"}", "pattern", "#/pattern"),
        ("{\"maximum\": \"1\"}", "maximum", "#/maximum"),
    ])
    func malformedKeywordsAreNamed(schema: String, keyword: String, pointer: String) {
        guard case .invalidKeyword(keyword, pointer, _)? = refusal(schema) else {
            Issue.record("\(schema): \(refusal(schema).map { "\($0)" } ?? "accepted")")
            return
        }
    }

    @Test(arguments: [
        "{\"$ref\": \"#\"}", "{\"$ref\": \"#/$defs/x\"}", "{\"$ref\": \"https://example.com/s.json\"}",
        "{\"$ref\": \"#nowhere\"}", "{\"allOf\": [{\"$ref\": \"#\"}]}",
        "{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}, \"$ref\": \"#/$defs/a\"}",
        "{\"not\": {\"$ref\": \"#\"}}",
    ])
    func referencesToNowhereOrThemselves(schema: String) {
        guard case .unresolvedReference? = refusal(schema) else {
            Issue.record("\(schema): \(refusal(schema).map { "\($0)" } ?? "accepted")")
            return
        }
    }

    @Test(arguments: [
        "false", "{\"enum\": []}", "{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 2}",
        "{\"type\": \"object\", \"required\": [\"a\"], \"properties\": {\"a\": false}}",
        "{\"type\": \"integer\", \"minimum\": 1.2, \"maximum\": 1.8}",
        "{\"type\": \"array\", \"minItems\": 2, \"items\": false}",
        "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#\"}}, \"required\": [\"a\"]}",
        "{\"type\": \"string\", \"pattern\": \"^a$\", \"not\": {\"const\": \"a\"}}",
        "{\"allOf\": [{\"type\": \"string\"}, {\"type\": \"number\"}]}",
        "{\"type\": \"object\", \"oneOf\": [{\"required\": [\"a\"]}, {\"required\": [\"a\"]}]}",
        "{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"boolean\"}, \"minItems\": 3}",
    ])
    func schemasWithoutValues(schema: String) {
        #expect(refusal(schema) == .unsatisfiable(pointer: "#"), "\(schema)")
    }

    @Test(arguments: [
        ("{", 1), ("{\"a\": }", 6), ("[1, 2", 5), ("{\"a\": 01}", 6), ("\"\\ud800\"", 7), ("{} x", 3),
        ("{\"a\": 1e999999}", 6),
    ])
    func malformedJSONIsLocated(schema: String, offset: Int) {
        guard case .malformedJSON(offset, _)? = refusal(schema) else {
            Issue.record("\(schema): \(refusal(schema).map { "\($0)" } ?? "accepted")")
            return
        }
    }

    /// Each ends soon, with the bound's name.
    @Test func hostileSchemasHitABound() {
        let deep = String(repeating: "{\"items\":", count: 5_000) + "true" + String(repeating: "}", count: 5_000)
        let chain = (0..<20_000).map { "\"a\($0)\": {\"$ref\": \"#/$defs/a\(($0 + 1) % 20_000)\"}" }.joined(
            separator: ",")
        // Satisfiable only where all of 40 independent choices agree: its states are sets of choices.
        let choices = (0..<40).map { "{\"anyOf\": [{\"required\": [\"a\($0)\"]}, {\"required\": [\"b\($0)\"]}]}" }
        let names = (0..<40).map { "{\"not\": {\"required\": [\"a\($0)\", \"b\($0)\"]}}" }
        for (schema, bounds) in [
            (deep, ["maximumNesting"]),
            ("{\"type\": \"array\", \"minItems\": 1000000000}", ["maximumRequiredItems"]),
            ("{\"maximum\": 1e5000}", ["maximumNumberLength"]),
            ("{\"enum\": [1, 1e5000]}", ["maximumNumberLength"]),
            ("{\"$defs\": {\(chain)}, \"$ref\": \"#/$defs/a0\"}", ["maximumReferenceChain"]),
            ("{\"type\": \"array\", \"uniqueItems\": true, \"maxItems\": 2, \"items\": {\"$ref\": \"#\"}}", []),
            (
                "{\"pattern\": \"((((a{1,200}){1,200}){1,200}){1,200}){1,200}$\", \"not\": {\"pattern\": \"b{5,300}.{200}$\"}}",
                []
            ),
            ("{\"type\": \"object\", \"allOf\": [\((choices + names).joined(separator: ","))]}", []),
        ] {
            let clock = ContinuousClock()
            var error: JSONSchemaError?
            let time = clock.measure { error = refusal(schema) }
            if let bound = bounds.first {
                guard case .limitExceeded(bound, _, _)? = error else {
                    Issue.record("\(schema.prefix(60)): \(error.map { "\($0)" } ?? "accepted")")
                    continue
                }
            }
            // Not a measurement: without bounds these would not end at all.
            #expect(time < .seconds(20), "\(schema.prefix(60))")
            print("hostile: \(schema.prefix(40))… \(time) \(error.map { "\($0)" } ?? "accepted")")
        }
    }
}
