import Testing

/// `radish grammar` as a user types it.
struct GrammarCommandTests {
    private static let schema = Binary.temporaryFile(
        """
        {"type": "object", "properties": {"kind": {"enum": ["cat", "dog"]}, "age": {"type": "integer", "minimum": 0}},
         "required": ["kind"], "additionalProperties": false}
        """, name: "pet.json")

    @Test func checkJudgesInstancesAsValues() {
        let good = Binary.temporaryFile("{ \"age\": 3.0,\n  \"kind\": \"cat\" }\n", name: "good.json")
        let bad = Binary.temporaryFile("{\"kind\": \"cow\"}", name: "bad.json")
        let accepted = Binary.run("grammar check --json-schema \(Self.schema) --instance \(good)")
        #expect(accepted.status == 0, "\(accepted.text)")
        #expect(accepted.text.contains("valid"))
        let rejected = Binary.run("grammar check --json-schema \(Self.schema) --instance \(good) \(bad)")
        #expect(rejected.status == 1, "\(rejected.text)")
        #expect(rejected.text.contains("\(bad): rejected at byte 11, line 1"), "\(rejected.text)")
    }

    @Test func refusalNamesKeywordAndPointer() {
        let schema = Binary.temporaryFile("{\"items\": {\"pattern\": \"(a)\\\\1\"}}", name: "refused.json")
        let output = Binary.run("grammar check --json-schema \(schema)")
        #expect(output.status == 2)
        #expect(output.text.contains("pattern") && output.text.contains("#/items/pattern"), "\(output.text)")
        #expect(Binary.run("grammar check --best-effort --json-schema \(schema)").status == 0)
    }

    @Test func strictNamesTheBreach() {
        let output = Binary.run("grammar check --strict --json-schema \(Self.schema)")
        #expect(output.status == 1)
        #expect(output.text.contains("Missing 'age'"), "\(output.text)")
    }

    @Test func samplesAreRepeatableAndValid() {
        let command = "grammar sample --json-schema \(Self.schema) --count 4 --seed 3"
        let samples = Binary.run(command)
        #expect(samples.status == 0, "\(samples.text)")
        #expect(samples.text == Binary.run(command).text)
        for (index, line) in samples.text.split(separator: "\n").enumerated() {
            let file = Binary.temporaryFile(String(line), name: "sample\(index).json")
            #expect(Binary.run("grammar check --json-schema \(Self.schema) --instance \(file)").status == 0, "\(line)")
        }
    }
}
