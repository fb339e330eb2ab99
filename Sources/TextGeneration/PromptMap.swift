import ChatTemplates
package import Tokenizers

/// Where in a conversation a token of its prompt comes from.
///
/// The template is a program, so its output is searched for what went in: the messages' texts one after the other, the
/// tools by their names. What is found nowhere is the template's own.
package struct PromptMap: Sendable {
    package enum Place: Sendable, Equatable {
        /// A prompt without messages.
        case prompt
        /// Text that the chat template adds.
        case template
        case message(index: Int, role: String)
        case tool(index: Int, name: String)

        /// As a client would write it: `messages[0]`, `tools[1]`, `prompt`, `chat template`.
        package var path: String {
            switch self {
            case .prompt: "prompt"
            case .template: "chat template"
            case .message(let index, _): "messages[\(index)]"
            case .tool(let index, _): "tools[\(index)]"
            }
        }
    }

    private struct Span: Sendable {
        var range: Range<Int>
        var place: Place
    }

    private let isChat: Bool
    private var spans: [Span] = []
    /// Spaces at the beginning of a message's text that the template may have left out, by message.
    private var leadingSpaces: [Int: Int] = [:]
    /// Byte at which each token ends.
    private var ends: [Int] = []

    /// - Complexity: O(bytes of the prompt × messages that are not in it); O(bytes) where all are.
    package init(_ tokens: [Int32], of prompt: TextRequest.Prompt, tokenizer: Tokenizer) {
        var bytes: [UInt8] = []
        for id in tokens {
            bytes += tokenizer.bytes(ofID: id) ?? Array((tokenizer.token(ofID: id) ?? "").utf8)
            ends.append(bytes.count)
        }
        guard case .chat(let chat) = prompt else {
            isChat = false
            return
        }
        isChat = true
        var cursor = 0
        for (index, message) in chat.messages.enumerated() {
            guard case .dict(let fields) = message else { continue }
            let role = fields["role"].flatMap(Self.text) ?? ""
            for text in fields["content"].map(Self.texts) ?? [] {
                // Templates often trim.
                let needle = Self.trimmed(text)
                guard !needle.isEmpty, let start = Self.find(needle, in: bytes, from: cursor) else { continue }
                let range = start..<start + needle.count
                spans.append(Span(range: range, place: .message(index: index, role: role)))
                leadingSpaces[index] = leadingSpaces[index] ?? text.utf8.prefix(while: Self.isSpace).count
                cursor = range.upperBound
            }
        }
        addTools(chat.tools, in: bytes)
    }

    /// - Parameter token: index in the prompt.
    package func place(ofToken token: Int) -> Place {
        guard isChat else { return .prompt }
        let byte = token == 0 ? 0 : ends[min(token, ends.count) - 1]
        return spans.first { $0.range.contains(byte) }?.place ?? .template
    }

    /// Leading tokens that end at or before a place; nil if the template does not show what is there.
    package func tokens(before place: CacheMark.Place) -> Int? {
        func start(_ isWanted: (_ index: Int, _ role: String) -> Bool) -> Int? {
            for span in spans {
                if case .message(let index, let role) = span.place, isWanted(index, role) {
                    return span.range.lowerBound
                }
            }
            return nil
        }
        let end: Int?
        switch place {
        case .behindTools: end = start { _, role in role != "system" }
        // What the template writes between two messages belongs to both.
        case .behindMessage(let message): end = start { index, _ in index > message } ?? ends.last
        case .within(let message, let bytes):
            end = start { index, _ in index == message }.map { $0 + bytes - leadingSpaces[message, default: 0] }
        }
        return end.map { end in ends.prefix { $0 <= end }.count }
    }

    /// A tool reaches from its name to that of the next one; the last as far as its description may.
    private mutating func addTools(_ tools: JinjaValue?, in bytes: [UInt8]) {
        guard case .list(let list)? = tools else { return }
        var starts: [(start: Int, place: Place)] = []
        var cursor = 0
        var end = 0
        for (index, tool) in list.elements.enumerated() {
            guard case .dict(let fields) = tool else { continue }
            var function = fields
            if case .dict(let inner)? = fields["function"] { function = inner }
            guard let name = function["name"].flatMap(Self.text), !name.isEmpty,
                let found = Self.find(Array("\"\(name)\"".utf8), in: bytes, from: cursor)
                    ?? Self.find(Array(name.utf8), in: bytes, from: cursor)
            else { continue }
            starts.append((found, .tool(index: index, name: name)))
            cursor = found + name.utf8.count
            end = found + Self.size(tool)
        }
        for (place, start) in starts.enumerated() {
            let rest = spans.map(\.range.lowerBound).filter { $0 > start.start }.min() ?? bytes.count
            let limit = place + 1 < starts.count ? starts[place + 1].start : max(min(end, rest), start.start + 1)
            spans.append(Span(range: start.start..<limit, place: start.place))
        }
    }

    private static func text(_ value: JinjaValue) -> String? { if case .string(let text) = value { text } else { nil } }

    /// A content is a text, or a list of parts with texts.
    private static func texts(_ content: JinjaValue) -> [String] {
        switch content {
        case .string(let text): return [text]
        case .list(let parts):
            return parts.elements.compactMap { part in
                if case .dict(let fields) = part { fields["text"].flatMap(text) } else { nil }
            }
        default: return []
        }
    }

    /// Roughly the bytes of a value written as JSON.
    private static func size(_ value: JinjaValue) -> Int {
        switch value {
        case .string(let text): return text.utf8.count + 4
        case .list(let list): return list.elements.reduce(4) { $0 + size($1) + 2 }
        case .dict(let object):
            return object.values.reduce(4) { $0 + size($1) + 2 } + object.keys.reduce(0) { $0 + size($1) }
        default: return 8
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    private static func trimmed(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return Array(bytes.drop(while: isSpace))
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first, bytes.count - start >= needle.count else { return nil }
        var position = start
        let last = bytes.count - needle.count
        while position <= last {
            if bytes[position] == first, bytes[position..<position + needle.count].elementsEqual(needle) {
                return position
            }
            position += 1
        }
        return nil
    }
}
