import Grammar
import Testing

/// Keywords of arrays and objects: accepted and rejected values.
struct JSONSchemaStructureTests {
    @Test(arguments: [
        SchemaExample(
            "{\"items\": {\"type\": \"integer\"}, \"minItems\": 1, \"maxItems\": 3}",
            valid: ["[1]", "[1, 2, 3]", "{}"],
            invalid: ["[]", "[1,2,3,4]", "[\"a\"]", "[1,]"]),
        SchemaExample(
            "{\"prefixItems\": [{\"type\": \"string\"}, {\"type\": \"integer\"}], \"items\": false}",
            valid: ["[]", "[\"a\"]", "[\"a\",1]"], invalid: ["[1]", "[\"a\",1,2]"]),
        SchemaExample(
            "{\"prefixItems\": [{\"type\": \"string\"}], \"items\": {\"type\": \"null\"}, \"minItems\": 2}",
            valid: ["[\"a\",null]", "[\"a\",null,null]"], invalid: ["[\"a\"]", "[\"a\",1]", "[null,null]"]),
        SchemaExample(
            "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"items\": [{\"type\": \"string\"}], \"additionalItems\": {\"type\": \"integer\"}}",
            valid: ["[\"a\",1,2]", "[]"], invalid: ["[1]", "[\"a\",\"b\"]"]),
        SchemaExample(
            "{\"contains\": {\"const\": 1}}", valid: ["[1]", "[0,1,0]", "{}"], invalid: ["[]", "[0,2]"]),
        SchemaExample(
            "{\"contains\": {\"type\": \"string\"}, \"minContains\": 2, \"maxContains\": 3, \"items\": {\"type\": [\"string\", \"integer\"]}}",
            valid: ["[\"a\",\"b\"]", "[1,\"a\",2,\"b\",\"c\",3]"],
            invalid: ["[\"a\"]", "[\"a\",\"b\",\"c\",\"d\"]", "[\"a\",\"b\",null]"]),
        SchemaExample("{\"contains\": true, \"maxContains\": 1}", valid: ["[1]"], invalid: ["[]", "[1,2]"]),
        SchemaExample(
            "{\"uniqueItems\": true, \"items\": {\"enum\": [1, \"a\", null, [1], {\"b\": 1}]}}",
            valid: ["[]", "[1,\"a\",null]", "[[1],{\"b\":1}]"],
            invalid: ["[1,1]", "[1,1.0]", "[\"a\",\"\\u0061\"]", "[{\"b\":1},1,{\"b\":1.0}]", "[2]"]),
        SchemaExample(
            "{\"uniqueItems\": true, \"items\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 3}, \"minItems\": 2}",
            valid: ["[1,2]", "[3,2,1]"], invalid: ["[1]", "[2,2]", "[1,2,3,1]"]),
        SchemaExample(
            "{\"uniqueItems\": true, \"maxItems\": 1}", valid: ["[]", "[{\"a\":1}]"], invalid: ["[1,2]"]),
        SchemaExample(
            "{\"items\": {\"type\": \"array\", \"items\": {\"$ref\": \"#\"}}}", valid: ["[[[[]]]]", "[[1]]"],
            invalid: ["[1]", "[[[1]]]"]),
        SchemaExample(
            "{\"not\": {\"items\": {\"type\": \"integer\"}}}", valid: ["[1,\"a\"]"], invalid: ["[1]", "[]", "3"]),
        SchemaExample("{\"not\": {\"contains\": {\"const\": 1}}}", valid: ["[]", "[2]"], invalid: ["[2,1]", "3"]),
        SchemaExample("{\"type\": \"array\", \"not\": {\"minItems\": 2}}", valid: ["[]", "[1]"], invalid: ["[1,2]"]),
    ])
    func arrays(_ example: SchemaExample) throws { try example.check() }

