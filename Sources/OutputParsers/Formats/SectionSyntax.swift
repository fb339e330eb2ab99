/// Formats that put calls between marks of their own, as DeepSeek V3, V3.1 and Kimi K2 do.
struct SectionSyntax: ToolCallSyntax {
    /// What stands between the mark of a call and the arguments.
    enum Head: Sendable {
        /// `name`, or `function`, the separator, `name` and a fence of three backticks (DeepSeek V3.1 and V3).
        case deepSeek
        /// `functions.name:0`, which is also the call's id (Kimi K2).
        case kimi
    }

    struct Marks: Sendable {
        var sectionBegin: String
        var callBegin: String
        var separator: String
        var callEnd: String
        var sectionEnd: String

        var all: [String] { [sectionBegin, callBegin, separator, callEnd, sectionEnd] }

        static let deepSeek = Marks(
            sectionBegin: "<｜tool▁calls▁begin｜>", callBegin: "<｜tool▁call▁begin｜>", separator: "<｜tool▁sep｜>",
            callEnd: "<｜tool▁call▁end｜>", sectionEnd: "<｜tool▁calls▁end｜>")
        static let kimi = Marks(
            sectionBegin: "<|tool_calls_section_begin|>", callBegin: "<|tool_call_begin|>",
            separator: "<|tool_call_argument_begin|>", callEnd: "<|tool_call_end|>",
            sectionEnd: "<|tool_calls_section_end|>")
    }

    private enum State: Sendable {
        case text
        /// Within the section, between calls.
        case between
        case head
        /// The name on a line of its own (DeepSeek V3).
        case nameLine
        case fence
        case arguments
        case tail
        case broken
    }

    private let style: Head
    private var state = State.text
    private var scanner: MarkerScanner
    private var reader = ArgumentsReader()
    private var collected: [UInt8] = []
    /// Since the call's mark, while no call was told.
    private var raw: [UInt8] = []

    init(_ style: Head) {
        self.style = style
        scanner = MarkerScanner((style == .kimi ? Marks.kimi : Marks.deepSeek).all)
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        guard state == .arguments else {
            scanner.push(byte)
            while state != .arguments, let lexeme = scanner.next() { take(lexeme, &out) }
            if state == .arguments { for byte in scanner.finish() { append(byte, to: &out) } }
            return
        }
        switch reader.append(byte, to: &out) {
        case .inside: break
        case .ended: state = .tail
        case .invalid, .broken:
            state = .broken
            append(byte, to: &out)
        }
    }

    private mutating func take(_ lexeme: MarkerScanner.Lexeme, _ out: inout PieceBuffer) {
        switch (lexeme, state) {
        case (.byte(let byte), _): take(byte, &out)
        case (.marker(2), .head):
            raw += scanner.markers[2]
            endHead(&out)
        case (.marker(0), .text): state = .between
        case (.marker(1), _):
            leave(&out)
            raw = scanner.markers[1]
            collected = []
            state = .head
        case (.marker(3), .tail), (.marker(3), .broken):
            leave(&out)
            state = .between
        case (.marker(4), .between): state = .text
        case (.marker(4), .tail): leave(&out)
        case (.marker(let number), .broken): out.arguments(scanner.markers[number])
        case (.marker(let number), _):
            leave(&out)
            out.content(scanner.markers[number])
        }
    }

    private mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch state {
        case .text: out.content(byte)
        case .between:
            if !JSONText.isSpace(byte) {
                state = .text
                out.content(byte)
            }
        case .head:
            raw.append(byte)
            collected.append(byte)
        case .nameLine:
            raw.append(byte)
            if byte == 0x0A { tell(collected, id: nil, &out) } else { collected.append(byte) }
        case .fence:
            // "```json" and the line's end.
            if byte == UInt8(ascii: "{") || !(JSONText.isSpace(byte) || "`json".utf8.contains(byte)) {
                state = .arguments
                append(byte, to: &out)
            }
        case .tail:
            if !(JSONText.isSpace(byte) || byte == UInt8(ascii: "`")) {
                state = .text
                out.content(byte)
            }
        case .broken: out.arguments(byte)
        case .arguments: break
        }
    }

    private mutating func endHead(_ out: inout PieceBuffer) {
        let text = JSONText.trimmed(collected)
        switch style {
        case .deepSeek:
            if text == Array("function".utf8) {
                collected = []
                state = .nameLine
            } else {
                tell(text, id: nil, &out)
                if state == .fence { state = .arguments }
            }
        case .kimi:
            var name = text[...]
            if let colon = name.lastIndex(of: UInt8(ascii: ":")) { name = name[..<colon] }
            if name.starts(with: "functions.".utf8) { name = name.dropFirst("functions.".utf8.count) }
            tell(Array(name), id: String(decoding: text, as: UTF8.self), &out)
            if state == .fence { state = .arguments }
        }
    }

    private mutating func tell(_ name: [UInt8], id: String?, _ out: inout PieceBuffer) {
        let name = JSONText.trimmed(name)
        guard !name.isEmpty else {
            leave(&out)
            return
        }
        out.call(name, id: id)
        raw = []
        reader = ArgumentsReader()
        state = .fence
    }

    /// Ends a call, or makes text of what was none.
    private mutating func leave(_ out: inout PieceBuffer) {
        switch state {
        case .tail, .broken, .fence, .arguments: out.endCall()
        case .text, .between, .head, .nameLine: out.content(raw)
        }
        raw = []
        collected = []
        state = .text
    }

    mutating func finish(_ out: inout PieceBuffer) {
        let rest = scanner.finish()
        if state == .broken {
            out.arguments(rest)
        } else {
            out.content(raw + rest)
        }
        raw = []
        state = .text
    }
}
