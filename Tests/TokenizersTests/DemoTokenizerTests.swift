import Glibc
import Testing
import Tokenizers

/// The demo model's tokenizer, which is in the repository: what must hold without any other file.
struct DemoTokenizerTests {
    private func tokenizer() throws -> Tokenizer {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = try #require(fopen(root + "/Models/demo/tokenizer.json", "rb"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 22)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return try Tokenizer(json: bytes)
    }

    @Test func textSurvivesTheRoundTrip() throws {
        let tokenizer = try tokenizer()
        for text in ["", " ", "Hello!", "Tëst – “quotes”\n\n  tabs\t", "日本語 🦙👩‍👩‍👧", "e\u{301} \u{e9}"] {
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            #expect(Array(tokenizer.decode(ids, skipSpecialTokens: false).utf8) == Array(text.utf8))
        }
    }

    /// Canonically equal Strings are equal in Swift; their bytes are not, and the ids must not be either.
    @Test func canonicallyEqualTextsKeepTheirBytes() throws {
        let tokenizer = try tokenizer()
        #expect("e\u{301}" == "\u{e9}")
        #expect(
            tokenizer.encode("e\u{301}", addSpecialTokens: false) != tokenizer.encode("\u{e9}", addSpecialTokens: false)
        )
    }

    @Test func specialTokensAreRecognisedOnlyWhenAsked() throws {
        let tokenizer = try tokenizer()
        let special = try #require(tokenizer.id(ofToken: "<|im_start|>"))
        #expect(tokenizer.isSpecial(special))
        #expect(tokenizer.encode("<|im_start|>", addSpecialTokens: false) == [special])
        #expect(!tokenizer.encode("<|im_start|>", addSpecialTokens: false, parseSpecial: false).contains(special))
        #expect(tokenizer.decode([special], skipSpecialTokens: true) == "")
    }

    @Test func streamNeverEmitsHalfACharacter() throws {
        let tokenizer = try tokenizer()
        let text = "🦙 naïve 日本"
        var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: true)
        var pieces: [String] = []
        for id in tokenizer.encode(text, addSpecialTokens: false) { pieces.append(stream.append(id)) }
        pieces.append(stream.finish())
        #expect(pieces.joined() == text)
        #expect(!pieces.contains { $0.contains("\u{FFFD}") })
    }

    @Test func brokenFilesAreErrors() {
        for text in ["", "{", "[]", "{}", #"{"model":{"type":"Unigram","vocab":[]}}"#, #"{"model":{"type":"Nope"}}"#] {
            #expect(throws: TokenizerError.self) { try Tokenizer(json: Array(text.utf8)) }
        }
    }
}