    @Test(arguments: [
        SchemaExample(
            "{\"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {}}, \"required\": [\"a\"]}",
            valid: ["{\"a\":1}", "{\"b\":null,\"a\":1,\"c\":2}", "{\"\\u0061\":1}", "7"],
            invalid: ["{}", "{\"a\":\"x\"}", "{\"b\":1}"]),
        SchemaExample(
            "{\"properties\": {\"a\": {}}, \"additionalProperties\": {\"type\": \"string\"}}",
            valid: ["{\"a\":1,\"x\":\"y\"}", "{}"], invalid: ["{\"x\":1}"]),
        SchemaExample(
            "{\"properties\": {\"foo\": {\"type\": \"array\", \"maxItems\": 3}}, \"patternProperties\": {\"f.o\": {\"minItems\": 2}}, \"additionalProperties\": {\"type\": \"integer\"}}",
            valid: ["{\"foo\":[1,2]}", "{\"fxo\":[1,2]}", "{\"q\":3}"],
            invalid: ["{\"foo\":[]}", "{\"foo\":[1,2,3,4]}", "{\"fxo\":[]}", "{\"q\":[]}"]),
        SchemaExample(
            "{\"patternProperties\": {\"^a\": {\"type\": \"integer\"}, \"b$\": {\"minimum\": 5}}, \"additionalProperties\": false}",
            valid: ["{\"ab\":5,\"a\":1,\"b\":7}", "{\"xb\":\"s\"}"],
            invalid: ["{\"ab\":4}", "{\"ab\":\"s\"}", "{\"x\":1}"]),
        SchemaExample(
            "{\"propertyNames\": {\"pattern\": \"^[a-z]{1,3}$\"}, \"properties\": {\"toolong\": true}}",
            valid: ["{\"abc\":1}", "{}"], invalid: ["{\"abcd\":1}", "{\"toolong\":1}", "{\"A\":1}"]),
        SchemaExample("{\"propertyNames\": false}", valid: ["{}"], invalid: ["{\"a\":1}"]),
        SchemaExample(
            "{\"minProperties\": 2, \"maxProperties\": 3}", valid: ["{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"c\":3}"],
            invalid: ["{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", "{}"]),
        SchemaExample(
            "{\"properties\": {\"a\": {}, \"b\": {}}, \"additionalProperties\": false, \"minProperties\": 1}",
            valid: ["{\"a\":1}", "{\"b\":1,\"a\":2}"], invalid: ["{}", "{\"c\":1}", "{\"a\":1,\"a\":2}"]),
        SchemaExample(
            "{\"dependentRequired\": {\"card\": [\"address\"]}}",
            valid: ["{\"address\":1}", "{\"card\":1,\"address\":2}", "{}", "[]"],
            invalid: ["{\"card\":1}"]),
        SchemaExample(
            "{\"dependentSchemas\": {\"a\": {\"properties\": {\"b\": {\"type\": \"integer\"}}, \"required\": [\"b\"]}}}",
            valid: ["{\"b\":\"x\"}", "{\"b\":1,\"a\":0}", "\"x\""], invalid: ["{\"a\":0}", "{\"a\":0,\"b\":\"x\"}"]),
        SchemaExample(
            "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"dependencies\": {\"a\": [\"b\"], \"c\": {\"minProperties\": 3}}}",
            valid: ["{\"a\":1,\"b\":2}", "{\"c\":1,\"d\":2,\"e\":3}"], invalid: ["{\"a\":1}", "{\"c\":1,\"d\":2}"]),
        SchemaExample(
            "{\"not\": {\"required\": [\"a\"]}}", valid: ["{\"b\":1}", "{}"], invalid: ["{\"a\":1}", "1"]),
        SchemaExample(
            "{\"type\": \"object\", \"not\": {\"additionalProperties\": {\"type\": \"integer\"}}}",
            valid: ["{\"a\":\"x\",\"b\":1}"],
            invalid: ["{}", "{\"a\":1}"]),
        SchemaExample(
            "{\"properties\": {\"a\": false}}", valid: ["{\"b\":1}"], invalid: ["{\"a\":1}"]),
        SchemaExample(
            "{\"properties\": {\"foo\": {\"type\": \"string\"}}, \"unevaluatedProperties\": false, \"anyOf\": [{\"properties\": {\"bar\": {\"const\": 2}}, \"required\": [\"bar\"]}, {\"properties\": {\"baz\": {\"const\": 3}}, \"required\": [\"baz\"]}]}",
            valid: ["{\"foo\":\"x\",\"bar\":2}", "{\"baz\":3}", "{\"bar\":2,\"baz\":3}"],
            invalid: ["{\"bar\":2,\"baz\":4}", "{\"foo\":\"x\"}", "{\"bar\":2,\"q\":1}"]),
        SchemaExample(
            "{\"allOf\": [{\"prefixItems\": [true, {\"type\": \"integer\"}]}], \"unevaluatedItems\": {\"type\": \"null\"}}",
            valid: ["[1,2,null]", "[1]"], invalid: ["[1,2,3]", "[1,\"x\"]"]),
    ])
    func objects(_ example: SchemaExample) throws { try example.check() }
}
