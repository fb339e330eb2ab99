/// How a reader of calls took a byte.
enum CallProgress: Sendable {
    case inside
    /// The byte was the call's last.
    case ended
    /// It is no call, and nothing was told. The byte was not taken.
    case invalid
    /// A call was told, but its arguments are no JSON. The byte was not taken.
    case broken
}

/// Reads the arguments of a call that has been told: passes them on as they are written, without the space around.
struct ArgumentsReader: Sendable {
    private var scanner = JSONScanner()
    private(set) var hasBegun = false

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) -> CallProgress {
        if !hasBegun {
            if JSONText.isSpace(byte) { return .inside }
            // Functions take named arguments, so everything else is a mistake.
            guard byte == UInt8(ascii: "{") else { return .broken }
            hasBegun = true
        }
        switch scanner.append(byte) {
        case .inside: break
        case .ended:
            out.arguments(byte)
            return .ended
        case .endedBefore, .invalid: return .broken
        }
        out.arguments(byte)
        return .inside
    }
}

/// Reads a call written as an object, `{"name": "f", "arguments": {…}}`, in any order of its members; Llama's name for
/// the arguments is `parameters`. Tells the name first, then the arguments as they come.
struct CallObjectReader: Sendable {
    private enum State: Sendable {
        case start
        case firstKey
        case key
        case inKey
        case colon
        case value
        case afterValue
    }

    private enum Role: Sendable {
        case name
        case arguments
        case other
    }

    private let accepts: Set<String>?
    private var state = State.start
    private var role = Role.other
    private var scanner = JSONScanner()
    /// The member's name or value so far, unless it is passed on at once.
    private var collected: [UInt8] = []
    private var escapes = false
    private var hasBegunValue = false
    /// Arguments that came before the name.
    private var early: [UInt8]?
    private var toldName = false
    private var toldArguments = false
    /// Everything taken so far, for the case that it is no call; empty once the call was told.
    private(set) var raw: [UInt8]

    /// - Parameters:
    ///   - prefix: text that was taken for the beginning of a call; part of `raw`.
    ///   - accepts: names of functions that exist; nil accepts all.
    init(prefix: [UInt8], accepts: Set<String>?) {
        raw = prefix
        self.accepts = accepts
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) -> CallProgress {
        let progress = take(byte, &out)
        switch progress {
        case .inside, .ended: if toldName { raw = [] } else { raw.append(byte) }
        case .invalid, .broken: break
        }
        return progress
    }

    private var failure: CallProgress { toldName ? .broken : .invalid }

    private mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) -> CallProgress {
        switch state {
        case .inKey: return takeKey(byte)
        case .value: return takeValue(byte, &out)
        case _ where JSONText.isSpace(byte): return .inside
        case .start:
            guard byte == UInt8(ascii: "{") else { return failure }
            state = .firstKey
        case .firstKey where byte == UInt8(ascii: "}"): return .invalid
        case .firstKey, .key:
            guard byte == UInt8(ascii: "\"") else { return failure }
            collected = [byte]
            state = .inKey
        case .colon:
            guard byte == UInt8(ascii: ":") else { return failure }
            scanner = JSONScanner()
            hasBegunValue = false
            collected = []
            state = .value
        case .afterValue:
            if byte == UInt8(ascii: ",") {
                state = .key
            } else if byte == UInt8(ascii: "}") {
                return end(&out)
            } else {
                return failure
            }
        }
        return .inside
    }

    private mutating func takeKey(_ byte: UInt8) -> CallProgress {
        collected.append(byte)
        if escapes {
            escapes = false
        } else if byte == UInt8(ascii: "\\") {
            escapes = true
        } else if byte == UInt8(ascii: "\"") {
            switch String(decoding: JSONText.decoded(collected), as: UTF8.self) {
            case "name": role = toldName ? .other : .name
            case "arguments", "parameters": role = toldArguments || early != nil ? .other : .arguments
            default: role = .other
            }
            state = .colon
        }
        return .inside
    }

    private mutating func takeValue(_ byte: UInt8, _ out: inout PieceBuffer) -> CallProgress {
        if !hasBegunValue {
            if JSONText.isSpace(byte) { return .inside }
            hasBegunValue = true
        }
        switch scanner.append(byte) {
        case .invalid: return failure
        case .endedBefore:
            guard endValue(&out) else { return failure }
            return take(byte, &out)
        case .ended:
            keep(byte, &out)
            return endValue(&out) ? .inside : failure
        case .inside:
            keep(byte, &out)
            return .inside
        }
    }

    private mutating func keep(_ byte: UInt8, _ out: inout PieceBuffer) {
        guard role == .arguments, toldName, collected.isEmpty else {
            if role != .other { collected.append(byte) }
            return
        }
        // Only objects are passed on as they come; what else a model may write here is looked at as a whole.
        if byte == UInt8(ascii: "{") || toldArguments {
            toldArguments = true
            out.arguments(byte)
        } else {
            collected.append(byte)
        }
    }

    private mutating func endValue(_ out: inout PieceBuffer) -> Bool {
        state = .afterValue
        switch role {
        case .other: break
        case .name:
            guard collected.first == UInt8(ascii: "\"") else { return false }
            let name = JSONText.decoded(collected)
            if name.isEmpty || !(accepts?.contains(String(decoding: name, as: UTF8.self)) ?? true) { return false }
            out.call(name)
            toldName = true
            if let early { tellArguments(early, &out) }
        case .arguments where toldArguments: break
        case .arguments: if toldName { tellArguments(collected, &out) } else { early = collected }
        }
        collected = []
        return true
    }

    /// Some models write the arguments as JSON within a string.
    private mutating func tellArguments(_ value: [UInt8], _ out: inout PieceBuffer) {
        toldArguments = true
        if value == Array("null".utf8) {
            out.arguments(Array("{}".utf8))
        } else if value.first == UInt8(ascii: "\"") {
            out.arguments(JSONText.decoded(value))
        } else {
            out.arguments(value)
        }
    }

    private mutating func end(_ out: inout PieceBuffer) -> CallProgress {
        guard toldName else { return .invalid }
        out.endCall()
        return .ended
    }
}
