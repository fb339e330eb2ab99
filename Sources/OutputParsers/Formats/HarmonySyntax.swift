/// The format of gpt-oss: messages with a header that names channel and recipient (OpenAI Harmony). What is written to
/// the channel `analysis` is reasoning; a message to `functions.NAME` is a call.
struct HarmonySyntax: MarkedSyntax {
    static let markers = [
        "<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>",
    ]

    enum Mark: Int {
        case start, channel, message, constrain, end, call, `return`
    }

    private enum State: Sendable {
        /// Nothing yet but what may be a recipient: the prompt has begun the header of the first message.
        case start
        case header
        case content
        case reasoning
        case arguments
        case afterArguments
        /// In arguments that are no JSON.
        case broken
    }

    private let separatesReasoning: Bool
    private let parsesCalls: Bool
    /// Text without marks is an answer too.
    private var state = State.start
    var scanner = MarkerScanner(markers)
    private var header: [UInt8] = []
    private var reader = ArgumentsReader()
    /// A message of the kind was there already: the next one begins on a new line.
    private var saidContent = false
    private var saidReasoning = false

    init(separatesReasoning: Bool, parsesCalls: Bool) {
        self.separatesReasoning = separatesReasoning
        self.parsesCalls = parsesCalls
    }

    var isReasoning: Bool { state == .reasoning }

    mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch state {
        case .start:
            header.append(byte)
            if !Self.mayBeRecipient(header) { leaveStart(&out) }
        case .header: header.append(byte)
        case .content: out.content(byte)
        case .reasoning: out.reasoning(byte)
        case .arguments:
            switch reader.append(byte, to: &out) {
            case .inside: break
            case .ended: state = .afterArguments
            case .invalid, .broken:
                state = .broken
                out.arguments(byte)
            }
        case .afterArguments:
            if !JSONText.isSpace(byte) {
                state = .broken
                out.arguments(byte)
            }
        case .broken: out.arguments(byte)
        }
    }

    mutating func take(_ mark: Mark, _ out: inout PieceBuffer) {
        switch mark {
        case .start, .channel, .constrain:
            if state != .header, state != .start {
                endMessage(&out)
                header = []
            }
            state = .header
            // Marks separate the words of a header; the channel's own is needed to find its name.
            header += mark == .channel ? Array(" \u{0} ".utf8) : [UInt8(ascii: " ")]
        case .message: if state == .header || state == .start { beginMessage(&out) }
        case .end, .call, .return:
            endMessage(&out)
            state = .content
        }
    }

    private mutating func endMessage(_ out: inout PieceBuffer) {
        switch state {
        case .arguments, .afterArguments, .broken: out.endCall()
        case .start: leaveStart(&out)
        case .header, .content, .reasoning: break
        }
    }

    /// What looked like the rest of a header is text.
    private mutating func leaveStart(_ out: inout PieceBuffer) {
        out.content(header)
        header = []
        state = .content
    }

    /// Whether `text` begins ` to=functions.NAME`, or can.
    private static func mayBeRecipient(_ text: [UInt8]) -> Bool {
        let beginning = Array(" to=functions.".utf8)
        if text.count <= beginning.count { return beginning.starts(with: text) }
        return text.starts(with: beginning) && !text.dropFirst(beginning.count).contains(where: JSONText.isSpace)
    }

    private mutating func beginMessage(_ out: inout PieceBuffer) {
        let words = String(decoding: header, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let channel = words.firstIndex(of: "\u{0}").flatMap { words.dropFirst($0 + 1).first }
        let recipient = words.first { $0.hasPrefix("to=functions.") }?.dropFirst("to=functions.".count)
        if let recipient, !recipient.isEmpty, parsesCalls {
            out.call(Array(recipient.utf8))
            reader = ArgumentsReader()
            state = .arguments
        } else if channel == "analysis", separatesReasoning {
            if saidReasoning { out.reasoning(0x0A) }
            saidReasoning = true
            state = .reasoning
        } else {
            if saidContent { out.content(0x0A) }
            saidContent = true
            state = .content
        }
    }

    mutating func finish(_ out: inout PieceBuffer) {
        // A header that was cut off says nothing to a reader.
        for byte in scanner.finish() { take(byte, &out) }
        if state == .start { leaveStart(&out) }
        state = .content
    }
}
