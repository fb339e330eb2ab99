import Grammar
import Testing

/// OpenAI's rules for strict schemas.
struct JSONSchemaStrictTests {
    private func violations(_ schema: String) throws -> [StrictMode.Violation] {
        StrictMode.violations(try SchemaDocument(json: Array(schema.utf8)), name: "answer")
    }

    @Test func aStrictSchemaHasNone() throws {
        let schema = """
            {"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": {"$ref": "#/$defs/c"}},
            "required": ["a", "b"], "additionalProperties": false,
            "$defs": {"c": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "boolean"}}]}}}
            """
        #expect(try violations(schema).isEmpty)
    }

    @Test(arguments: [
        (
            "{\"type\": \"object\", \"properties\": {}, \"required\": []}", "#",
            "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be supplied and to be false."
        ),
        (
            "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"null\"}}, \"additionalProperties\": false}}, \"required\": [\"a\"], \"additionalProperties\": false}",
            "#/properties/a",
            "Invalid schema for response_format 'answer': In context=('properties', 'a'), 'required' is required to be supplied and to be an array including every key in properties. Missing 'x'."
        ),
        (
            "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\", \"default\": \"x\"}}, \"required\": [\"a\"], \"additionalProperties\": false}",
            "#/properties/a",
            "Invalid schema for response_format 'answer': In context=('properties', 'a'), 'default' is not permitted."
        ),
        (
            "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}", "#",
            "Invalid schema for response_format 'answer': In context=(), schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."
        ),
    ])
    func breachesAreWordedAsTheAPIDoes(schema: String, pointer: String, message: String) throws {
        #expect(try violations(schema) == [StrictMode.Violation(pointer: pointer, message: message)])
    }
}
