import Glibc
import Grammar
import TestSupport
import Testing
import Tokenizers

/// Whole masks of real vocabularies against the plain way, at random places of random texts.
struct RealVocabularyTests {
    private static func search(_ pattern: String) throws -> RegularLanguage {
        try RegularLanguage(pattern: pattern, anchoring: .search)
    }

    /// Name, and how to append the constraint to a builder.
    static let constraints:
        [(name: String, make: @Sendable (inout GrammarBuilder) throws -> GrammarBuilder.Expression)] = [
            ("json", { try EBNFGrammar.expression(EBNFTests.json, in: &$0) }),
            ("bounded", { $0.regular(try RegularLanguage(pattern: "[^\"\\\\\\n]{0,60}", anchoring: .whole)) }),
            ("words", { $0.regular(try RegularLanguage(pattern: "[\\w\\s]{20,70}\\.", anchoring: .whole)) }),
            (
                "slug",
                { builder in
                    let slug = try RegularLanguage(pattern: "^[a-z]+(?:-[a-z0-9]+)*$", anchoring: .search)
                    let leaf = builder.regular(slug.intersection(.length(3, 40)), .jsonString)
                    return builder.sequence([builder.text("["), leaf, builder.text(",true]")])
                }
            ),
            (
                "names",
                { builder in
                    let known = RegularLanguage.texts(["name", "names", "number"])
                    let other = builder.regular(known.complement, .jsonString)
                    return builder.repetition(builder.sequence([other, builder.text(":")]), minimum: 1)
                }
            ),
            ("long", { $0.regular(.length(3), .jsonString) }),
            ("short", { $0.regular(.length(2, 5), .jsonString) }),
            (
                "canonical",
                { $0.regular(RegularLanguage.texts(["name", "names", "é\"n"]).complement, .canonicalJSONString) }
            ),
            // Terms that any scalar keeps alive, and such that look like it.
            ("containing", { $0.regular(try search("ab").intersection(search("[0-9]")), .jsonString) }),
            ("ending", { $0.regular(try search("ab$"), .jsonString) }),
            ("lacking", { $0.regular(try search("a*b").complement.intersection(search("c")), .jsonString) }),
            (
                "mail",
                { builder in
                    let mail = try search("^[a-z]+@[a-z]+\\.[a-z]{2,}$")
                    return builder.regular(mail.intersection(.length(0, 24)), .jsonString)
                }
            ),
            ("spare", { $0.regular(try search("^[^x]*(?:ab|é)$").intersection(.length(4, 9)), .jsonString) }),
            (
                "tags",
                { builder in
                    let content = builder.regular(.length(0, 30), .jsonString)
                    return try StructuralTags.triggered(
                        [.init(begin: "<tool_call>", content: content, ends: ["</tool_call>"])],
                        triggers: ["<tool"], in: &builder)
                }
            ),
        ]

    @Test(arguments: ["llama-spm", "gpt-2"])
    func wholeMasksAreThePlainAnswer(name: String) throws {
        let path = JSONSchemaCase.sharedFolder + "/cases/tokenizers/\(name)/tokenizer.json.gz"
        guard access(path, R_OK) == 0 else {
            print("SKIPPED: \(path) is not beside the repository (set RADISH_SHARED)")
            return
        }
        let tokenizer = try Tokenizer(json: try JSONSchemaTokenTests.unpacked(path))
        let vocabulary = TokenVocabulary(
            size: tokenizer.vocabularySize + 1, endTokens: [Int32(tokenizer.vocabularySize)],
            specialTokens: tokenizer.specialTokenIDs, tokenBytes: tokenizer.bytes(ofID:))
        var random = SeededGenerator(seed: 11)
        for constraint in Self.constraints {
            var builder = GrammarBuilder()
            let root = try constraint.make(&builder)
            let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
            var matcher = grammar.makeMatcher()
            for step in 0..<12 where !matcher.isTerminated {
                var mask = TokenMask(count: vocabulary.size)
                matcher.fill(&mask)
                let wrong = MaskOracle.mismatches(matcher, vocabulary).prefix(5)
                try #require(wrong.isEmpty, "\(name) \(constraint.name) step \(step): \(wrong)")
                for special in tokenizer.specialTokenIDs { #expect(!mask.contains(special)) }
                guard let token = mask.allowedTokens.randomElement(using: &random) else {
                    Issue.record("stuck: \(name) \(constraint.name)")
                    break
                }
                _ = matcher.accept(token)
            }
        }
    }
}
