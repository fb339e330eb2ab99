import Grammar
import Testing

/// Boolean keywords and references: exact, also where branches overlap.
struct JSONSchemaCombinationTests {
    @Test(arguments: [
        SchemaExample(
            "{\"allOf\": [{\"properties\": {\"a\": {\"minimum\": 2}}}, {\"properties\": {\"a\": {\"type\": \"integer\"}}, \"required\": [\"a\"]}]}",
            valid: ["{\"a\":2}"], invalid: ["{\"a\":1}", "{\"a\":2.5}", "{}"]),
        SchemaExample(
            "{\"anyOf\": [{\"type\": \"integer\"}, {\"minimum\": 2}]}", valid: ["1", "2.5", "3", "\"x\""],
            invalid: ["1.5"]),
        SchemaExample(
            "{\"oneOf\": [{\"type\": \"integer\"}, {\"minimum\": 2}]}", valid: ["1", "2.5", "\"x\""],
            invalid: ["3", "1.5"]),
        SchemaExample(
            "{\"type\": \"object\", \"oneOf\": [{\"required\": [\"a\"]}, {\"required\": [\"b\"]}, {\"required\": [\"c\"]}]}",
            valid: ["{\"a\":1}", "{\"b\":1,\"d\":2}"],
            invalid: ["{}", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"c\":3}"]),
        SchemaExample(
            "{\"oneOf\": [{\"properties\": {\"k\": {\"const\": \"x\"}, \"v\": {\"type\": \"integer\"}}, \"required\": [\"k\", \"v\"]}, {\"properties\": {\"k\": {\"enum\": [\"x\", \"y\"]}, \"v\": {\"type\": \"number\"}}, \"required\": [\"k\", \"v\"]}]}",
            valid: ["{\"k\":\"x\",\"v\":1.5}", "{\"k\":\"y\",\"v\":1}", "{\"v\":1.5,\"k\":\"x\"}"],
            invalid: ["{\"k\":\"x\",\"v\":1}", "{\"k\":\"z\",\"v\":1}", "{\"k\":\"y\"}"]),
        SchemaExample(
            "{\"not\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"object\", \"required\": [\"x\"]}]}}",
            valid: ["1", "{}", "{\"y\":1}", "[]"], invalid: ["\"a\"", "{\"x\":1}"]),
        SchemaExample(
            "{\"if\": {\"properties\": {\"t\": {\"const\": 1}}, \"required\": [\"t\"]}, \"then\": {\"required\": [\"u\"]}, \"else\": {\"properties\": {\"u\": false}}}",
            valid: ["{\"t\":1,\"u\":2}", "{\"t\":2}", "{}", "{\"u\":0,\"t\":1}"],
            invalid: ["{\"t\":1}", "{\"t\":2,\"u\":1}", "{\"u\":1}"]),
        SchemaExample("{\"then\": false, \"else\": false}", valid: ["1", "{}"], invalid: []),
    ])
    func booleans(_ example: SchemaExample) throws { try example.check() }

    @Test(arguments: [
        SchemaExample(
            "{\"$defs\": {\"tree\": {\"type\": \"object\", \"properties\": {\"kids\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/tree\"}}}, \"additionalProperties\": false}}, \"$ref\": \"#/$defs/tree\"}",
            valid: ["{}", "{\"kids\":[{},{\"kids\":[]}]}"], invalid: ["{\"kids\":[1]}", "{\"kids\":[{\"x\":1}]}", "[]"]),
        SchemaExample(
            "{\"$ref\": \"#/$defs/a~1b%25c~0d\", \"$defs\": {\"a/b%c~d\": {\"type\": \"integer\"}}}", valid: ["1"],
            invalid: ["\"x\""]),
        SchemaExample(
            "{\"$ref\": \"#node\", \"maximum\": 5, \"$defs\": {\"n\": {\"$anchor\": \"node\", \"type\": \"integer\"}}}",
            valid: ["5"],
            invalid: ["6", "\"x\""]),
        SchemaExample(
            "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"definitions\": {\"i\": {\"type\": \"integer\"}}, \"properties\": {\"a\": {\"$ref\": \"#/definitions/i\", \"maximum\": 5}}}",
            valid: ["{\"a\":6}"], invalid: ["{\"a\":\"x\"}"]),
        SchemaExample(
            "{\"$id\": \"https://x.org/root.json\", \"$ref\": \"other.json#/$defs/s\", \"$defs\": {\"o\": {\"$id\": \"other.json\", \"$defs\": {\"s\": {\"type\": \"string\"}}}}}",
            valid: ["\"x\""], invalid: ["1"]),
        SchemaExample(
            "{\"properties\": {\"next\": {\"$ref\": \"#\"}, \"value\": {\"type\": \"integer\"}}, \"required\": [\"value\"]}",
            valid: ["{\"value\":1,\"next\":{\"value\":2}}"], invalid: ["{\"value\":1,\"next\":{}}"]),
        SchemaExample(
            "{\"type\": \"object\", \"properties\": {\"a\": {\"anyOf\": [{\"$ref\": \"#\"}, {\"type\": \"null\"}]}}, \"required\": [\"a\"]}",
            valid: ["{\"a\":null}", "{\"a\":{\"a\":null}}"], invalid: ["{}", "{\"a\":1}"]),
    ])
    func references(_ example: SchemaExample) throws { try example.check() }

    /// A dead branch is never entered: what it would need does not exist.
    @Test func deadBranchesAreNotOffered() throws {
        let schema = """
            {"type": "object", "properties": {"a": {"properties": {"x": false}, "required": ["x"], "type": "object"},
            "b": {"type": "integer"}, "c": {"enum": []}}, "additionalProperties": false}
            """
        let ir = try JSONSchemaCompiler.compile(json: Array(schema.utf8))
        let grammar = try CompiledGrammar(ir, vocabulary: JSONSchemaVerdict.vocabulary)
        var matcher = grammar.makeMatcher()
        let taken = matcher.accept(bytes: "{\"".utf8)
        try #require(taken)
        #expect(matcher.forcedBytes() == Array("b\":".utf8))
    }
}
