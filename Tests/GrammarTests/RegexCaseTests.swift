import FoundationEssentials
import Grammar
import Testing

/// Random regular expressions against the verdicts of Python's `re` (Tools/make_regex_cases.py).
struct RegexCaseTests {
    struct Case: Decodable {
        var pattern: String
        var texts: [String]
        var whole: [Bool]
        var search: [Bool]
    }

    static func cases() throws -> [Case] {
        let folder = #filePath.prefix(through: try #require(#filePath.lastIndex(of: "/")))
        let data = try Data(contentsOf: URL(filePath: folder + "Fixtures/regex.jsonl"))
        return try data.split(separator: 0x0A).map { try JSONDecoder().decode(Case.self, from: Data($0)) }
    }

    @Test func verdictsAreThoseOfPython() throws {
        var refused = 0
        let cases = try Self.cases()
        for item in cases {
            for (anchoring, verdicts) in [(RegexAnchoring.whole, item.whole), (.search, item.search)] {
                let language: RegularLanguage
                do {
                    language = try RegularLanguage(pattern: item.pattern, anchoring: anchoring)
                } catch GrammarError.unsupportedPattern {
                    refused += 1
                    continue
                }
                for (text, verdict) in zip(item.texts, verdicts) {
                    #expect(language.contains(text) == verdict, "\(item.pattern) \(anchoring) \"\(text)\"")
                }
            }
        }
        #expect(cases.count == 600)
        #expect(refused < 20)
    }

    /// The automaton of the leaf says the same, raw and inside a JSON string.
    @Test func leavesAcceptWhatTheLanguageHolds() throws {
        let vocabulary = TestVocabulary.make([String]())
        for item in try Self.cases().prefix(250) {
            guard let language = try? RegularLanguage(pattern: item.pattern, anchoring: .whole),
                try !language.isEmpty()
            else { continue }
            for encoding in [RegularEncoding.utf8, .jsonString] {
                var builder = GrammarBuilder()
                let root = builder.regular(language, encoding)
                let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
                for (text, verdict) in zip(item.texts, item.whole) {
                    var matcher = grammar.makeMatcher()
                    let bytes = encoding == .utf8 ? Array(text.utf8) : Array("\"\(text)\"".utf8)
                    let taken = matcher.accept(bytes: bytes)
                    #expect((taken && matcher.canEnd) == verdict, "\(item.pattern) \(encoding) \"\(text)\"")
                }
            }
        }
    }

    @Test(arguments: [
        ("(a", 0), ("a)", 1), ("[a", 0), ("a**", 2), ("*a", 0), ("a{3,1}", 1), ("[b-a]", 1), ("\\", 0), ("\\q", 0),
        ("a|?", 2),
    ])
    func malformedPatternsTellWhere(pattern: String, offset: Int) {
        do {
            _ = try RegularLanguage(pattern: pattern, anchoring: .whole)
            Issue.record("\(pattern) was accepted")
        } catch {
            guard case .invalidPattern(_, let found, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(found == offset, "\(pattern): \(error)")
        }
    }

    @Test(arguments: ["(a)\\1", "(?<=a)b", "(?i)a", "\\p{Script=Greek}", "(?:^a|b)*", "a++"])
    func undecidableConstructsAreRefused(pattern: String) {
        #expect {
            try RegularLanguage(pattern: pattern, anchoring: .search)
        } throws: { error in
            if case GrammarError.unsupportedPattern = error { true } else { false }
        }
    }
}
