import Testing
import Tokenizers

@Suite("Byte-pair merges")
struct MergeTests {
    /// Merges by the definition: again and again the pair of lowest rank, leftmost first.
    private func naive(_ word: [String], _ ranks: [String: Int]) -> [String] {
        var parts = word
        while true {
            var best: (rank: Int, index: Int)?
            for index in parts.indices.dropLast() {
                guard let rank = ranks[parts[index] + " " + parts[index + 1]] else { continue }
                if best.map({ rank < $0.rank }) ?? true { best = (rank, index) }
            }
            guard let best else { return parts }
            parts.replaceSubrange(best.index...best.index + 1, with: [parts[best.index] + parts[best.index + 1]])
        }
    }

    /// Short words are merged by scanning, long ones with a queue, and both are cut where no merge reaches across.
    @Test("words of all lengths merge as by the definition", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func againstDefinition(_ seed: UInt64) throws {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let letters = ["a", "b", "c", "é", "▁"]
        var tokens = letters
        var merges: [(String, String)] = []
        while merges.count < 60 {
            guard let left = tokens.randomElement(using: &generator),
                let right = tokens.randomElement(using: &generator)
            else { continue }
            if left.count + right.count > 9 || merges.contains(where: { $0 == (left, right) }) { continue }
            merges.append((left, right))
            if !tokens.contains(left + right) { tokens.append(left + right) }
        }
        merges.shuffle(using: &generator)
        var ranks: [String: Int] = [:]
        for (rank, merge) in merges.enumerated() { ranks[merge.0 + " " + merge.1] = rank }
        let tokenizer = try Tokenizer(json: TinyTokenizer.bpe(tokens, merges: merges))
        for length in Array(1...60) + [100, 300, 700] {
            let word = (0..<length).map { _ in letters.randomElement(using: &generator) ?? "a" }
            let expected = naive(word, ranks)
            let ids = tokenizer.encode(word.joined(), addSpecialTokens: false)
            #expect(ids.map { tokenizer.token(ofID: $0) ?? "" } == expected, "\(word.joined())")
        }
    }

    /// A word of a million characters took quadratic time in simpler designs, and a request could hang a server.
    @Test("a word of a megabyte is encoded", arguments: ["byteLevel", "sentencePiece"])
    func hugeWord(_ name: String) throws {
        let tokenizer = try Cases.tokenizer(name)
        for unit in ["hello", " ", "h", ".", "你"] {
            let text = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            #expect(sameBytes(tokenizer.decode(ids, skipSpecialTokens: false), text))
        }
    }

    @Test("both spellings of merges are read, and the first line of merges.txt is passed over")
    func spellings() throws {
        let start = #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, "merges": "#
        for merges in [
            ##"["#version: 0.2", "a b", "ab c"]"##, #"[["a", "b"], ["ab", "c"]]"#, #"["a b", ["ab", "c"]]"#,
        ] {
            let tokenizer = try Tokenizer(json: Array((start + merges + "}}").utf8))
            #expect(tokenizer.encode("abcab", addSpecialTokens: false) == [4, 3])
        }
    }

    /// `String` takes the two spellings of é for equal; a vocabulary must not.
    @Test("canonically equal tokens with different bytes stay apart")
    func canonicallyEqualTokens() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(composed == decomposed)
        let json = try TinyTokenizer.bpe(
            ["e", "\u{301}", composed, decomposed], merges: [("e", "\u{301}")],
            sections: #""decoder": {"type": "Fuse"}"#)
        let tokenizer = try Tokenizer(json: json)
        #expect(tokenizer.vocabularySize == 4)
        #expect(tokenizer.encode(composed, addSpecialTokens: false) == [2])
        #expect(tokenizer.encode(decomposed, addSpecialTokens: false) == [3])
        #expect(tokenizer.id(ofToken: composed) == 2)
        #expect(tokenizer.id(ofToken: decomposed) == 3)
        #expect(sameBytes(tokenizer.decode([2], skipSpecialTokens: false), composed))
        #expect(sameBytes(tokenizer.decode([3], skipSpecialTokens: false), decomposed))
    }

    @Test("concurrent callers get the same ids")
    func concurrency() async throws {
        let tokenizer = try Cases.tokenizer("byteLevel")
        let text = String(repeating: "hello the world don't 你好 12345 ", count: 200)
        let expected = tokenizer.encode(text, addSpecialTokens: true)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 { group.addTask { tokenizer.encode(text, addSpecialTokens: true) == expected } }
            for await isSame in group { #expect(isSame) }
        }
    }
}
