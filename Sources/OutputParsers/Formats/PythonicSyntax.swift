/// Calls as Python writes them: the answer is `[f(a=1, b="x"), g()]` (Llama 3.2 and 4, ToolACE, Olmo). Values become
/// JSON as they come. A list that does not begin with a function of the request is text.
struct PythonicSyntax: ToolCallSyntax {
    private enum State: Sendable {
        /// Nothing but space so far: a list may be calls.
        case start
        case text
        /// A function's name.
        case name
        /// Behind `(` or a comma between arguments.
        case argument
        case keyword
        case value
        case string(quote: UInt8)
        case escape(quote: UInt8)
        case word
        case afterValue
        case afterCall
        case broken
    }

    private enum Container: Sendable {
        case call
        case list(close: UInt8)
        case dictionary(isKey: Bool)
    }

    private let functions: Set<String>?
    private var state = State.start
    private var containers: [Container] = []
    /// A value follows another one in the same container.
    private var needsComma = false
    private var collected: [UInt8] = []
    /// Text that is no call yet.
    private var raw: [UInt8] = []

    init(functions: Set<String>?) { self.functions = functions }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        switch state {
        case .text: out.content(byte)
        case .broken: out.arguments(byte)
        case .string(let quote): takeString(byte, quote, &out)
        case .escape(let quote):
            out.arguments(Self.escape(byte))
            state = .string(quote: quote)
        case .word where Self.isNameByte(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"):
            collected.append(byte)
        case .word:
            guard let word = Self.json(word: collected) else {
                breakOff(collected + [byte], &out)
                return
            }
            out.arguments(word)
            state = .afterValue
            append(byte, to: &out)
        case .name: takeName(byte, &out)
        case _ where JSONText.isSpace(byte): if case .start = state { out.content(byte) }
        case .start:
            if byte == UInt8(ascii: "[") {
                raw = [byte]
                collected = []
                state = .name
            } else {
                state = .text
                out.content(byte)
            }
        case .argument:
            if byte == UInt8(ascii: ")") {
                endCall(&out)
            } else if Self.isNameByte(byte) {
                collected = [byte]
                state = .keyword
            } else {
                breakOff([byte], &out)
            }
        case .keyword:
            if Self.isNameByte(byte) {
                collected.append(byte)
            } else if byte == UInt8(ascii: "=") {
                separate(&out)
                out.arguments([UInt8(ascii: "\"")] + collected + Array("\": ".utf8))
                needsComma = false
                state = .value
            } else {
                breakOff(collected + [byte], &out)
            }
        case .value: beginValue(byte, &out)
        case .afterValue: takeAfterValue(byte, &out)
        case .afterCall:
            if byte == UInt8(ascii: ",") {
                raw = [byte]
                collected = []
                state = .name
            } else {
                state = .text
                if byte != UInt8(ascii: "]") { out.content(byte) }
            }
        }
    }

    private mutating func takeName(_ byte: UInt8, _ out: inout PieceBuffer) {
        raw.append(byte)
        if JSONText.isSpace(byte), collected.isEmpty { return }
        if Self.isNameByte(byte) || byte == UInt8(ascii: "-") {
            collected.append(byte)
            return
        }
        let name = String(decoding: collected, as: UTF8.self)
        guard byte == UInt8(ascii: "("), !name.isEmpty, functions?.contains(name) ?? true else {
            out.content(raw)
            raw = []
            state = .text
            return
        }
        raw = []
        out.call(collected)
        out.arguments(UInt8(ascii: "{"))
        containers = [.call]
        needsComma = false
        state = .argument
    }

    private mutating func takeString(_ byte: UInt8, _ quote: UInt8, _ out: inout PieceBuffer) {
        if byte == quote {
            out.arguments(UInt8(ascii: "\""))
            state = .afterValue
        } else if byte == UInt8(ascii: "\\") {
            state = .escape(quote: quote)
        } else {
            out.arguments(JSONText.escaped(byte))
        }
    }

