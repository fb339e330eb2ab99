import ChatTemplates
import FoundationEssentials
import OutputParsers
import TextGeneration
import Testing

/// The published template of gpt-oss and the parser of its format fit together: what the template writes of an answer is
/// read as that answer.
struct HarmonyTests {
    private static let template: String? = {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let shared = ProcessInfo.processInfo.environment["RADISH_SHARED"] ?? "/\(repository)/../shared"
        let path = shared + "/cases/chat-templates/templates/openai-gpt-oss-120b.jinja"
        guard let data = FileManager.default.contents(atPath: path) else {
            print("SKIPPED: no template of gpt-oss at \(path)")
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }()

    private static let user: JinjaValue = ["role": "user", "content": "Add 2 and 2."]
    private static let call: JinjaValue = [
        ["type": "function", "function": ["name": "add", "arguments": ["a": 2, "b": 2]]]
    ]

    private static func text(_ messages: [JinjaValue], _ template: String, generates: Bool) throws -> String {
        try PromptBuilder.text(
            of: ChatPrompt(messages: messages, addGenerationPrompt: generates),
            assets: try ByteModel.assets(template: template))
    }

    @Test func theTemplateAsksForItsParsers() throws {
        guard let template = Self.template else { return }
        #expect(ReasoningParser(template: template) == .gptOSS)
        #expect(ToolCallParser(template: template) == .gptOSS)
    }

    @Test func whatTheTemplateWritesIsReadAgain() throws {
        guard let template = Self.template else { return }
        let answers: [(message: JinjaValue, content: String, reasoning: String, calls: [String])] = [
            (["role": "assistant", "content": "Four."], "Four.", "", []),
            (
                ["role": "assistant", "content": "Four.", "reasoning_content": "Two and two."], "Four.",
                "Two and two.", []
            ),
            (["role": "assistant", "content": "", "tool_calls": Self.call], "", "", ["add {\"a\": 2, \"b\": 2}"]),
            (
                [
                    "role": "assistant", "content": "", "reasoning_content": "It has to be added.",
                    "tool_calls": Self.call,
                ], "", "It has to be added.", ["add {\"a\": 2, \"b\": 2}"]
            ),
        ]
        let prompt = try Self.text([Self.user], template, generates: true)
        for answer in answers {
            let whole = try Self.text([Self.user, answer.message], template, generates: false)
            #expect(whole.hasPrefix(prompt))
            let written = String(whole.dropFirst(prompt.count))
            // In one piece, and byte by byte as it may stream.
            for pieces in [[written], written.map(String.init)] {
                var parser = OutputParser(.init(reasoning: .gptOSS, toolCalls: .gptOSS), prompt: prompt)
                var told: [OutputPiece] = []
                for piece in pieces { told += parser.append(piece) }
                told += parser.finish()
                var (content, reasoning, calls) = ("", "", [String]())
                for piece in told {
                    switch piece {
                    case .content(let text): content += text
                    case .reasoning(let text): reasoning += text
                    case .call(_, let name, _): calls.append(name + " ")
                    case .arguments(let index, let text): calls[index] += text
                    }
                }
                #expect(content == answer.content && reasoning == answer.reasoning, "\(written)")
                #expect(calls == answer.calls, "\(written)")
            }
        }
    }

    /// An answer of the tool goes back to the model with the call it belongs to.
    @Test func aConversationWithAToolRenders() throws {
        guard let template = Self.template else { return }
        let text = try Self.text(
            [
                Self.user,
                ["role": "assistant", "content": "", "reasoning_content": "Add.", "tool_calls": Self.call],
                ["role": "tool", "content": "4"],
            ], template, generates: true)
        #expect(text.contains("<|channel|>analysis<|message|>Add.<|end|><|start|>assistant to=functions.add"))
        #expect(
            text.hasSuffix(
                "<|start|>functions.add to=assistant<|channel|>commentary<|message|>\"4\"<|end|><|start|>assistant"))
    }
}
