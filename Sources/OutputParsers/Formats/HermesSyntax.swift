/// Calls of one format within text, told as they come. A value that is fed byte by byte, so that it cannot matter how
/// the text was split.
protocol ToolCallSyntax: Sendable {
    mutating func append(_ byte: UInt8, to out: inout PieceBuffer)
    /// The text ended.
    mutating func finish(_ out: inout PieceBuffer)
}

/// Hermes' and Qwen's format: `<tool_call>{"name": …, "arguments": {…}}</tool_call>` (Nous Research, Hermes Function
/// Calling).
struct HermesSyntax: ToolCallSyntax {
    static let open = "<tool_call>"
    static let close = "</tool_call>"

    private enum State: Sendable {
        case text
        case object
        /// In arguments that are no JSON.
        case broken
    }

    private let functions: Set<String>?
    private var state = State.text
    private var scanner = MarkerScanner([open, close])
    private var reader: CallObjectReader
    /// A call is open: its end mark is not text.
    private var awaitsClose = false

    init(functions: Set<String>? = nil) {
        self.functions = functions
        reader = CallObjectReader(prefix: [], accepts: functions)
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        guard state == .object else {
            scanner.push(byte)
            while state != .object, let lexeme = scanner.next() { take(lexeme, &out) }
            return
        }
        switch reader.append(byte, to: &out) {
        case .inside: break
        case .ended:
            state = .text
            awaitsClose = true
        case .invalid:
            out.content(reader.raw)
            state = .text
            append(byte, to: &out)
        case .broken:
            state = .broken
            append(byte, to: &out)
        }
    }

    private mutating func take(_ lexeme: MarkerScanner.Lexeme, _ out: inout PieceBuffer) {
        switch lexeme {
        case .marker(0):
            if state == .broken { out.endCall() }
            reader = CallObjectReader(prefix: Array(Self.open.utf8), accepts: functions)
            state = .object
            awaitsClose = false
        case .marker:
            if state == .broken {
                out.endCall()
                state = .text
            } else if awaitsClose {
                awaitsClose = false
            } else {
                out.content(Array(Self.close.utf8))
            }
        case .byte(let byte): if state == .broken { out.arguments(byte) } else { out.content(byte) }
        }
    }

    mutating func finish(_ out: inout PieceBuffer) {
        let rest = state == .object ? reader.raw : scanner.finish()
        if state == .broken { out.arguments(rest) } else { out.content(rest) }
        state = .text
    }
}