    private mutating func beginValue(_ byte: UInt8, _ out: inout PieceBuffer) {
        if case .list(let close)? = containers.last, byte == close {
            endContainer(UInt8(ascii: "]"), &out)
            return
        }
        if case .dictionary(isKey: true)? = containers.last {
            if byte == UInt8(ascii: "}") {
                endContainer(byte, &out)
                return
            }
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else {
                breakOff([byte], &out)
                return
            }
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            separate(&out)
            out.arguments(UInt8(ascii: "\""))
            state = .string(quote: byte)
        case UInt8(ascii: "["), UInt8(ascii: "("):
            separate(&out)
            out.arguments(UInt8(ascii: "["))
            containers.append(.list(close: byte == UInt8(ascii: "[") ? UInt8(ascii: "]") : UInt8(ascii: ")")))
            needsComma = false
        case UInt8(ascii: "{"):
            separate(&out)
            out.arguments(byte)
            containers.append(.dictionary(isKey: true))
            needsComma = false
        case _ where Self.isNameByte(byte) || byte == UInt8(ascii: "-"):
            separate(&out)
            collected = [byte]
            state = .word
        default: breakOff([byte], &out)
        }
    }

    private mutating func takeAfterValue(_ byte: UInt8, _ out: inout PieceBuffer) {
        switch (byte, containers.last) {
        case (UInt8(ascii: ":"), .dictionary(isKey: true)?):
            out.arguments(Array(": ".utf8))
            containers[containers.count - 1] = .dictionary(isKey: false)
            needsComma = false
            state = .value
        case (UInt8(ascii: ","), .dictionary(isKey: false)?):
            containers[containers.count - 1] = .dictionary(isKey: true)
            needsComma = true
            state = .value
        case (UInt8(ascii: ","), .list?):
            needsComma = true
            state = .value
        case (UInt8(ascii: ","), .call?):
            needsComma = true
            state = .argument
        case (UInt8(ascii: ")"), .call?): endCall(&out)
        case (UInt8(ascii: "}"), .dictionary(isKey: false)?): endContainer(byte, &out)
        case (_, .list(byte)?): endContainer(UInt8(ascii: "]"), &out)
        default: breakOff([byte], &out)
        }
    }

    private mutating func separate(_ out: inout PieceBuffer) {
        if needsComma { out.arguments(Array(", ".utf8)) }
        needsComma = false
    }

    private mutating func endContainer(_ bracket: UInt8, _ out: inout PieceBuffer) {
        out.arguments(bracket)
        containers.removeLast()
        needsComma = false
        state = .afterValue
    }

    private mutating func endCall(_ out: inout PieceBuffer) {
        out.arguments(UInt8(ascii: "}"))
        containers = []
        state = .afterCall
    }

    /// These are no arguments that could be JSON: the rest is passed on as it is.
    private mutating func breakOff(_ bytes: [UInt8], _ out: inout PieceBuffer) {
        out.arguments(bytes)
        state = .broken
    }

    private static func json(word: [UInt8]) -> [UInt8]? {
        switch String(decoding: word, as: UTF8.self) {
        case "True", "true": return Array("true".utf8)
        case "False", "false": return Array("false".utf8)
        case "None", "null": return Array("null".utf8)
        default:
            guard let first = word.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
                return nil
            }
            return word
        }
    }

    /// The JSON escape for what follows a backslash in Python.
    private static func escape(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "r"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "u"), UInt8(ascii: "\\"), UInt8(ascii: "\""):
            [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "x"): Array("\\u00".utf8)
        case UInt8(ascii: "'"): [byte]
        case 0x0A: []
        default: Array("\\\\".utf8) + JSONText.escaped(byte)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    mutating func finish(_ out: inout PieceBuffer) {
        if case .word = state { out.arguments(Self.json(word: collected) ?? collected) }
        out.content(raw)
        raw = []
        state = .text
    }
}
