/// Qwen3-Coder's format: `<tool_call><function=NAME><parameter=KEY>VALUE</parameter>…</function></tool_call>`, each tag
/// on a line of its own (Qwen, chat template of Qwen3-Coder). The models leave out the outer tag at times.
struct QwenCoderSyntax: MarkedSyntax {
    static let markers = [
        "<tool_call>", "</tool_call>", "<function=", "</function>", "<parameter=", "</parameter>",
    ]

    enum Mark: Int {
        case open, close, functionOpen, functionClose, parameterOpen, parameterClose
    }

    private enum State: Sendable {
        case text
        /// Behind `<tool_call>`.
        case open
        case name
        /// Between parameters.
        case between
        case key
        case value
        /// Behind `</function>`.
        case tail
        /// In arguments that are no parameters.
        case broken
    }

    private let functions: Set<String>
    private let texts: [String: Set<String>]
    private var state = State.text
    var scanner = MarkerScanner(markers)
    private var arguments = TaggedArguments(trimsLines: true)
    private var collected: [UInt8] = []
    /// Since the first mark, while no call was told.
    private var raw: [UInt8] = []
    private var isWrapped = false

    /// - Parameters:
    ///   - functions: names in the request; without the outer tag only these are calls.
    ///   - texts: of each function the parameters that are strings.
    init(functions: Set<String>, texts: [String: Set<String>]) {
        self.functions = functions
        self.texts = texts
    }

    mutating func take(_ mark: Mark, _ out: inout PieceBuffer) {
        let bytes = scanner.markers[mark.rawValue]
        switch (state, mark) {
        case (.value, .parameterClose):
            arguments.endValue(&out)
            state = .between
        case (.value, _): for byte in bytes { arguments.append(byte, &out) }
        case (.between, .parameterOpen):
            collected = []
            state = .key
        case (.between, .functionClose):
            arguments.endCall(&out)
            state = .tail
        case (.between, .close), (.broken, .close), (.tail, .close):
            leave(&out)
        case (_, .open):
            leave(&out)
            raw = bytes
            isWrapped = true
            state = .open
        case (.open, .functionOpen):
            raw += bytes
            beginName()
        case (.text, .functionOpen), (.tail, .functionOpen), (.between, .functionOpen):
            isWrapped = state != .text
            leave(&out)
            raw = bytes
            beginName()
        case (.key, _): breakOff(scanner.markers[Mark.parameterOpen.rawValue] + collected + bytes, &out)
        case (.between, _), (.broken, _): breakOff(bytes, &out)
        case (.text, _), (.open, _), (.name, _), (.tail, _):
            leave(&out)
            out.content(bytes)
        }
    }

    mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch state {
        case .text: out.content(byte)
        case .open:
            raw.append(byte)
            if !JSONText.isSpace(byte) { leave(&out) }
        case .name:
            if byte == UInt8(ascii: ">") {
                beginCall(&out)
            } else {
                raw.append(byte)
                collected.append(byte)
                if byte == 0x0A { leave(&out) }
            }
        case .between: if !JSONText.isSpace(byte) { breakOff([byte], &out) }
        case .key:
            if byte == UInt8(ascii: ">") {
                arguments.beginValue(of: collected, &out)
                state = .value
            } else if byte == 0x0A {
                breakOff(scanner.markers[Mark.parameterOpen.rawValue] + collected + [byte], &out)
            } else {
                collected.append(byte)
            }
        case .value: arguments.append(byte, &out)
        case .tail:
            if !JSONText.isSpace(byte) {
                state = .text
                out.content(byte)
            }
        case .broken: out.arguments(byte)
        }
    }

    private mutating func beginName() {
        collected = []
        state = .name
    }

    private mutating func beginCall(_ out: inout PieceBuffer) {
        let name = JSONText.trimmed(collected)
        let text = String(decoding: name, as: UTF8.self)
        guard !name.isEmpty, isWrapped || functions.contains(text) else {
            raw.append(UInt8(ascii: ">"))
            leave(&out)
            return
        }
        raw = []
        out.call(name)
        arguments.beginCall(texts: texts[text] ?? [], &out)
        state = .between
    }

    private mutating func breakOff(_ bytes: [UInt8], _ out: inout PieceBuffer) {
        out.arguments(bytes)
        state = .broken
    }

    /// Ends a call whose end is missing, or makes text of what was none.
    private mutating func leave(_ out: inout PieceBuffer) {
        switch state {
        case .key:
            out.arguments(scanner.markers[Mark.parameterOpen.rawValue] + collected)
            out.endCall()
        case .between, .value: arguments.endCall(&out)
        case .broken: out.endCall()
        case .text, .open, .name, .tail: out.content(raw)
        }
        raw = []
        state = .text
    }

    mutating func finish(_ out: inout PieceBuffer) {
        let rest = scanner.finish()
        switch state {
        case .value:
            for byte in rest { arguments.append(byte, &out) }
            arguments.cutOff(&out)
        case .key: out.arguments(scanner.markers[Mark.parameterOpen.rawValue] + collected + rest)
        case .between, .broken: out.arguments(rest)
        case .text, .open, .name, .tail: out.content(raw + rest)
        }
        raw = []
        state = .text
    }
}
