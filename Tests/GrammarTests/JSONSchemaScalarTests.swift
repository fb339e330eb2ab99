import Grammar
import Testing

/// Keywords of strings and numbers, types and enumerations: accepted and rejected values.
struct JSONSchemaScalarTests {
    @Test(arguments: [
        SchemaExample(
            "true", valid: ["1", "null", "{\"a\": [1, {}]}", "\"x\"", " [ ] "], invalid: ["", "[", "nul", "01"]),
        SchemaExample("{\"type\": \"null\"}", valid: ["null"], invalid: ["0", "\"\"", "false"]),
        SchemaExample("{\"type\": \"boolean\"}", valid: ["true", "false"], invalid: ["0", "null"]),
        SchemaExample(
            "{\"type\": \"integer\"}", valid: ["0", "-12", "1.0", "-0", "1e3", "1.5e+16", "12.000"],
            invalid: ["1.5", "01", "1e-1", "\"1\"", "+1", "1."]),
        SchemaExample(
            "{\"type\": \"number\"}", valid: ["0", "-1.50", "2E-3", "1e400"],
            invalid: [".5", "1.", "1e", "NaN", "true"]),
        SchemaExample(
            "{\"type\": [\"string\", \"integer\"]}", valid: ["1", "\"1\""], invalid: ["1.5", "null", "[]"]),
        SchemaExample(
            "{\"enum\": [1, \"a\", null, [1, {\"b\": 2}], true]}",
            valid: ["1", "1.0", "\"a\"", "\"\\u0061\"", "null", "[1,{\"b\":2.0}]", "true"],
            invalid: ["2", "\"b\"", "[1]", "[1,{\"b\":3}]", "[1,{\"b\":2,\"c\":1}]", "false"]),
        SchemaExample(
            "{\"const\": 9007199254740993}", valid: ["9007199254740993", "9007199254740993.0"],
            invalid: ["9007199254740992", "9007199254740994"]),
        SchemaExample("{\"const\": {}}", valid: ["{}"], invalid: ["{\"a\":1}", "[]"]),
        SchemaExample(
            "{\"const\": \"a\\u0000\\\"é\"}", valid: ["\"a\\u0000\\\"é\""], invalid: ["\"a\"", "\"a\\u0000\\\"e\""]),
        SchemaExample(
            "{\"nullable\": true, \"type\": \"string\"}", valid: ["null", "\"\""], invalid: ["1"]),
    ])
    func types(_ example: SchemaExample) throws { try example.check() }

    @Test(arguments: [
        SchemaExample("{\"minLength\": 2}", valid: ["\"ab\"", "\"😀😀\"", "1"], invalid: ["\"a\"", "\"😀\""]),
        SchemaExample(
            "{\"maxLength\": 2}", valid: ["\"\"", "\"\\u00e9\\ud83d\\ude00\"", "[]"],
            invalid: ["\"abc\"", "\"\\n\\n\\n\""]),
        SchemaExample(
            "{\"minLength\": 3, \"maxLength\": 2, \"type\": [\"string\", \"null\"]}", valid: ["null"],
            invalid: ["\"abc\""]),
        SchemaExample("{\"pattern\": \"b+\"}", valid: ["\"abbc\"", "\"b\""], invalid: ["\"ac\"", "\"\""]),
        SchemaExample(
            "{\"pattern\": \"^[a-z]+$\", \"minLength\": 2, \"not\": {\"enum\": [\"no\"]}}",
            valid: ["\"yes\"", "\"on\""],
            invalid: ["\"a\"", "\"no\"", "\"A1\""]),
        SchemaExample(
            "{\"allOf\": [{\"pattern\": \"^a\"}, {\"pattern\": \"z$\"}], \"maxLength\": 3}",
            valid: ["\"az\"", "\"amz\""],
            invalid: ["\"abcz\"", "\"a\"", "\"zaz \""]),
        SchemaExample(
            "{\"enum\": [\"aa\", \"b\", \"ccc\"], \"minLength\": 2, \"pattern\": \"a|b\"}", valid: ["\"aa\""],
            invalid: ["\"b\"", "\"ccc\""]),
    ])
    func strings(_ example: SchemaExample) throws { try example.check() }

