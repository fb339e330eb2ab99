/// Llama 3's format: the answer is one object `{"name": …, "parameters": {…}}` or several, separated by `;`, each
/// perhaps after `<|python_tag|>` (Meta, Llama 3.1 model card). An object that names no function of the request is text.
struct Llama3Syntax: ToolCallSyntax {
    static let tag = "<|python_tag|>"

    private enum State: Sendable {
        /// Nothing but space so far: an object may be a call.
        case start
        case text
        case object
        case broken
        /// Behind a call.
        case after
    }

    private let functions: Set<String>?
    private var state = State.start
    private var scanner = MarkerScanner([tag])
    private var reader: CallObjectReader
    /// What separates this call from the one before; text if no call follows.
    private var separator: [UInt8] = []

    init(functions: Set<String>?) {
        self.functions = functions
        reader = CallObjectReader(prefix: [], accepts: functions)
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        guard state == .object else {
            scanner.push(byte)
            while state != .object, let lexeme = scanner.next() { take(lexeme, &out) }
            // An object has begun: it is read without marks.
            if state == .object { for byte in scanner.finish() { append(byte, to: &out) } }
            return
        }
        switch reader.append(byte, to: &out) {
        case .inside: break
        case .ended: state = .after
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
        case .marker:
            if state == .broken { out.endCall() }
            begin(Array(Self.tag.utf8))
        case .byte(let byte):
            switch state {
            case .broken: out.arguments(byte)
            case .start, .after:
                if byte == UInt8(ascii: "{") {
                    begin([])
                    _ = reader.append(byte, to: &out)
                } else if state == .after, JSONText.isSpace(byte) || byte == UInt8(ascii: ";") {
                    separator.append(byte)
                } else {
                    if !JSONText.isSpace(byte) { state = .text }
                    out.content(separator)
                    separator = []
                    out.content(byte)
                }
            case .text, .object: out.content(byte)
            }
        }
    }

    private mutating func begin(_ mark: [UInt8]) {
        reader = CallObjectReader(prefix: separator + mark, accepts: functions)
        separator = []
        state = .object
    }

    mutating func finish(_ out: inout PieceBuffer) {
        let rest = state == .object ? reader.raw : scanner.finish()
        if state == .broken { out.arguments(rest) } else { out.content(rest) }
        state = .text
    }
}
