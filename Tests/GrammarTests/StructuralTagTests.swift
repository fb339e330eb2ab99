import Grammar
import Testing

/// Free text with tags that switch a grammar on.
struct StructuralTagTests {
    static let vocabulary = TestVocabulary.make([
        "<fun", "ction=", "hello", " <", "<", "x<f", "=get>", "</fun", "ction>", "{\"a\":", "1}", "tion=get>{",
        "<function=sum>",
    ])

    static func grammar(
        atLeastOne: Bool = false, stopAfterFirst: Bool = false, excluded: [String] = []
    ) throws -> CompiledGrammar {
        var builder = GrammarBuilder()
        let digits = builder.regular(try RegularLanguage(pattern: "\\{\"a\":[0-9]+\\}", anchoring: .whole))
        let word = builder.regular(try RegularLanguage(pattern: "[a-z]+", anchoring: .whole))
        let root = try StructuralTags.triggered(
            [
                .init(begin: "<function=get>", content: digits, ends: ["</function>"]),
                .init(begin: "<function=sum>", content: word, ends: ["</function>", "!"]),
            ], triggers: ["<function="], atLeastOne: atLeastOne, stopAfterFirst: stopAfterFirst, excluded: excluded,
            in: &builder)
        return try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
    }

    @Test(arguments: [
        ("any text < at all <func", true), ("hi <function=get>{\"a\":12}</function> and <function=sum>ab! so", true),
        ("<function=got>", false), ("<function=get>{\"a\":x}", false), ("<function=get>{\"a\":1}", false),
        ("<<function=sum>q</function>", true), ("", true),
    ])
    func triggersSwitchTheGrammarOn(text: String, valid: Bool) throws {
        let grammar = try Self.grammar()
        var matcher = grammar.makeMatcher()
        var taken = true
        for byte in text.utf8 where taken {
            #expect(MaskOracle.mismatches(matcher, Self.vocabulary) == [])
            taken = matcher.accept(bytes: [byte])
        }
        #expect((taken && matcher.canEnd) == valid)
    }

    @Test func countsOfTags() throws {
        let one = "<function=sum>a</function>"
        #expect(!EBNFTests.accepts(try Self.grammar(atLeastOne: true), "no tag"))
        #expect(EBNFTests.accepts(try Self.grammar(atLeastOne: true), "text" + one + "text"))
        #expect(EBNFTests.accepts(try Self.grammar(stopAfterFirst: true), "text" + one))
        #expect(!EBNFTests.accepts(try Self.grammar(stopAfterFirst: true), "text" + one + "text"))
        #expect(!EBNFTests.accepts(try Self.grammar(excluded: ["bad"]), "a bad text"))
        #expect(!EBNFTests.accepts(try Self.grammar(excluded: ["bad"]), "bad " + one))
        #expect(EBNFTests.accepts(try Self.grammar(excluded: ["bad"]), "ba" + one + "d"))
    }

    @Test func freeTextAllowsEverythingButBrokenTriggers() throws {
        var matcher = try Self.grammar().makeMatcher()
        var mask = TokenMask(count: Self.vocabulary.size)
        matcher.fill(&mask)
        let plain = MaskOracle.texts(matcher, Self.vocabulary)
        #expect(plain.isSuperset(of: ["hello", " <", "x<f", "</fun", "{\"a\":", "<function=sum>"]))
        #expect(!mask.contains(1))
        #expect(mask.contains(TestVocabulary.end))
        let taken = matcher.accept(bytes: "<function".utf8)
        #expect(taken)
        #expect(!MaskOracle.texts(matcher, Self.vocabulary).contains("=got>"))
        #expect(MaskOracle.texts(matcher, Self.vocabulary).contains("=get>"))
    }

    @Test func tagsWithSeparator() throws {
        var builder = GrammarBuilder()
        let word = builder.regular(try RegularLanguage(pattern: "[a-z]+", anchoring: .whole))
        let root = StructuralTags.separated(
            [.init(begin: "<a>", content: word, ends: ["</a>"])], separator: ", ", atLeastOne: true, in: &builder)
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        #expect(EBNFTests.accepts(grammar, "<a>x</a>, <a>yz</a>"))
        #expect(!EBNFTests.accepts(grammar, ""))
        #expect(!EBNFTests.accepts(grammar, "<a>x</a>,"))
    }

    @Test func tagsWithoutTriggerAreRefused() {
        var builder = GrammarBuilder()
        let content = builder.text("x")
        #expect {
            try StructuralTags.triggered(
                [.init(begin: "[call]", content: content, ends: ["[/call]"])], triggers: ["<call"], in: &builder)
        } throws: { error in
            if case GrammarError.invalidStructuralTag = error { true } else { false }
        }
    }

    @Test func freeTextUpToAnEnd() throws {
        var builder = GrammarBuilder()
        let thought = try StructuralTags.freeText(upTo: ["</think>"], in: &builder)
        let root = builder.sequence([thought, builder.text("{}")])
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        #expect(EBNFTests.accepts(grammar, "so < it </thin is</think>{}"))
        #expect(!EBNFTests.accepts(grammar, "a</think>b</think>{}"))
        #expect(!EBNFTests.accepts(grammar, "{}"))
    }
}
