import Grammar
import Testing

/// EBNF as GBNF and XGrammar write it.
struct EBNFTests {
    static let vocabulary = TestVocabulary.make(["true", "fal", "se", "{\"", "\":", "},", "[[", "]]", "((", "))"])

    static func grammar(_ source: String, root: String = "root") throws -> CompiledGrammar {
        var builder = GrammarBuilder()
        let expression = try EBNFGrammar.expression(source, root: root, in: &builder)
        return try CompiledGrammar(GrammarIR(builder: builder, root: expression), vocabulary: vocabulary)
    }

    static func accepts(_ grammar: CompiledGrammar, _ text: String) -> Bool {
        var matcher = grammar.makeMatcher()
        return matcher.accept(bytes: text.utf8) && matcher.canEnd
    }

    static let json = #"""
        root   ::= object
        value  ::= object | array | string | number | ("true" | "false" | "null") ws
        object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
        array  ::= "[" ws ( value ("," ws value)* )? "]" ws
        # a string, with its escapes
        string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
        number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
        ws     ::= | " " | "\n" [ \t]{0,20}
        """#

    @Test(arguments: [
        (#"{}"#, true), (#"{"a":1}"#, true), (#"{"a": [1, 2.5e3, {"b": "x\né"}], "c": null}"#, true),
        (#"{"a":}"#, false), (#"[]"#, false), (#"{"a":01}"#, false), (#"{"a":"\x"}"#, false),
        (#"{"a":[[[[[[[[[[true]]]]]]]]]]}"#, true),
    ])
    func jsonGrammarOfLlamaCpp(text: String, valid: Bool) throws {
        let text = text.replacing("\\né", with: "\\n\u{e9}")
        #expect(Self.accepts(try Self.grammar(Self.json), text) == valid)
    }

    @Test func masksOfARecursiveGrammarAreExact() throws {
        let grammar = try Self.grammar(Self.json)
        var matcher = grammar.makeMatcher()
        for byte in #"{"a": [1, {"b": "x"}, [[true]]], "c": -1.5e3}"#.utf8 {
            #expect(MaskOracle.mismatches(matcher, Self.vocabulary) == [])
            let taken = matcher.accept(bytes: [byte])
            try #require(taken)
        }
        #expect(matcher.canEnd)
    }

    /// Written with left recursion, and so deeply nested that alternatives with a common beginning, were they kept
    /// apart, would be 2^40 states.
    @Test func leftRecursionAndDeepNesting() throws {
        let grammar = try Self.grammar(
            """
            root   ::= expr
            expr   ::= term | expr "+" term | expr "-" term
            term   ::= factor | term "*" factor
            factor ::= [0-9]+ | "(" expr ")"
            """)
        #expect(Self.accepts(grammar, "1+2*3-(4+5)*6"))
        #expect(!Self.accepts(grammar, "1+*2"))
        let deep = String(repeating: "(", count: 40) + "1" + String(repeating: ")", count: 40)
        #expect(Self.accepts(grammar, deep + "*2"))
        var matcher = grammar.makeMatcher()
        let taken = matcher.accept(bytes: deep.utf8.prefix(60))
        #expect(taken)
        #expect(MaskOracle.mismatches(matcher, Self.vocabulary) == [])
    }

    @Test func dialects() throws {
        #expect(Self.accepts(try Self.grammar("root ::= 'a' . [^\\]a-c]{2} \"\\u00e9\" \"\\x41\""), "a漢xyéA"))
        #expect(Self.accepts(try Self.grammar("main ::= part{2,3}\npart ::= \"ab\" |\n  \"c\"", root: "main"), "abcab"))
        #expect(!Self.accepts(try Self.grammar("root ::= \"a\"{,2}"), "aaa"))
        #expect(Self.accepts(try Self.grammar("root ::= [\\d\\w]+ # the end"), "a1_"))
    }

    @Test func specialTokensByID() throws {
        let grammar = try Self.grammar("root ::= \"a\" <[1]> \"b\"")
        var matcher = grammar.makeMatcher()
        let first = matcher.accept(bytes: "a".utf8)
        #expect(first)
        #expect(matcher.forcedBytes() == [])
        #expect(matcher.forcedToken == 1)
        var mask = TokenMask(count: Self.vocabulary.size)
        matcher.fill(&mask)
        #expect(mask.allowedTokens == [1])
        let second = matcher.accept(1)
        #expect(second)
        #expect(matcher.forcedBytes() == Array("b".utf8))
    }

    @Test(arguments: [
        ("root ::= \"a", 1, 10), ("root ::= a", 1, 10), ("root ::= (\"a\"\nx ::= \"b\"", 1, 10),
        ("start ::= \"a\"", 1, 1),
        ("root ::= \"a\"\nroot ::= \"b\"", 2, 1), ("root ::= a \"x\"\na ::= b \"y\"\nb ::= a \"z\"", 2, 1),
        ("root ::= [z-a]", 1, 11), ("root ::= \"a\" }", 1, 14), ("root ::= \"\\q\"", 1, 11), ("root = \"a\"", 1, 6),
    ])
    func mistakesTellLineAndColumn(source: String, line: Int, column: Int) {
        do {
            _ = try Self.grammar(source)
            Issue.record("accepted: \(source)")
        } catch {
            guard case GrammarError.invalidGrammar(let foundLine, let foundColumn, _) = error else {
                Issue.record("\(source): \(error)")
                return
            }
            #expect((foundLine, foundColumn) == (line, column), "\(source): \(error)")
        }
    }
}
