import Grammar
import Testing

/// Tokens that cut scalars, byte-fallback tokens, and tokens that stand for no text.
struct TokenBoundaryTests {
    @Test func tokensMayCutScalars() throws {
        let whole = Array("漢字".utf8)
        let vocabulary = TestVocabulary.make(
            [Array(whole[..<2]), Array(whole[2..<4]), Array(whole[4...]), [0xE6, 0xBC], [0xBC]], singleBytes: false)
        var builder = GrammarBuilder()
        let root = builder.regular(.set(CodePointSet(0x4E00, 0x9FFF)).repeated(1, 2))
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
        var matcher = grammar.makeMatcher()
        for token in 2...4 as ClosedRange<Int32> {
            #expect(MaskOracle.mismatches(matcher, vocabulary) == [])
            #expect(!matcher.canEnd || token == 4)
            let taken = matcher.accept(token)
            try #require(taken)
        }
        #expect(matcher.canEnd)
        #expect(matcher.mustEnd)
    }

    @Test func byteFallbackTokensAreTheirBytes() throws {
        // Two tokens for the same byte: both or none.
        let vocabulary = TestVocabulary.make([[0x0A], [0x0A], [0x41]], singleBytes: false)
        var builder = GrammarBuilder()
        let root = builder.text("\n")
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
        var mask = TokenMask(count: vocabulary.size)
        grammar.makeMatcher().fill(&mask)
        #expect(mask.allowedTokens == [2, 3])
    }

    /// Overlong forms, surrogates and bytes beyond U+10FFFF are no text.
    @Test func illFormedUTF8IsNeverAllowed() throws {
        let bad: [[UInt8]] = [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5],
            [0x80],
            [0xFE], [0xFF], [0x41, 0xC3, 0x41],
        ]
        let vocabulary = TestVocabulary.make(bad, singleBytes: false)
        for encoding in [RegularEncoding.utf8, .jsonString, .canonicalJSONString] {
            var builder = GrammarBuilder()
            let root = builder.sequence([builder.regular(.anyText, encoding), builder.text(";")])
            let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
            var matcher = grammar.makeMatcher()
            if encoding != .utf8 {
                let taken = matcher.accept(bytes: [0x22])
                #expect(taken)
            }
            var mask = TokenMask(count: vocabulary.size)
            matcher.fill(&mask)
            #expect(mask.allowedTokens == [])
        }
    }

    @Test func specialTokensAndPaddingAreNoText() throws {
        let vocabulary = TestVocabulary.make(["a"], singleBytes: true)
        var builder = GrammarBuilder()
        let root = builder.regular(.anyText)
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
        var mask = TokenMask(count: vocabulary.size)
        var matcher = grammar.makeMatcher()
        matcher.fill(&mask)
        #expect(mask.contains(TestVocabulary.end))
        #expect(!mask.contains(1))
        for padding in Int32(vocabulary.size - 5)..<Int32(vocabulary.size) { #expect(!mask.contains(padding)) }
        let special = matcher.accept(1)
        #expect(!special)
    }

    /// Where a grammar leaves one continuation it is given whole, and each of its bytes is the only one allowed.
    @Test func forcedBytesAreTheOnlyContinuation() throws {
        let vocabulary = TestVocabulary.make([String]())
        var builder = GrammarBuilder()
        let names = builder.choice(ofTexts: ["kind-alpha", "kind-beta"])
        let root = builder.sequence([builder.text("{\"type\": \""), names, builder.text("\", \"n\": 1}")])
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
        var matcher = grammar.makeMatcher()
        for expected in ["{\"type\": \"kind-", "a", "lpha\", \"n\": 1}"] {
            let forced = matcher.forcedBytes()
            if expected == "a" { #expect(forced == []) } else { #expect(forced == Array(expected.utf8)) }
            for byte in expected.utf8 {
                if expected != "a" {
                    #expect(MaskOracle.texts(matcher, vocabulary) == [String(Character(Unicode.Scalar(byte)))])
                }
                let taken = matcher.accept(bytes: [byte])
                try #require(taken)
            }
        }
        #expect(matcher.mustEnd)
        #expect(matcher.forcedBytes() == [])
    }
}
