import Checkpoint
import Glibc
import Testing
import TextGeneration
import Tokenizers

/// The tokenizer that a GGUF file describes is the tokenizer of the model it was made from.
@Suite struct GGUFTokenizerTests {
    private static let repository: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()
    private static let texts = [
        "", " ", "Hello, world!", "Once upon a time, there was a little girl named Lily.", "  two  spaces ",
        "It's 12345 o'clock\n\n\tand we'LL go", "naïve café — Größe 日本語 🙂", "<|im_start|>user\nHi<|im_end|>\n",
        "<s>literal</s> \u{0} \u{1F468}\u{200D}\u{1F469}", "a\r\nb\r\n\r\nc",
    ]

    private static func tokenizer(_ files: ModelFiles) throws -> Tokenizer {
        try Tokenizer(json: try #require(try files.contents(of: "tokenizer.json")))
    }

    private func compare(_ name: String, with directory: String) throws {
        let files = try ModelFiles.at(Self.repository + "/Tests/CheckpointTests/Fixtures/gguf/\(name).gguf")
        let made = try Self.tokenizer(files)
        let stored = try Self.tokenizer(ModelFiles.directory(directory))
        #expect(made.vocabularySize == stored.vocabularySize)
        for text in Self.texts {
            let ids = stored.encode(text, addSpecialTokens: true)
            #expect(made.encode(text, addSpecialTokens: true) == ids, "\(text)")
            #expect(made.decode(ids, skipSpecialTokens: true) == stored.decode(ids, skipSpecialTokens: true), "\(text)")
        }
        var config = try TokenizerConfig.read(files)
        let expected = try TokenizerConfig.read(ModelFiles.directory(directory))
        for index in config.chatTemplates.indices {
            config.chatTemplates[index].file = expected.chatTemplates[index].file
        }
        #expect(config == expected)
    }

    @Test func byteLevelVocabulary() throws {
        try compare("demo-vocabulary", with: Self.repository + "/Models/demo")
    }

    /// Merges are not in the file; they follow from the scores.
    @Test func vocabularyWithScores() throws {
        let stories = Self.repository + "/../shared/models/stories260k"
        guard access(stories, F_OK) == 0 else {
            print("SKIPPED: GGUF vocabulary with scores: \(stories) is not there")
            return
        }
        try compare("stories-vocabulary", with: stories)
    }
}
