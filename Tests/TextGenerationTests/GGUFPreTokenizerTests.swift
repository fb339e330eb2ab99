import Checkpoint
import FoundationEssentials
import Testing
import Tokenizers

/// What `tokenizer.ggml.pre` says is where a text may not be put together again.
struct GGUFPreTokenizerTests {
    /// A GGUF file of a vocabulary alone: the bytes, and what merges make of some.
    private static func tokenizer(_ pre: String) throws -> Tokenizer {
        let merges = ["1 2", "12 3", "123 4", "a B", "! a", "Ġ a"]
        let tokens =
            (0..<256).map { Self.standIn(UInt8($0)) } + merges.map { $0.replacing(" ", with: "") }
        var file = Data("GGUF".utf8)
        func word(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
        }
        func text(_ text: String) {
            word(UInt64(text.utf8.count))
            file.append(contentsOf: text.utf8)
        }
        func strings(_ name: String, _ values: [String]) {
            text(name)
            word(UInt32(9))
            word(UInt32(8))
            word(UInt64(values.count))
            values.forEach(text)
        }
        let numbers = [
            ("llama.context_length", 64), ("llama.embedding_length", 8), ("llama.block_count", 0),
            ("llama.feed_forward_length", 8), ("llama.attention.head_count", 1),
        ]
        let names = [("general.architecture", "llama"), ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", pre)]
        word(UInt32(3))
        word(UInt64(0))
        word(UInt64(numbers.count + names.count + 2))
        for (name, value) in names {
            text(name)
            word(UInt32(8))
            text(value)
        }
        for (name, value) in numbers {
            text(name)
            word(UInt32(4))
            word(UInt32(value))
        }
        strings("tokenizer.ggml.tokens", tokens)
        strings("tokenizer.ggml.merges", merges)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("radish-\(UUID()).gguf").path
        try file.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try Tokenizer(json: try #require(try ModelFiles.at(path).contents(of: "tokenizer.json")))
    }

    /// GPT-2's printable stand-in of a byte.
    private static func standIn(_ byte: UInt8) -> String {
        func isPrintable(_ byte: UInt8) -> Bool {
            (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
        }
        if isPrintable(byte) { return String(UnicodeScalar(byte)) }
        let spare = 256 + UInt32((0..<byte).count { !isPrintable($0) })
        return UnicodeScalar(spare).map { String(Character($0)) } ?? ""
    }

    private static func pieces(_ pre: String, _ text: String) throws -> [String] {
        let tokenizer = try tokenizer(pre)
        return tokenizer.encode(text, addSpecialTokens: false).map { tokenizer.decode([$0], skipSpecialTokens: false) }
    }

    @Test(arguments: [
        "gpt-2", "llama-bpe", "dbrx", "glm4", "qwen2", "gpt-4o", "deepseek-v3", "refact", "smollm", "deepseek-llm",
        "deepseek-coder", "tekken", "deepseek-r1-qwen", "llama4", "pixtral",
    ])
    func digitsAreCutAsTheModelsWant(pre: String) throws {
        let expected =
            switch pre {
            case "gpt-2": ["1234"]
            case "qwen2", "deepseek-r1-qwen", "refact", "smollm", "deepseek-llm", "deepseek-coder", "tekken":
                ["1", "2", "3", "4"]
            default: ["123", "4"]
            }
        #expect(try Self.pieces(pre, "1234") == expected)
    }

    @Test func lettersAndMarksAreCutAsTheModelsWant() throws {
        // o200k ends a word before a capital letter.
        for pre in ["gpt-4o", "tekken"] { #expect(try Self.pieces(pre, "aB") == ["a", "B"]) }
        for pre in ["llama-bpe", "deepseek-v3", "deepseek-llm", "deepseek-coder", "gpt-2", "refact"] {
            #expect(try Self.pieces(pre, "aB") == ["aB"])
        }
        for pre in ["gpt-2", "deepseek-llm", "deepseek-coder"] {
            #expect(try Self.pieces(pre, "!a") == ["!", "a"])
        }
        for pre in ["dbrx", "gpt-4o", "tekken", "deepseek-v3"] { #expect(try Self.pieces(pre, "!a") == ["!a"]) }
        for pre in ["gpt-2", "dbrx", "gpt-4o", "deepseek-v3", "deepseek-llm"] {
            #expect(try Self.pieces(pre, "1 a") == ["1", " a"])
        }
    }

    @Test func anUnknownNameIsAnsweredWithThoseThatAreKnown() throws {
        let error = #expect(throws: CheckpointError.self) { try Self.tokenizer("nonsense") }
        #expect(error?.description.contains("\"nonsense\" is not supported; supported are chatglm-bpe, dbrx") == true)
    }
}
