import ChatTemplates
import EngineInterface
import TextGeneration
import Testing

struct PromptBuilderTests {
    private static let chatML = """
        {%- for message in messages %}{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' \
        + '\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
        """

    private static func message(_ role: String, _ content: JinjaValue) -> JinjaValue {
        ["role": .string(role), "content": content]
    }

    private static func text(
        _ chat: ChatPrompt, template: String? = chatML, tools: String? = nil
    ) throws -> String {
        try PromptBuilder.text(of: chat, assets: try ByteModel.assets(template: template, tools: tools))
    }

    private static func failure(_ chat: ChatPrompt, template: String? = chatML) -> TextGenerationError? {
        do {
            _ = try PromptBuilder.text(of: chat, assets: try ByteModel.assets(template: template))
            return nil
        } catch { return error as? TextGenerationError }
    }

    private static func field(_ error: TextGenerationError?) -> String? {
        if case .field(let name, let message)? = error, !message.isEmpty { name } else { nil }
    }

    @Test func tokensAndTexts() throws {
        let assets = try ByteModel.assets(template: Self.chatML)
        #expect(try PromptBuilder.tokens(of: .tokens([5, 6]), assets: assets) == [5, 6])
        #expect(try PromptBuilder.tokens(of: .text("hé"), assets: assets) == ByteModel.ids("hé"))
        let chat = ChatPrompt(messages: [Self.message("user", "Hi")])
        let ids = try PromptBuilder.tokens(of: .chat(chat), assets: assets)
        let start = ByteModel.id("<|im_start|>")
        #expect(
            ids == [start] + ByteModel.ids("user\nHi") + [ByteModel.end] + ByteModel.ids("\n") + [start]
                + ByteModel.ids("assistant\n"))
    }

    @Test func chat() throws {
        let messages = [Self.message("system", "Be brief."), Self.message("user", "Hi")]
        let opened = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        #expect(try Self.text(ChatPrompt(messages: messages)) == opened + "<|im_start|>assistant\n")
        #expect(try Self.text(ChatPrompt(messages: messages, addGenerationPrompt: false)) == opened)
    }

    @Test func contentParts() throws {
        let parts: JinjaValue = [["type": "text", "text": "one"], ["type": "text", "text": "two"]]
        let text = try Self.text(ChatPrompt(messages: [Self.message("user", parts)], addGenerationPrompt: false))
        #expect(text == "<|im_start|>user\none\ntwo<|im_end|>\n")
        let image: JinjaValue = [["type": "text", "text": "look"], ["type": "image_url", "image_url": ["url": "u"]]]
        let wrong = ChatPrompt(messages: [Self.message("user", "a"), Self.message("user", image)])
        #expect(Self.field(Self.failure(wrong)) == "messages[1].content[1]")
        let empty = try Self.text(ChatPrompt(messages: [Self.message("user", [])], addGenerationPrompt: false))
        #expect(empty == "<|im_start|>user\n<|im_end|>\n")
    }

    @Test(arguments: ["The answer is ", "", "x", "\n", "<|im_end|>", "assistant", " both ", "EndOfTheFinalMessage"])
    func continuedMessage(_ content: String) throws {
        let messages = [Self.message("user", "x"), Self.message("assistant", .string(content))]
        let text = try Self.text(
            ChatPrompt(messages: messages, addGenerationPrompt: false, continueFinalMessage: true))
        #expect(text == "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n" + content)
    }

    @Test func continuedMessageOfATrimmingTemplate() throws {
        let template = "{% for message in messages %}[{{ message.role }}] {{ message.content | trim }}\n\n{% endfor %}"
        func text(_ content: JinjaValue) throws -> String {
            try Self.text(
                ChatPrompt(
                    messages: [Self.message("assistant", content)], addGenerationPrompt: false,
                    continueFinalMessage: true), template: template)
        }
        #expect(try text("So ") == "[assistant] So")
        #expect(try text("  So") == "[assistant] So")
        #expect(try text([["type": "text", "text": "So"]]) == "[assistant] So")
    }

    @Test func messagesThatCannotBeContinued() {
        func failure(_ message: JinjaValue, template: String = Self.chatML, generation: Bool = false) -> String? {
            Self.field(
                Self.failure(
                    ChatPrompt(messages: [message], addGenerationPrompt: generation, continueFinalMessage: true),
                    template: template))
        }
        #expect(failure(Self.message("assistant", "a"), generation: true) == "continue_final_message")
        #expect(failure(Self.message("assistant", .none)) == "continue_final_message")
        #expect(failure(["role": "assistant"]) == "continue_final_message")
        #expect(failure(Self.message("assistant", "a"), template: "{{ messages[0].role }}") == "continue_final_message")
    }

    @Test func impossibleChats() {
        #expect(Self.failure(ChatPrompt(messages: [Self.message("user", "a")]), template: nil) == .noChatTemplate)
        #expect(Self.field(Self.failure(ChatPrompt(messages: []))) == "messages")
        let refusing = "{{ raise_exception('roles must alternate') }}"
        let chat = ChatPrompt(messages: [Self.message("user", "a")])
        guard case .template(let error)? = Self.failure(chat, template: refusing) else {
            Issue.record("a template that refuses did not fail")
            return
        }
        #expect("\(error)".contains("roles must alternate"))
    }

    @Test func toolsChooseTheTemplate() throws {
        let tools: JinjaValue = [["type": "function", "function": ["name": "f"]]]
        let messages = [Self.message("user", "a")]
        let plain = "plain {{ tools is none }}"
        let own = "tools {{ tools[0].function.name }}"
        #expect(try Self.text(ChatPrompt(messages: messages), template: plain, tools: own) == "plain True")
        #expect(try Self.text(ChatPrompt(messages: messages, tools: tools), template: plain, tools: own) == "tools f")
        #expect(try Self.text(ChatPrompt(messages: messages, tools: tools), template: plain) == "plain False")
    }

    @Test func templateVariables() throws {
        let template = "{{ enable_thinking }} {{ eos_token }} [{{ bos_token }}] {{ add_generation_prompt }}"
        let chat = ChatPrompt(
            messages: [Self.message("user", "a")], templateVariables: [("enable_thinking", false)])
        #expect(try Self.text(chat, template: template) == "False <|im_end|> [] True")
    }
}
