/// GLM's format since 4.5: `<tool_call>NAME`, then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>` for each argument,
/// then `</tool_call>`; until 4.6 with a line end behind each (Z.ai, chat templates of GLM-4.5 and GLM-4.7). What names no
/// function of the request is text.
struct GLMSyntax: MarkedSyntax {
    static let markers = ["<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"]

    enum Mark: Int {
        case open, close, keyOpen, keyClose, valueOpen, valueClose
    }

    private enum State: Sendable {
        case text
        case name
        /// Between arguments.
        case between
        case key
        /// Behind `</arg_key>`.
        case afterKey
        case value
        /// In arguments that are none.
        case broken
    }

    private let functions: Set<String>
    private let texts: [String: Set<String>]
    private var state = State.text
    var scanner = MarkerScanner(markers)
    private var arguments = TaggedArguments(trimsLines: false)
    private var collected: [UInt8] = []
    /// Since the first mark, while no call was told.
    private var raw: [UInt8] = []

    /// - Parameters:
    ///   - functions: names in the request.
    ///   - texts: of each function the parameters that are strings.
    init(functions: Set<String>, texts: [String: Set<String>]) {
        self.functions = functions
        self.texts = texts
    }

    mutating func take(_ mark: Mark, _ out: inout PieceBuffer) {
        let bytes = scanner.markers[mark.rawValue]
        switch (state, mark) {
        case (.value, .valueClose):
            arguments.endValue(&out)
            state = .between
        case (.value, _): for byte in bytes { arguments.append(byte, &out) }
        case (.name, .keyOpen), (.name, .close):
            guard tell(&out) else {
                leave(&out)
                out.content(bytes)
                return
            }
            take(mark, &out)
        case (.between, .keyOpen):
            collected = []
            state = .key
        case (.key, .keyClose):
            collected = JSONText.trimmed(collected)
            state = .afterKey
        case (.afterKey, .valueOpen):
            arguments.beginValue(of: collected, &out)
            state = .value
        case (.between, .close), (.broken, .close): leave(&out)
        case (_, .open):
            leave(&out)
            raw = bytes
            collected = []
            state = .name
        case (.key, _), (.afterKey, _), (.between, _), (.broken, _): breakOff(bytes, &out)
        case (.text, _), (.name, _):
            leave(&out)
            out.content(bytes)
        }
    }

    mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch state {
        case .text: out.content(byte)
        case .name:
            raw.append(byte)
            collected.append(byte)
        case .between, .afterKey: if !JSONText.isSpace(byte) { breakOff([byte], &out) }
        case .key: collected.append(byte)
        case .value: arguments.append(byte, &out)
        case .broken: out.arguments(byte)
        }
    }

    /// Begins the call, if there is such a function.
    private mutating func tell(_ out: inout PieceBuffer) -> Bool {
        let name = JSONText.trimmed(collected)
        let text = String(decoding: name, as: UTF8.self)
        guard functions.contains(text) else { return false }
        raw = []
        out.call(name)
        arguments.beginCall(texts: texts[text] ?? [], &out)
        state = .between
        return true
    }

    /// What was read of a key, as it stood.
    private var key: [UInt8] {
        switch state {
        case .key: scanner.markers[Mark.keyOpen.rawValue] + collected
        case .afterKey:
            scanner.markers[Mark.keyOpen.rawValue] + collected + scanner.markers[Mark.keyClose.rawValue]
        default: []
        }
    }

    private mutating func breakOff(_ bytes: [UInt8], _ out: inout PieceBuffer) {
        out.arguments(key + bytes)
        state = .broken
    }

    /// Ends a call, or makes text of what was none.
    private mutating func leave(_ out: inout PieceBuffer) {
        switch state {
        case .key, .afterKey:
            out.arguments(key)
            out.endCall()
        case .between, .value: arguments.endCall(&out)
        case .broken: out.endCall()
        case .text, .name: out.content(raw)
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
        case .between, .key, .afterKey, .broken: out.arguments(key + rest)
        case .text, .name: out.content(raw + rest)
        }
        raw = []
        state = .text
    }
}
