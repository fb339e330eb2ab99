/// Tells arguments that a model writes one by one between tags as the members of one JSON object.
///
/// The tags do not say what a value is. A parameter whose schema is a string is text, as it stands. Any other value is
/// JSON, or one of Python's words for it, and is text only if it is neither.
struct TaggedArguments: Sendable {
    /// One line end before and one behind a value belong to the tags.
    private let trimsLines: Bool
    private var texts: Set<String> = []
    private var hasMembers = false
    private var isText = false
    private var isAtStart = true
    /// A line end that is the value's only if more of the value follows.
    private var holdsLine = false
    /// A value that is not passed on as it comes.
    private var collected: [UInt8] = []

    init(trimsLines: Bool) { self.trimsLines = trimsLines }

    /// - Parameter texts: names of the parameters that are strings.
    mutating func beginCall(texts: Set<String>, _ out: inout PieceBuffer) {
        self.texts = texts
        hasMembers = false
        out.arguments(UInt8(ascii: "{"))
    }

    mutating func beginValue(of name: [UInt8], _ out: inout PieceBuffer) {
        if hasMembers { out.arguments(Array(", ".utf8)) }
        hasMembers = true
        isText = texts.contains(String(decoding: name, as: UTF8.self))
        isAtStart = true
        holdsLine = false
        collected = []
        tell(text: name, &out)
        out.arguments(Array(isText ? ": \"".utf8 : ": ".utf8))
    }

    mutating func append(_ byte: UInt8, _ out: inout PieceBuffer) {
        defer { isAtStart = false }
        guard trimsLines else {
            keep(byte, &out)
            return
        }
        if holdsLine { keep(0x0A, &out) }
        holdsLine = byte == 0x0A && !isAtStart
        if byte != 0x0A { keep(byte, &out) }
    }

    private mutating func keep(_ byte: UInt8, _ out: inout PieceBuffer) {
        if isText { out.arguments(JSONText.escaped(byte)) } else { collected.append(byte) }
    }

    mutating func endValue(_ out: inout PieceBuffer) {
        if isText {
            out.arguments(UInt8(ascii: "\""))
            return
        }
        let value = JSONText.trimmed(collected)
        switch String(decoding: value, as: UTF8.self) {
        case "True": out.arguments(Array("true".utf8))
        case "False": out.arguments(Array("false".utf8))
        case "None": out.arguments(Array("null".utf8))
        default: if JSONScanner.isValue(value) { out.arguments(value) } else { tell(text: collected, &out) }
        }
    }

    private func tell(text: [UInt8], _ out: inout PieceBuffer) {
        out.arguments(UInt8(ascii: "\""))
        for byte in text { out.arguments(JSONText.escaped(byte)) }
        out.arguments(UInt8(ascii: "\""))
    }

    func endCall(_ out: inout PieceBuffer) {
        out.arguments(UInt8(ascii: "}"))
        out.endCall()
    }

    /// The text ended within a value.
    func cutOff(_ out: inout PieceBuffer) { out.arguments(collected) }
}
