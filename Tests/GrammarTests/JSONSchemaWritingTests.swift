import Grammar
import TestSupport
import Testing

/// What the grammar writes by default: one order, no white space, plain spellings; and what options change.
struct JSONSchemaWritingTests {
    private func accepts(_ schema: String, _ text: String, _ change: (inout JSONSchemaOptions) -> Void = { _ in })
        throws -> Bool
    {
        var options = JSONSchemaOptions()
        change(&options)
        return try JSONSchemaVerdict(schema, options: options).accepts(text)
    }

    private let pair =
        "{\"properties\": {\"b\": {\"type\": \"integer\"}, \"a\": {\"type\": \"null\"}}, \"required\": [\"a\"], \"type\": \"object\"}"

    @Test func namedPropertiesComeInTheSchemasOrder() throws {
        #expect(try accepts(pair, "{\"b\":1,\"a\":null}"))
        #expect(try accepts(pair, "{\"a\":null}"))
        #expect(try accepts(pair, "{\"b\":1,\"a\":null,\"x\":[]}"))
        #expect(try !accepts(pair, "{\"a\":null,\"b\":1}"))
        #expect(try accepts(pair, "{\"a\":null,\"b\":1}") { $0.propertyOrder = .any })
        #expect(try !accepts(pair, "{\"a\":null,\"b\":1,\"a\":null}") { $0.propertyOrder = .any })
    }

    @Test func whitespaceIsBounded() throws {
        #expect(try !accepts(pair, "{\"b\": 1,\"a\":null}"))
        #expect(try accepts(pair, "{\"b\": 1, \"a\": null}") { $0.whitespace = .spaced })
        #expect(try !accepts(pair, "{\"b\":1,\"a\":null}") { $0.whitespace = .spaced })
        #expect(try accepts(pair, "{ \"b\":1 ,\n\"a\" : null\t}") { $0.whitespace = .flexible(maximum: 2) })
        #expect(try !accepts(pair, "{   \"b\":1,\"a\":null}") { $0.whitespace = .flexible(maximum: 2) })
        #expect(
            try accepts("{\"items\": {\"type\": \"integer\"}, \"type\": \"array\"}", "[1, 2]") {
                $0.whitespace = .spaced
            })
    }

    @Test func numbersAreWrittenPlainly() throws {
        #expect(try !accepts("{\"type\": \"integer\"}", "1.0"))
        #expect(try !accepts("{\"type\": \"integer\"}", "-0"))
        #expect(try accepts("{\"type\": \"number\"}", "1.50e3"))
        #expect(try accepts("{\"type\": \"number\", \"minimum\": 0}", "1.50"))
        #expect(try !accepts("{\"type\": \"number\", \"minimum\": 0}", "1e3"))
        #expect(try !accepts("{\"const\": 2}", "2.0"))
    }

    @Test func namesAndEnumeratedStringsAreForced() throws {
        let ir = try JSONSchemaCompiler.compile(
            json: Array(
                "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"a\\\"b\"}},\"required\":[\"kind\"],\"additionalProperties\":false}"
                    .utf8))
        let grammar = try CompiledGrammar(ir, vocabulary: JSONSchemaVerdict.vocabulary)
        #expect(grammar.makeMatcher().forcedBytes() == Array("{\"kind\":\"a\\\"b\"}".utf8))
    }

    /// A repeated name counts once, so a minimum is only filled by names that differ.
    @Test func aMinimumOfPropertiesIsFilledByDifferentNames() throws {
        #expect(try accepts("{\"type\": \"object\", \"minProperties\": 2}", "{\"ab\":1,\"cd\":2}"))
        #expect(try !accepts("{\"type\": \"object\", \"minProperties\": 2}", "{\"ab\":1,\"ab\":2}"))
        #expect(try !accepts("{\"type\": \"object\", \"minProperties\": 2}", "{\"ab\":1}"))
        #expect(try accepts("{\"type\": \"object\", \"minProperties\": 2}", "{\"ab\":1,\"cd\":2,\"ef\":3}"))
    }

    @Test func uniqueStringsShareTheirBeginnings() throws {
        let words = ["apple", "apricot", "banana", "band"].map { "\"\($0)\"" }.joined(separator: ",")
        let schema = "{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"enum\": [\(words)]}}"
        #expect(try accepts(schema, "[\"band\",\"apple\",\"banana\"]"))
        #expect(try !accepts(schema, "[\"band\",\"apple\",\"band\"]"))
    }

    /// The plain way to a mask and the fast one agree on schemas of every kind, along random walks.
    @Test func masksAgreeWithTheOracle() throws {
        guard let cases = try JSONSchemaCase.load() else {
            print("SKIPPED: cases/json-schema is not beside the repository (set RADISH_SHARED)")
            return
        }
        let vocabulary = TestVocabulary.make([
            "\"", "{\"", "\":", "\",\"", "},", "name", "type", "id", "\":{\"", "[]", "true", "ull", "12", "0.", ".5",
            "\"}", " a", "é",
        ])
        var random = SeededGenerator(seed: 11)
        for entry in cases {
            guard let ir = try? JSONSchemaCompiler.compile(json: entry.schema) else { continue }
            let grammar = try CompiledGrammar(ir, vocabulary: vocabulary)
            var matcher = grammar.makeMatcher()
            for _ in 0..<12 {
                #expect(MaskOracle.mismatches(matcher, vocabulary) == [], "\(entry.id)")
                var mask = TokenMask(count: vocabulary.size)
                matcher.fill(&mask)
                let allowed = mask.allowedTokens
                // A state that the matcher reached can always be completed.
                try #require(!allowed.isEmpty, "\(entry.id)")
                let token = allowed[Int.random(in: 0..<allowed.count, using: &random)]
                let taken = matcher.accept(token)
                try #require(taken, "\(entry.id)")
                if matcher.isTerminated { break }
            }
            #expect(grammar.failure == nil, "\(entry.id)")
        }
    }
}
