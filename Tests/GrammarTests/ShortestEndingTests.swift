import Grammar
import TestSupport
import Testing

/// The shortest way to the end of a text.
struct ShortestEndingTests {
    private static let vocabulary = TokenVocabulary(size: 257, endTokens: [256], specialTokens: []) { [UInt8($0)] }

    private static func matcher(schema: String) throws -> GrammarMatcher {
        let ir = try JSONSchemaCompiler.compile(json: Array(schema.utf8))
        return try CompiledGrammar(ir, vocabulary: vocabulary).makeMatcher()
    }

    private static func ending(_ matcher: GrammarMatcher, limit: Int = 4096) -> String? {
        matcher.shortestEnding(limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Far more places than bytes can be tried one by one.
    @Test func manyRequiredMembersAreNoObstacle() throws {
        let names = (0..<60).map { "member number \($0)" }
        let members = names.map { #""\#($0)": {"enum": ["alpha", "beta", "gamma", "pi"]}"# }
        let schema =
            #"{"type": "object", "properties": {\#(members.joined(separator: ","))}, "required": ["#
            + names.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
        let text = "{" + names.map { "\"\($0)\":\"pi\"" }.joined(separator: ",") + "}"
        let matcher = try Self.matcher(schema: schema)
        #expect(Self.ending(matcher) == text)
        #expect(Self.ending(matcher, limit: text.utf8.count) == text)
        #expect(Self.ending(matcher, limit: text.utf8.count - 1) == nil)
    }

    @Test func theEndOfAStringDependsOnWhatItLacks() throws {
        var matcher = try Self.matcher(
            schema: #"{"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 2}"#)
        #expect(Self.ending(matcher) == #"["   ","   "]"# || Self.ending(matcher)?.utf8.count == 13)
        let isTaken = matcher.accept(bytes: Array(#"["abcd"#.utf8))
        #expect(isTaken)
        #expect(Self.ending(matcher)?.hasPrefix("\",\"") == true && Self.ending(matcher)?.utf8.count == 8)
    }

    @Test func recursionIsLeftAtTheFirstChance() throws {
        var matcher = try Self.matcher(
            schema: #"""
                {"$defs": {"node": {"type": "object", "required": ["next"], "additionalProperties": false, "properties":
                {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"const": 0}]}}}}, "$ref": "#/$defs/node"}
                """#)
        #expect(Self.ending(matcher) == #"{"next":0}"#)
        for _ in 0..<40 {
            let isTaken = matcher.accept(bytes: Array(#"{"next":"#.utf8))
            #expect(isTaken)
        }
        #expect(Self.ending(matcher) == "0" + String(repeating: "}", count: 40))
    }

    @Test func specialTokensAreToldFromText() throws {
        let vocabulary = TokenVocabulary(size: 300, endTokens: [299], specialTokens: [298]) { id in
            id < 256 ? [UInt8(id)] : nil
        }
        var builder = GrammarBuilder()
        let number = builder.regular(RegularLanguage.set(CodePointSet(0x30, 0x39)).repeated(2, 9))
        let root = builder.sequence([
            builder.text("<"), number, builder.token(298), builder.text(">"), builder.token(298),
        ])
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
        let ending = try #require(grammar.makeMatcher().shortestEnding(limit: 100))
        #expect(
            TokenVocabulary.parts(of: ending)
                == [.text(Array("<00".utf8)), .special(298), .text(Array(">".utf8)), .special(298)])
    }

    /// Against trying all texts, shortest first.
    @Test func noTextIsShorter() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let sources = [
            #"root ::= [ab]{2,5} ("x" | "yy" root?) "."?"#, #"root ::= "(" (root | "ab" | [01]{3}) ")" | "q""#,
            #"root ::= (("a" | "bb")* "c"){1,3} | "ä" [ö-÷]+"#,
        ]
        for source in sources {
            var builder = GrammarBuilder()
            let root = try EBNFGrammar.expression(source, in: &builder)
            let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
            for _ in 0..<30 {
                var matcher = grammar.makeMatcher()
                var mask = TokenMask(count: 257)
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    matcher.fill(&mask)
                    mask.remove(256)
                    guard let id = mask.allowedTokens.randomElement(using: &random), matcher.accept(id) else { break }
                }
                let text = try #require(matcher.shortestEnding(limit: 100), "seed \(seed)")
                #expect(text.count == Self.shortestLength(matcher), "seed \(seed): \(source)")
                let isTaken = matcher.accept(bytes: text)
                #expect(isTaken && matcher.canEnd, "seed \(seed): \(source)")
            }
        }
    }

    private static func shortestLength(_ start: GrammarMatcher) -> Int {
        var open = [start]
        var mask = TokenMask(count: 257)
        for length in 0..<12 {
            if open.contains(where: \.canEnd) { return length }
            var next: [GrammarMatcher] = []
            for matcher in open {
                matcher.fill(&mask)
                for id in mask.allowedTokens where id < 256 {
                    var copy = matcher
                    if copy.accept(id) { next.append(copy) }
                }
            }
            open = next
        }
        return -1
    }
}
