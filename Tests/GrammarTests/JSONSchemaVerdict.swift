import Grammar
import Testing

/// Judges JSON texts by a schema, in any spelling.
struct JSONSchemaVerdict {
    let grammar: CompiledGrammar

    static let vocabulary = TestVocabulary.make(["\"", "{\"", "\":"])

    init(_ schema: String, options: JSONSchemaOptions = .verdict) throws {
        let ir = try JSONSchemaCompiler.compile(json: Array(schema.utf8), options: options)
        grammar = try CompiledGrammar(ir, vocabulary: Self.vocabulary)
    }

    func accepts(_ text: String) -> Bool {
        var matcher = grammar.makeMatcher()
        return matcher.accept(bytes: text.utf8) && matcher.canEnd
    }
}

/// A schema with texts that it accepts and rejects.
struct SchemaExample: CustomTestStringConvertible, Sendable {
    var schema: String
    var valid: [String]
    var invalid: [String]

    var testDescription: String { schema }

    init(_ schema: String, valid: [String], invalid: [String]) {
        self.schema = schema
        self.valid = valid
        self.invalid = invalid
    }

    func check() throws {
        let verdict = try JSONSchemaVerdict(schema)
        for text in valid { #expect(verdict.accepts(text), "\(schema) should accept \(text)") }
        for text in invalid { #expect(!verdict.accepts(text), "\(schema) should reject \(text)") }
        #expect(verdict.grammar.failure == nil)
    }
}
