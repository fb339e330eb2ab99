/// Mistral's formats: `[TOOL_CALLS] [{"name": …, "arguments": {…}}, …]`, and since tokenizer version 11
/// `[TOOL_CALLS]name[ARGS]{…}`, perhaps with `[CALL_ID]id` before the arguments (mistral-common).
struct MistralSyntax: ToolCallSyntax {
    static let markers = ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"]

    private enum State: Sendable {
        case text
        /// Behind `[TOOL_CALLS]`: an array, an object or a name follows.
        case opening
        case beforeObject
        case object
        case afterObject
        case name
        case callID
        case arguments
        case broken
    }

    private var state = State.text
    private var scanner = MarkerScanner(markers)
    private var object = CallObjectReader(prefix: [], accepts: nil)
    private var arguments = ArgumentsReader()
    private var isInArray = false
    private var name: [UInt8] = []
    private var callID: [UInt8] = []
    /// Since the mark, while it may still be no call.
    private var raw: [UInt8] = []

    private var isScanning: Bool {
        switch state {
        case .object, .arguments: false
        default: true
        }
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        guard isScanning else {
            read(byte, &out)
            return
        }
        scanner.push(byte)
        while isScanning, let lexeme = scanner.next() { take(lexeme, &out) }
        if !isScanning { for byte in scanner.finish() { append(byte, to: &out) } }
    }

    private mutating func read(_ byte: UInt8, _ out: inout PieceBuffer) {
        let isObject = state == .object
        switch isObject ? object.append(byte, to: &out) : arguments.append(byte, to: &out) {
        case .inside: break
        case .ended: state = isObject && isInArray ? .afterObject : .text
        case .invalid:
            raw = object.raw
            giveUp(&out)
            append(byte, to: &out)
        case .broken:
            state = .broken
            append(byte, to: &out)
        }
    }

    private mutating func take(_ lexeme: MarkerScanner.Lexeme, _ out: inout PieceBuffer) {
        switch (lexeme, state) {
        case (.marker(0), _):
            if state == .broken { out.endCall() }
            giveUp(&out)
            raw = scanner.markers[0]
            isInArray = false
            state = .opening
        case (.marker(1), .name), (.marker(1), .callID): beginArguments(&out)
        case (.marker(2), .name):
            raw += scanner.markers[2]
            state = .callID
        case (.marker(let number), _):
            let mark = scanner.markers[number]
            if state == .broken {
                out.arguments(mark)
            } else {
                giveUp(&out)
                out.content(mark)
            }
        case (.byte(let byte), _): take(byte, &out)
        }
    }

    private mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch state {
        case .text: out.content(byte)
        case .broken: out.arguments(byte)
        case .opening:
            if byte == UInt8(ascii: "{") {
                beginObject(byte, &out)
            } else if byte == UInt8(ascii: "[") {
                raw.append(byte)
                isInArray = true
                state = .beforeObject
            } else if JSONText.isSpace(byte) {
                raw.append(byte)
            } else {
                name = []
                state = .name
                take(byte, &out)
            }
        case .beforeObject:
            if byte == UInt8(ascii: "{") {
                beginObject(byte, &out)
            } else if JSONText.isSpace(byte) {
                raw.append(byte)
            } else {
                giveUp(&out)
                out.content(byte)
            }
        case .afterObject:
            if byte == UInt8(ascii: ",") {
                raw = [byte]
                state = .beforeObject
            } else if byte == UInt8(ascii: "]") {
                state = .text
            } else if !JSONText.isSpace(byte) {
                state = .text
                out.content(byte)
            }
        case .name:
            if byte == UInt8(ascii: "{") {
                beginArguments(&out)
                append(byte, to: &out)
            } else if Self.isNameByte(byte) {
                raw.append(byte)
                name.append(byte)
            } else {
                giveUp(&out)
                out.content(byte)
            }
        case .callID:
            raw.append(byte)
            callID.append(byte)
        case .object, .arguments: break
        }
    }

    private mutating func beginObject(_ byte: UInt8, _ out: inout PieceBuffer) {
        object = CallObjectReader(prefix: raw, accepts: nil)
        raw = []
        state = .object
        _ = object.append(byte, to: &out)
    }

    private mutating func beginArguments(_ out: inout PieceBuffer) {
        guard !name.isEmpty else {
            giveUp(&out)
            return
        }
        out.call(name, id: callID.isEmpty ? nil : String(decoding: callID, as: UTF8.self))
        raw = []
        name = []
        callID = []
        arguments = ArgumentsReader()
        state = .arguments
    }

    /// It was no call: text.
    private mutating func giveUp(_ out: inout PieceBuffer) {
        out.content(raw)
        raw = []
        name = []
        callID = []
        state = .text
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    mutating func finish(_ out: inout PieceBuffer) {
        if state == .object { raw = object.raw }
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
