import Checkpoint
import Testing

/// `tokenizer_config.json` and the places where a chat template may be.
@Suite struct TokenizerConfigTests {
    private func read(_ contents: [String: String]) throws -> TokenizerConfig {
        let directory = try TemporaryDirectory(contents.mapValues { Array($0.utf8) })
        var config = try TokenizerConfig.read(ModelFiles.directory(directory.path))
        for index in config.chatTemplates.indices {
            config.chatTemplates[index].file.replace(directory.path + "/", with: "")
        }
        return config
    }

    private func error(_ contents: [String: String]) -> String {
        do { _ = try read(contents) } catch {
            // The directory has another name each time.
            return String("\(error)".split(separator: "/").last ?? "")
        }
        return "no error"
    }

    @Test func aTemplateMayBeText() throws {
        let config = try read(["tokenizer_config.json": #"{"chat_template": "{{ messages }}\n\u00e9"}"#])
        #expect(config.chatTemplates.map(\.name) == ["default"])
        #expect(config.chatTemplates.map(\.source) == ["{{ messages }}\né"])
        #expect(config.chatTemplates.map(\.file) == ["tokenizer_config.json"])
    }

    @Test func aTemplateMayBeAListOfNamedOnes() throws {
        let config = try read([
            "tokenizer_config.json": """
            {"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]}
            """
        ])
        #expect(config.chatTemplates.map(\.name) == ["default", "tool_use"])
        #expect(config.chatTemplates.map(\.source) == ["d", "t"])
        #expect(try read(["tokenizer_config.json": #"{"chat_template": []}"#]).chatTemplates.isEmpty)
    }

    @Test func aFileOfItsOwnWins() throws {
        var contents = ["tokenizer_config.json": #"{"chat_template": "old"}"#]
        #expect(try read(contents).chatTemplates.map(\.source) == ["old"])
        contents["chat_template.json"] = #"{"chat_template": "from json"}"#
        #expect(try read(contents).chatTemplates.map(\.source) == ["from json"])
        #expect(try read(contents).chatTemplates.map(\.file) == ["chat_template.json"])
        contents["chat_template.jinja"] = "{% for m in messages %}\n"
        #expect(try read(contents).chatTemplates.map(\.source) == ["{% for m in messages %}\n"])
        #expect(try read(contents).chatTemplates.map(\.file) == ["chat_template.jinja"])
    }

    @Test func aFileWithoutTemplateLeavesItToTheOther() throws {
        let contents = [
            "chat_template.json": #"{"chat_template": null}"#, "tokenizer_config.json": #"{"chat_template": "t"}"#,
        ]
        #expect(try read(contents).chatTemplates.map(\.source) == ["t"])
        #expect(try read(["tokenizer_config.json": #"{"chat_template": null}"#]).chatTemplates.isEmpty)
        #expect(try read([:]) == TokenizerConfig())
    }

    @Test func tokensAreTextsOrObjects() throws {
        let config = try read([
            "tokenizer_config.json": """
            {"bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": false, "special": true},
             "eos_token": "<|im_end|>", "added_tokens_decoder": {"0": {"content": "x"}}, "model_max_length": 1e30}
            """
        ])
        #expect(config.beginOfSequenceToken == "<s>")
        #expect(config.endOfSequenceToken == "<|im_end|>")
        // What the one file leaves open, the other says.
        let mixed = try read([
            "tokenizer_config.json": #"{"bos_token": null, "eos_token": "</s>"}"#,
            "special_tokens_map.json": #"{"bos_token": {"content": "<bos>"}, "eos_token": "<other>"}"#,
        ])
        #expect(mixed.beginOfSequenceToken == "<bos>" && mixed.endOfSequenceToken == "</s>")
    }

    @Test func whatIsNoTokenOrTemplateIsNamedByItsPath() {
        let name = "tokenizer_config.json"
        #expect(error([name: #"{"bos_token": 1}"#]) == "\(name), bos_token: expected a string, found 1.")
        #expect(
            error([name: #"{"eos_token": {"content": ["a"]}}"#])
                == #"\#(name), eos_token.content: expected a string, found ["a"]."#)
        #expect(
            error([name: #"{"eos_token": {"special": true}}"#])
                == "\(name), eos_token.content: expected a string, found nothing.")
        #expect(
            error([name: #"{"chat_template": {}}"#]) == "\(name), chat_template: expected a string, found an object.")
        #expect(
            error([name: #"{"chat_template": ["a"]}"#])
                == #"\#(name), chat_template: expected an array of objects, found ["a"]."#)
        #expect(
            error([name: #"{"chat_template": [{"name": "a", "template": "b"}, {"name": "c"}]}"#])
                == "\(name), chat_template[1].template: expected a string, found nothing.")
        #expect(
            error([name: #"{"chat_template": [{"name": 5, "template": "b"}]}"#])
                == "\(name), chat_template[0].name: expected a string, found 5.")
        #expect(error([name: "{\"a\": \"\u{1}\"}"]).hasPrefix("\(name), byte 7: expected a character of a string"))
        #expect(error([name: "7"]) == "\(name), $: expected an object, found 7.")
    }

    @Test func aTemplateInAnotherEncodingIsRefused() throws {
        let directory = try TemporaryDirectory(["chat_template.jinja": [0x7B, 0xE9, 0x7D]])
        let error = #expect(throws: CheckpointError.self) {
            try TokenizerConfig.read(ModelFiles.directory(directory.path))
        }
        #expect(
            error?.description
                == "\(directory.path)/chat_template.jinja, $: expected valid UTF-8, found other bytes.")
    }
}
