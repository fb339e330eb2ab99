import Testing
import Tokenizers

/// Patterns are seen from outside: each piece is marked by a `Metaspace` behind the split, and every character is a
/// byte token, so that the decoded text shows where the pieces begin.
@Suite("Split patterns")
struct PatternTests {
    private static let mark = "\u{1}"

    private func tokenizer(_ pattern: String, _ behavior: String, _ invert: Bool) throws -> Tokenizer {
        let bytes = (0..<256).map { byte in
            let digits = Array("0123456789ABCDEF")
            return "<0x\(digits[byte >> 4])\(digits[byte & 15])>"
        }
        let sections = """
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "pattern": {"Regex": \(try TinyTokenizer.quoted(pattern))},
               "behavior": "\(behavior)", "invert": \(invert)},
              {"type": "Metaspace", "replacement": "\\u0001", "prepend_scheme": "always", "split": false}]},
            "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}
            """
        return try Tokenizer(json: TinyTokenizer.bpe(bytes, options: #""byte_fallback": true"#, sections: sections))
    }

    @Test("all constructs cut as the reference library cuts")
    func pieces() throws {
        let rows: [Cases.PatternRow] = try Cases.rows(TokenizerCases.patterns)
        try #require(rows.count > 200)
        for row in rows {
            let tokenizer = try tokenizer(row.pattern, row.behavior, row.invert)
            let ids = tokenizer.encode(row.text, addSpecialTokens: false)
            // `Metaspace` turns spaces into the mark too; the expected text undergoes the same.
            let expected = row.pieces.map { piece in
                let marked = piece.split(separator: " ", omittingEmptySubsequences: false).joined(separator: Self.mark)
                return marked.hasPrefix(Self.mark) ? marked : Self.mark + marked
            }.joined()
            let found = tokenizer.decode(ids, skipSpecialTokens: false)
            #expect(sameBytes(found, expected), "\(row.pattern) \(row.behavior) \(row.invert) in \(row.text)")
        }
    }

    @Test(
        "unknown syntax is an error that names it and its place",
        arguments: [
            (#"(a)\1"#, "back reference", 3), (#"\p{Klingon}"#, "Klingon", 0), (#"a\q"#, #"\q"#, 1),
            ("[[:alpha:]]", "POSIX", 1), ("(?x)a", "option x", 2), ("(a*)*", "can be empty", 4),
            ("a(b", "parenthesis", 1),
            ("a)", "parenthesis", 1), ("[a", "bracket", 0), ("*a", "quantifier", 0), (#"(?<=a+)b"#, "lookbehind", 0),
            ("[z-a]", "backwards", 1), ("a{3,2}", "n above m", 1), ("(?(1)a)", "the option (", 2),
            ("(?i", "group of this kind", 0),
            ("a{2}?", "{n}?", 4), (#"\pL"#, "braces", 0), ("a{5000}", "repetition", 1),
            ("((((a{900}){900}){900}){900})", "instructions", 0),
        ] as [(String, String, Int)])
    func unknownSyntax(_ pattern: String, _ name: String, _ offset: Int) throws {
        do {
            _ = try tokenizer(pattern, "Isolated", false)
            Issue.record("\(pattern) was accepted")
        } catch let error as TokenizerError {
            guard case .unsupportedPattern(let path, let text, let syntax, let place) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(path == "pre_tokenizer.pretokenizers[0].pattern")
            #expect(text == pattern)
            #expect(syntax.contains(name), "\(syntax)")
            #expect(place == offset)
        }
    }

    @Test("nesting beyond the limit is refused, not a crash")
    func nesting() {
        for pattern in [String(repeating: "(", count: 100_000), String(repeating: "[", count: 100_000)] {
            #expect(throws: TokenizerError.self) { try tokenizer(pattern, "Isolated", false) }
        }
    }
}