    @Test(
        arguments: [
            (
                "date", ["2024-02-29", "2000-02-29", "1999-12-31"],
                ["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "24-01-01"]
            ),
            (
                "time", ["12:00:00Z", "23:59:60Z", "00:00:00.123+05:30"],
                ["24:00:00Z", "12:00:00", "12:60:00Z", "11:59:60Z"]
            ),
            (
                "date-time", ["2024-01-01T00:00:00Z", "2024-01-01t10:20:30.5-01:00"],
                ["2024-01-01", "2024-01-01 00:00:00Z"]
            ),
            ("duration", ["P1Y2M3DT4H5M6S", "PT1S", "P2W", "P1D"], ["P", "PT", "1Y", "P1S", "P1Y2W"]),
            (
                "email", ["a@b.org", "first.last+x@sub.example.com", "\\\"q q\\\"@x.de"],
                ["a", "a@", ".a@b.c", "a..b@c.d"]
            ),
            ("hostname", ["example.com", "a-b.c", "localhost"], ["-a.b", "a-.b", "a..b", "ex_ample.com", ""]),
            ("ipv4", ["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "1.2.3", "01.2.3.4"]),
            (
                "ipv6", ["::1", "::", "1:2:3:4:5:6:7:8", "fe80::1:2", "::ffff:1.2.3.4", "1::8", "1:2:3:4:5:6:7::"],
                ["1:2:3", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3.4.5"]
            ),
            (
                "uuid", ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
                ["f81d4fae7dec11d0a76500a0c91e6bf6", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6"]
            ),
            ("uri", ["https://a.b/c?d=e#f", "urn:x:y", "mailto:a@b"], ["/relative", "no scheme", "http://a b", "%"]),
            ("uri-reference", ["/a/b", "?q", "#f", "../x", "https://x"], ["a b", "\\\\\\\\"]),
            ("json-pointer", ["", "/a/b~0~1", "/"], ["a", "/~2", "/~"]),
            ("relative-json-pointer", ["0", "1/a", "2#"], ["", "/a", "01"]),
            ("no-such-format", ["anything"], []),
        ] as [(String, [String], [String])])
    func formats(name: String, valid: [String], invalid: [String]) throws {
        try SchemaExample(
            "{\"format\": \"\(name)\"}", valid: valid.map { "\"\($0)\"" } + ["1"], invalid: invalid.map { "\"\($0)\"" }
        ).check()
    }

    @Test(arguments: [
        SchemaExample("{\"minimum\": 3}", valid: ["3", "3.0", "3.1", "1000", "\"x\""], invalid: ["2.999", "-5", "0"]),
        SchemaExample("{\"exclusiveMinimum\": 3}", valid: ["3.0001", "4", "30"], invalid: ["3", "3.0", "2"]),
        SchemaExample(
            "{\"maximum\": 12.5}", valid: ["12.5", "12.50", "-100", "9", "0.1"], invalid: ["12.51", "13", "100"]),
        SchemaExample("{\"exclusiveMaximum\": 0}", valid: ["-0.001", "-7"], invalid: ["0", "-0", "0.0", "1"]),
        SchemaExample(
            "{\"minimum\": -10.25, \"maximum\": -0.5}", valid: ["-10.25", "-0.5", "-3", "-9.99"],
            invalid: ["-10.26", "-0.49", "0", "3"]),
        SchemaExample(
            "{\"type\": \"integer\", \"minimum\": 17, \"maximum\": 205}", valid: ["17", "99", "100", "205"],
            invalid: ["16", "206", "17.5", "1", "9"]),
        SchemaExample(
            "{\"minimum\": 5, \"exclusiveMinimum\": true, \"$schema\": \"http://json-schema.org/draft-04/schema#\"}",
            valid: ["5.1", "6"], invalid: ["5", "4"]),
        SchemaExample("{\"multipleOf\": 7}", valid: ["0", "7", "-14", "700", "21.0"], invalid: ["1", "15", "7.5"]),
        SchemaExample(
            "{\"multipleOf\": 120}", valid: ["0", "120", "1200", "-240"], invalid: ["12", "20", "100", "60"]),
        SchemaExample(
            "{\"multipleOf\": 0.01}", valid: ["0", "19.99", "5", "0.1", "-3.50"], invalid: ["0.001", "1.005"]),
        SchemaExample("{\"multipleOf\": 2.5}", valid: ["2.5", "5", "7.5", "10"], invalid: ["1", "2", "2.55"]),
        SchemaExample(
            "{\"multipleOf\": 3, \"minimum\": 10, \"maximum\": 16, \"not\": {\"const\": 12}}", valid: ["15"],
            invalid: ["12", "9", "18", "13"]),
        SchemaExample(
            "{\"type\": \"number\", \"not\": {\"type\": \"integer\"}}", valid: ["1.5", "-0.1"],
            invalid: ["1", "2.0", "0"]),
        SchemaExample("{\"enum\": [1, 2.5, 30], \"minimum\": 2}", valid: ["2.5", "30"], invalid: ["1", "3"]),
    ])
    func numbers(_ example: SchemaExample) throws { try example.check() }
}
