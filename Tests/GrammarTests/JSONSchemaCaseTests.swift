import Grammar
import TestSupport
import Testing

/// Real and conformance schemas: what they accept and reject, token by token.
struct JSONSchemaCaseTests {
    /// Whether `text`, cut into random pieces, is accepted whole. Every piece is a token of its own or bytes.
    static func accepts(_ grammar: CompiledGrammar, _ text: [UInt8], _ random: inout SeededGenerator) -> Bool {
        var matcher = grammar.makeMatcher()
        var start = 0
        while start < text.count {
            let length = Int.random(in: 1...6, using: &random)
            let end = min(text.count, start + length)
            if !matcher.accept(bytes: text[start..<end]) { return false }
            start = end
        }
        return matcher.canEnd
    }

    @Test func everyVerdictIsRight() throws {
        guard let cases = try JSONSchemaCase.load() else {
            print("SKIPPED: cases/json-schema is not beside the repository (set RADISH_SHARED)")
            return
        }
        let vocabulary = TestVocabulary.make(["\"", "{\"", "\":"])
        var random = SeededGenerator(seed: 7)
        var refused: [String] = []
        for entry in cases {
            let ir: GrammarIR
            do {
                ir = try JSONSchemaCompiler.compile(json: entry.schema, options: .verdict)
            } catch JSONSchemaError.unsatisfiable {
                #expect(entry.valid.isEmpty, "\(entry.id) is said to have no instance")
                continue
            } catch {
                refused.append("\(entry.id): \(error)")
                continue
            }
            let grammar = try CompiledGrammar(ir, vocabulary: vocabulary)
            for text in entry.valid {
                #expect(
                    Self.accepts(grammar, text, &random),
                    "\(entry.id) rejects \(String(decoding: text, as: UTF8.self))")
            }
            for text in entry.invalid {
                #expect(
                    !Self.accepts(grammar, text, &random),
                    "\(entry.id) accepts \(String(decoding: text, as: UTF8.self))")
            }
            #expect(grammar.failure == nil, "\(entry.id)")
        }
        print("json-schema cases refused: \(refused.count) of \(cases.count) \(refused)")
        #expect(refused.count <= 3)
    }
}
