import Checkpoint
import ChatTemplates
import EngineInterface
import TextGeneration
import Testing
import Tokenizers

struct ModelAssetsTests {
    private static func assets(
        _ others: [(String, String)], tokenizer: Bool = true, chatTemplate: String? = nil
    ) throws -> ModelAssets {
        var files = others.map { ($0.0, Array($0.1.utf8)) }
        if tokenizer { files.append(("tokenizer.json", ByteModel.tokenizerJSON())) }
        let model = ByteModel.files(files)
        return try ModelAssets(files: model, tokenizerFiles: model, chatTemplate: chatTemplate)
    }

    private static func rendered(_ template: ChatTemplate?) throws -> String? {
        try template?.render([("messages", .array([]))])
    }

    @Test func demoModel() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let files = try ModelFiles.directory(root + "/Models/demo")
        let assets = try ModelAssets(files: files, tokenizerFiles: files)
        #expect(assets.endOfSequenceIDs == [0, 2])
        #expect(assets.endOfSequenceToken == "<|im_end|>" && assets.beginOfSequenceToken == nil)
        #expect(assets.toolTemplate == nil)
        #expect(assets.defaultSampling.temperature == 0.2)
        #expect(assets.defaultSampling.topP == 0.9 && assets.defaultSampling.topK == 20)
        let chat = ChatPrompt(messages: [["role": "user", "content": "Hello!"]])
        let ids = try PromptBuilder.tokens(of: .chat(chat), assets: assets)
        #expect(ids.first == 1)
        #expect(
            assets.tokenizer.decode(ids, skipSpecialTokens: false)
                == "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n")
    }

    @Test func templateList() throws {
        let assets = try Self.assets([
            (
                "tokenizer_config.json",
                """
                {"eos_token": {"content": "<|im_end|>"}, "bos_token": "<|im_start|>", "chat_template": [
                 {"name": "tool_use", "template": "for tools"}, {"name": "default", "template": "for all"}]}
                """
            )
        ])
        #expect(try Self.rendered(assets.chatTemplate) == "for all")
        #expect(try Self.rendered(assets.toolTemplate) == "for tools")
        #expect(assets.beginOfSequenceToken == "<|im_start|>")
        #expect(assets.endOfSequenceToken == "<|im_end|>")
        #expect(assets.endOfSequenceIDs == [ByteModel.end])
    }

    @Test func templateOfTheOperator() throws {
        let config = (
            "tokenizer_config.json",
            #"{"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}"#
        )
        let assets = try Self.assets([config], chatTemplate: "mine")
        #expect(try Self.rendered(assets.chatTemplate) == "mine")
        // For everything: the model's own tool template would not fit it.
        #expect(assets.toolTemplate == nil)
        #expect(throws: TemplateError.self) { try Self.assets([config], chatTemplate: "{% if %}") }
    }

    @Test func templateFile() throws {
        let assets = try Self.assets([
            ("tokenizer_config.json", #"{"chat_template": "of the configuration"}"#),
            ("chat_template.jinja", "of the file"),
        ])
        #expect(try Self.rendered(assets.chatTemplate) == "of the file")
    }

    @Test func generationDefaults() throws {
        let assets = try Self.assets([
            (
                "generation_config.json",
                """
                {"eos_token_id": 263, "bos_token_id": 262, "do_sample": true, "temperature": 0.7, "top_k": 0,
                 "top_p": 0.8, "min_p": 0.05, "repetition_penalty": 1.1}
                """
            )
        ])
        #expect(assets.endOfSequenceIDs == [263])
        #expect(assets.beginOfSequenceToken == "<|im_start|>")
        #expect(assets.chatTemplate == nil)
        var expected = SamplingParameters()
        expected.temperature = 0.7
        expected.topP = 0.8
        expected.minP = 0.05
        expected.repetitionPenalty = 1.1
        #expect(assets.defaultSampling == expected)
        let greedy = try Self.assets([("generation_config.json", #"{"do_sample": false, "temperature": 0.7}"#)])
        #expect(greedy.defaultSampling.temperature == 0)
        let silent = try Self.assets([])
        #expect(silent.defaultSampling == SamplingParameters())
        #expect(silent.endOfSequenceIDs.isEmpty && silent.endOfSequenceToken == nil)
    }

    @Test func missingTokenizer() {
        #expect(throws: CheckpointError.missingFile(name: "tokenizer.json", directory: "test")) {
            try Self.assets([("config.json", "{}")], tokenizer: false)
        }
    }

    @Test func damagedFiles() {
        #expect(throws: TokenizerError.self) {
            let files = ByteModel.files([("tokenizer.json", Array("{".utf8))])
            return try ModelAssets(files: files, tokenizerFiles: files)
        }
        #expect(throws: CheckpointError.self) { try Self.assets([("tokenizer_config.json", "[")]) }
        #expect(throws: CheckpointError.self) { try Self.assets([("generation_config.json", #"{"top_p": 7}"#)]) }
        #expect(throws: TemplateError.self) {
            try Self.assets([("tokenizer_config.json", #"{"chat_template": "{{"}"#)])
        }
    }

    /// The tokenizer may come from elsewhere; the generation defaults stay the model's.
    @Test func separateTokenizer() throws {
        let model = ByteModel.files([("generation_config.json", Array(#"{"eos_token_id": 7}"#.utf8))])
        let tokenizer = ByteModel.files([
            ("tokenizer.json", ByteModel.tokenizerJSON()),
            ("tokenizer_config.json", Array(#"{"eos_token": "<|im_end|>"}"#.utf8)),
        ])
        let assets = try ModelAssets(files: model, tokenizerFiles: tokenizer)
        #expect(assets.endOfSequenceIDs == [7, ByteModel.end])
    }
}
