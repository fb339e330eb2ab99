import ChatTemplates
import Tokenizers

/// Hop 2 of a request: text or conversation in, ids out.
package enum PromptBuilder {
    /// - Throws: `TextGenerationError` naming the message, or what the template said.
    /// - Complexity: linear in the text; runs on the caller's thread, never on the engine's.
    package static func tokens(
        of prompt: TextRequest.Prompt, assets: ModelAssets
    ) throws(TextGenerationError) -> [Int32] {
        switch prompt {
        case .tokens(let ids): return ids
        case .text(let text): return assets.tokenizer.encode(text, addSpecialTokens: true)
        case .chat(let chat):
            // The template writes the special tokens itself.
            return assets.tokenizer.encode(try text(of: chat, assets: assets), addSpecialTokens: false)
        }
    }

    /// What the chat template makes of a conversation.
    package static func text(of chat: ChatPrompt, assets: ModelAssets) throws(TextGenerationError) -> String {
        guard let template = (chat.tools == nil ? nil : assets.toolTemplate) ?? assets.chatTemplate else {
            throw .noChatTemplate
        }
        guard !chat.messages.isEmpty else { throw .field(name: "messages", message: "expected at least one message") }
        if chat.continueFinalMessage, chat.addGenerationPrompt {
            throw .field(
                name: "continue_final_message",
                message: "continue_final_message and add_generation_prompt exclude each other; set the latter to false")
        }
        var messages = try flattened(chat.messages).map(withThinking)
        if !assets.templateShowsTools, chat.tools != nil || ToolPrompt.hasCalls(messages) {
            messages = try ToolPrompt.messages(messages, tools: chat.tools)
        }
        let mark = chat.continueFinalMessage ? try markEnd(of: &messages) : nil
        var variables: [(String, JinjaValue)] = [
            ("messages", .array(messages)),
            ("tools", chat.tools ?? .none),
            ("documents", .none),
            ("add_generation_prompt", .bool(chat.addGenerationPrompt)),
            ("bos_token", .string(assets.beginOfSequenceToken ?? "")),
            ("eos_token", .string(assets.endOfSequenceToken ?? "")),
        ]
        variables += chat.templateVariables
        let text: String
        do { text = try template.render(variables) } catch { throw .template(error) }
        guard let mark else { return text }
        return try cut(text, at: mark)
    }

    /// gpt-oss' template calls reasoning `thinking`, and refuses it beside both a content and calls.
    private static func withThinking(_ message: JinjaValue) -> JinjaValue {
        guard case .dict(var dict) = message, case .string(let reasoning)? = dict["reasoning_content"],
            !reasoning.isEmpty, dict["thinking"] == nil
        else { return message }
        if dict["tool_calls"] != nil, case .string(let content)? = dict["content"], !content.isEmpty { return message }
        dict.set("thinking", .string(reasoning))
        return .dict(dict)
    }

    /// Templates are written for texts; a list of text parts becomes their lines.
    private static func flattened(_ messages: [JinjaValue]) throws(TextGenerationError) -> [JinjaValue] {
        var result: [JinjaValue] = []
        for (index, message) in messages.enumerated() {
            guard case .dict(let dict) = message, case .list(let parts)? = dict["content"] else {
                result.append(message)
                continue
            }
            var lines: [String] = []
            for (place, part) in parts.elements.enumerated() {
                guard case .dict(let fields) = part, case .string(let text)? = fields["text"] else {
                    throw .field(
                        name: "messages[\(index)].content[\(place)]",
                        message: "expected a text part; this model reads text only")
                }
                lines.append(text)
            }
            var copy = dict
            copy.set("content", .string(lines.joined(separator: "\n")))
            result.append(.dict(copy))
        }
        return result
    }

    /// Writes a mark behind the final message's content, to find its end in the rendering: the content itself may also
    /// be elsewhere, or empty, or rendered without the spaces around it.
    private static func markEnd(of messages: inout [JinjaValue]) throws(TextGenerationError) -> String {
        guard case .dict(var dict)? = messages.last, case .string(let content)? = dict["content"] else {
            throw .field(
                name: "continue_final_message", message: "the last message has no content that could be continued")
        }
        var mark = "EndOfTheFinalMessage"
        while content.contains(mark) { mark += "X" }
        // The space shows whether the template keeps space at the end.
        dict.set("content", .string(content + mark + " "))
        messages[messages.count - 1] = .dict(dict)
        return mark
    }

    /// What comes before the mark, so that the model goes on with it.
    private static func cut(_ text: String, at mark: String) throws(TextGenerationError) -> String {
        let bytes = Array(text.utf8)
        let needle = Array(mark.utf8)
        let starts = stride(from: bytes.count - needle.count, through: 0, by: -1)
        guard let place = starts.first(where: { bytes[$0..<$0 + needle.count].elementsEqual(needle) }) else {
            throw .field(
                name: "continue_final_message",
                message: "the chat template does not show the last message, so it cannot be continued")
        }
        let next = place + needle.count
        let keepsSpace = next < bytes.count && bytes[next] == UInt8(ascii: " ")
        let before = String(decoding: bytes[..<place], as: UTF8.self)
        if keepsSpace { return before }
        return String(before.reversed().drop(while: \.isWhitespace).reversed())
    }
}
