import Grammar
import Testing

/// How long schemas take to compile; printed, never decisive.
struct JSONSchemaTimingTests {
    @Test func compileTimesOfTheCases() throws {
        guard let cases = try JSONSchemaCase.load() else {
            print("SKIPPED: cases/json-schema is not beside the repository (set RADISH_SHARED)")
            return
        }
        let clock = ContinuousClock()
        for (name, options) in [("default", JSONSchemaOptions()), ("verdict", .verdict)] {
            var times: [(Double, String)] = []
            for entry in cases {
                var best = Double.infinity
                for _ in 0..<3 {
                    let time = clock.measure {
                        _ = try? JSONSchemaCompiler.compile(json: entry.schema, options: options)
                    }
                    best = min(best, time / .milliseconds(1))
                }
                times.append((best, entry.id))
            }
            times.sort { $0.0 < $1.0 }
            let slowest = times.suffix(8).map { "\($0.1) \($0.0)" }
            print("compile, \(name): p50 \(times[50].0) ms, p95 \(times[95].0) ms, slowest \(slowest)")
        }
    }

    /// Tools of a large agent, all at once.
    @Test func compileTimeOfManyTools() throws {
        let schemas = (0..<128).map { index in
            """
            {"type": "object", "properties": {"path\(index)": {"type": "string", "minLength": 1}, "mode": {"enum": \
            ["read", "write", "append"]}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}, "tags": \
            {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "maxItems": 8}, "when": {"type": \
            "string", "format": "date-time"}, "options": {"type": "object", "properties": {"deep": {"type": \
            "boolean"}, "depth": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, "additionalProperties": false}}, \
            "required": ["path\(index)", "mode"], "additionalProperties": false}
            """
        }
        let vocabulary = JSONSchemaVerdict.vocabulary
        let time = try ContinuousClock().measure {
            var builder = GrammarBuilder()
            var tools: [GrammarBuilder.Expression] = []
            for (index, schema) in schemas.enumerated() {
                let name = builder.text("{\"name\":\"tool\(index)\",\"arguments\":")
                let arguments = try JSONSchemaCompiler.append(json: Array(schema.utf8), to: &builder)
                tools.append(builder.sequence([name, arguments, builder.text("}")]))
            }
            let root = builder.choice(tools)
            var matcher = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
                .makeMatcher()
            let taken = matcher.accept(bytes: "{\"name\":\"tool77\",\"arguments\":{\"path77\":\"x\"".utf8)
            #expect(taken)
        }
        print("128 tools compile in \(time / .milliseconds(1)) ms")
    }
}
