import Testing
import WireTypes

/// Every spelling of a constraint that clients of OpenAI, SGLang and vLLM send.
struct ConstraintFieldsTests {
    private static let schema = #"{"type": "object"}"#
    private static let schemaValue = JSONValue.object(JSONObject([("type", .string("object"))]))

    private static func chat(_ fields: String) throws -> WireConstraint? {
        let body = #"{"messages": [{"role": "user", "content": "x"}], \#(fields)}"#
        return try ChatCompletionRequest(JSONParser.parse(Array(body.utf8))).sampling.constraint
    }

    private static func native(_ fields: String) throws -> WireConstraint? {
        let body = #"{"text": "x", "sampling_params": {\#(fields)}}"#
        return try GenerateRequest(JSONParser.parse(Array(body.utf8))).items[0].sampling.constraint
    }

    @Test func jsonSchemas() throws {
        for fields in [
            #""response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": \#(Self.schema)}}"#,
            #""json_schema": \#(Self.schema)"#, #""json_schema": "{\"type\": \"object\"}""#,
            #""guided_json": \#(Self.schema)"#, #""structured_outputs": {"json": \#(Self.schema)}"#,
        ] {
            #expect(try Self.chat(fields)?.form == .jsonSchema(Self.schemaValue), "\(fields)")
        }
        #expect(try Self.native(#""json_schema": "{\"type\": \"object\"}""#)?.form == .jsonSchema(Self.schemaValue))
        let format = #""response_format": {"type": "json_schema", "json_schema": {"schema": {}, "strict": false}}"#
        #expect(try Self.chat(format)?.options.bestEffort == true)
    }

    @Test func textsAndGrammars() throws {
        #expect(try Self.chat(#""response_format": {"type": "text"}"#) == nil)
        #expect(try Self.chat(#""response_format": {"type": "json_object"}"#)?.form == .jsonObject)
        #expect(try Self.chat(#""structured_outputs": {"json_object": true}"#)?.form == .jsonObject)
        for name in [#""regex": "a+""#, #""guided_regex": "a+""#, #""structured_outputs": {"regex": "a+"}"#] {
            #expect(try Self.chat(name)?.form == .regex("a+"))
        }
        for name in [#""ebnf": "g""#, #""guided_grammar": "g""#, #""structured_outputs": {"grammar": "g"}"#] {
            #expect(try Self.chat(name)?.form == .ebnf("g"))
        }
        for name in [#""guided_choice": ["a", "b"]"#, #""structured_outputs": {"choice": ["a", "b"]}"#] {
            #expect(try Self.chat(name)?.form == .choice(["a", "b"]))
        }
        #expect(try Self.native(#""regex": "a+""#)?.form == .regex("a+"))
        #expect(try Self.native(#""ebnf": "g""#)?.path == "sampling_params.ebnf")
        let options = #""regex": "a", "constraint_options": {"property_order": "any", "close_in_budget": true}"#
        let constraint = try #require(try Self.chat(options))
        #expect(constraint.options.anyPropertyOrder && constraint.options.closesInBudget)
    }

    @Test func structuralTags() throws {
        let old = #"""
            {"type": "structural_tag", "structures": [{"begin": "<a>", "schema": {"type": "object"}, "end": "</a>"}],
             "triggers": ["<a>"]}
            """#
        let new = #"""
            {"type": "structural_tag", "format": {"type": "triggered_tags", "triggers": ["<a>"], "tags": [
             {"begin": "<a>", "content": {"type": "json_schema", "json_schema": {"type": "object"}}, "end": "</a>"}]}}
            """#
        let wanted = WireConstraint.Form.structuralTag(
            WireStructuralTag(
                structures: [.init(begin: "<a>", content: .jsonSchema(Self.schemaValue), ends: ["</a>"])],
                triggers: ["<a>"]))
        #expect(try Self.chat(#""response_format": \#(old)"#)?.form == wanted)
        #expect(try Self.chat(#""response_format": \#(new)"#)?.form == wanted)
        var quoted = JSONWriter()
        quoted.string(old)
        #expect(
            try Self.native(#""structural_tag": \#(String(decoding: quoted.bytes, as: UTF8.self))"#)?.form == wanted)
    }
}
