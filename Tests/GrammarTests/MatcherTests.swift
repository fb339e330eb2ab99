import Grammar
import Testing

/// Matching, masks and rollback on small grammars.
struct MatcherTests {
    static let vocabulary = TestVocabulary.make([
        "a", "b", "c", "ab", "bc", "abc", "{", "}", "\"", "\":", "{\"", "\"}", "name", "na", "me", ":", ",", "1", "12",
        "},", "\",\"", "é", "\\", "\\n", "\\u", "00", "0", "é\"", " ",
    ])

    @Test func objectWithOneKeyIsForcedUpToTheValue() throws {
        var builder = GrammarBuilder()
        let string = builder.regular(.anyText, .jsonString)
        let open = builder.text("{\"name\":")
        let close = builder.text("}")
        let root = builder.sequence([open, string, close])
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        var matcher = grammar.makeMatcher()
        #expect(matcher.forcedBytes() == Array("{\"name\":\"".utf8))
        #expect(MaskOracle.texts(matcher, Self.vocabulary) == ["{", "{\""])
        try take(&matcher, "{\"name\":\"aé".utf8)
        #expect(!matcher.canEnd)
        #expect(MaskOracle.mismatches(matcher, Self.vocabulary) == [])
        try take(&matcher, "\\n\"".utf8)
        #expect(matcher.forcedBytes() == Array("}".utf8))
        try take(&matcher, "}".utf8)
        #expect(matcher.canEnd)
        #expect(matcher.mustEnd)
        try end(&matcher)
        #expect(matcher.isTerminated)
        matcher.rollback(2)
        #expect(matcher.forcedBytes() == Array("}".utf8))
    }

    private func take(_ matcher: inout GrammarMatcher, _ text: String.UTF8View) throws {
        let taken = matcher.accept(bytes: text)
        try #require(taken)
    }

    private func end(_ matcher: inout GrammarMatcher) throws {
        let taken = matcher.accept(TestVocabulary.end)
        try #require(taken)
    }

    @Test func nothingMatchesARuleWithoutEnd() {
        var builder = GrammarBuilder()
        let rule = builder.declareRule("loop")
        let body = builder.sequence([builder.text("a"), builder.reference(rule)])
        builder.define(rule, as: body)
        let root = builder.reference(rule)
        #expect(throws: GrammarError.unsatisfiable) {
            try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        }
    }
}
