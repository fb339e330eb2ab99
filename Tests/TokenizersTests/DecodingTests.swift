import Testing
import Tokenizers

@Suite("Decoding and single tokens")
struct DecodingTests {
    /// Random ids cut characters and runs of byte tokens anywhere.
    @Test("streamed pieces are whole characters and add up to the decoded text", arguments: Cases.names)
    func streaming(_ name: String) throws {
        let tokenizer = try Cases.tokenizer(name)
        let seed: UInt64 = 20
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let count = Int.random(in: 0...40, using: &generator)
            let ids = (0..<count).map { _ in
                Int32.random(in: -2...Int32(tokenizer.vocabularySize + 2), using: &generator)
            }
            for skips in [false, true] {
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                #expect(sameBytes(streamed(tokenizer, ids, skipSpecialTokens: skips), whole), "\(ids)")
            }
        }
    }

    @Test("a character in two tokens comes out once it is whole")
    func splitCharacter() throws {
        let tokenizer = try Cases.tokenizer("byteLevel")
        var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: true)
        let ids = tokenizer.encode("a😀b", addSpecialTokens: false)
        #expect(ids.count == 6)
        #expect(ids.map { stream.append($0) } == ["a", "", "", "", "😀", "b"])
        #expect(stream.finish() == "")
        // Half a character at the end becomes one replacement character, as in decode.
        #expect(ids[..<3].map { stream.append($0) } == ["a", "", ""])
        #expect(stream.finish() == "\u{FFFD}")
        #expect(tokenizer.decode(Array(ids[..<3]), skipSpecialTokens: true) == "a\u{FFFD}")
        // A byte that cannot continue the character ends it at once.
        #expect([ids[1], ids[0]].map { stream.append($0) } == ["", "\u{FFFD}a"])
    }

    @Test("a run of byte tokens is one text or all replacement characters")
    func byteFallback() throws {
        let tokenizer = try Cases.tokenizer("sentencePiece")
        func byte(_ value: Int32) -> Int32 { value + 3 }
        let good: [Int32] = [byte(0xE4), byte(0xBD), byte(0xA0)]
        var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: true)
        let letter = try #require(tokenizer.id(ofToken: "a"))
        // Whether the run is text is known only when it ends.
        #expect((good + [letter]).map { stream.append($0) } == ["", "", "", "你a"])
        let bad = good + [byte(0xFF), byte(0xE4)]
        #expect(bad.map { stream.append($0) } == ["", "", "", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}"])
        #expect(tokenizer.decode(bad, skipSpecialTokens: true) == String(repeating: "\u{FFFD}", count: 5))
    }

    @Test("only the first space of the text is stripped")
    func leadingSpace() throws {
        let tokenizer = try Cases.tokenizer("sentencePiece")
        let the = try #require(tokenizer.id(ofToken: "▁the"))
        var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: true)
        #expect([1, the, the].map { stream.append($0) } == ["", "the", " the"])
        var unskipped = StreamingDetokenizer(tokenizer, skipSpecialTokens: false)
        #expect([1, the].map { unskipped.append($0) } == ["<s>", " the"])
    }

    @Test("ids without a token are skipped")
    func invalidIDs() throws {
        let tokenizer = try Cases.tokenizer("wholeWords")
        // The vocabulary leaves a gap before 300, and the library numbers added tokens by its count.
        #expect(tokenizer.vocabularySize == 301)
        #expect(tokenizer.token(ofID: 280) == nil)
        let ids: [Int32] = [-1, 280, 300, 99_999, .max, .min]
        #expect(tokenizer.decode(ids, skipSpecialTokens: false) == "Zz")
        for id in ids where id != 300 { #expect(tokenizer.bytes(ofID: id) == nil) }
    }

    @Test("bytes of a token are what it stands for in running text")
    func runningBytes() throws {
        func bytes(_ name: String, _ token: String) throws -> [UInt8]? {
            let tokenizer = try Cases.tokenizer(name)
            return tokenizer.bytes(ofID: try #require(tokenizer.id(ofToken: token)))
        }
        #expect(try bytes("byteLevel", "Ġthe") == Array(" the".utf8))
        #expect(try bytes("byteLevel", "ä") == [0xE4])
        #expect(try bytes("byteLevel", "<|start|>") == nil)
        #expect(try bytes("sentencePiece", "▁the") == Array(" the".utf8))
        #expect(try bytes("sentencePiece", "<0x0A>") == [0x0A])
        #expect(try bytes("sentencePiece", "<0xE4>") == [0xE4])
        #expect(try bytes("sentencePiece", "</s>") == nil)
        #expect(try bytes("metaspace", "▁hello") == Array(" hello".utf8))
        #expect(try bytes("wordPiece", "##llo") == Array("llo".utf8))
        #expect(try bytes("wordPiece", "world") == Array(" world".utf8))
        #expect(try bytes("affixes", "a</w>") == Array("a ".utf8))
    }

    @Test("tokens and ids lead to each other")
    func tokensAndIDs() throws {
        for name in Cases.names {
            let tokenizer = try Cases.tokenizer(name)
            for id in 0..<Int32(tokenizer.vocabularySize) {
                guard let token = tokenizer.token(ofID: id) else { continue }
                #expect(tokenizer.id(ofToken: token) == id, "\(name) \(token)")
            }
            #expect(tokenizer.id(ofToken: "no such token") == nil)
            #expect(tokenizer.specialTokenIDs.allSatisfy { tokenizer.isSpecial($0) })
            #expect(!tokenizer.isSpecial(-1))
        }
        let tokenizer = try Cases.tokenizer("wordPiece")
        #expect(tokenizer.specialTokenIDs == [0, 1, 2, 3, 4])
        #expect(!tokenizer.isSpecial(5))
    }
}
