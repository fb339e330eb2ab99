/// Follows one JSON value (RFC 8259) byte by byte, to know where it ends and whether it still can be one. Raw control
/// characters in strings are let through: models write them.
struct JSONScanner: Sendable {
    enum Progress: Sendable {
        case inside
        /// The byte ended the value.
        case ended
        /// The value ended before the byte, which is not part of it: only numbers and words at the top end so.
        case endedBefore
        /// With this byte it is no JSON.
        case invalid
    }

    private enum State: Sendable {
        case value
        /// After `[`.
        case firstElement
        /// After `{`.
        case firstKey
        case key
        case colon
        case afterValue
        case string(isKey: Bool)
        case escape(isKey: Bool)
        case word
    }

    private var state = State.value
    /// For each open bracket whether it is an object's.
    private var isObject: [Bool] = []

    var depth: Int { isObject.count }

    mutating func append(_ byte: UInt8) -> Progress {
        let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        switch state {
        case .string(let isKey):
            if byte == UInt8(ascii: "\\") {
                state = .escape(isKey: isKey)
            } else if byte == UInt8(ascii: "\"") {
                if !isKey { return endValue() }
                state = .colon
            }
        case .escape(let isKey): state = .string(isKey: isKey)
        case .word:
            if Self.isWordByte(byte) { return .inside }
            if isObject.isEmpty { return .endedBefore }
            state = .afterValue
            return append(byte)
        case _ where isSpace: break
        case .value: return beginValue(byte)
        case .firstElement:
            if byte == UInt8(ascii: "]") { return close() }
            return beginValue(byte)
        case .firstKey where byte == UInt8(ascii: "}"): return close()
        case .firstKey, .key:
            guard byte == UInt8(ascii: "\"") else { return .invalid }
            state = .string(isKey: true)
        case .colon:
            guard byte == UInt8(ascii: ":") else { return .invalid }
            state = .value
        case .afterValue:
            switch (byte, isObject.last ?? false) {
            case (UInt8(ascii: ","), true): state = .key
            case (UInt8(ascii: ","), false): state = .value
            case (UInt8(ascii: "}"), true), (UInt8(ascii: "]"), false): return close()
            default: return .invalid
            }
        }
        return .inside
    }

    private mutating func beginValue(_ byte: UInt8) -> Progress {
        switch byte {
        case UInt8(ascii: "{"):
            isObject.append(true)
            state = .firstKey
        case UInt8(ascii: "["):
            isObject.append(false)
            state = .firstElement
        case UInt8(ascii: "\""): state = .string(isKey: false)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"),
            UInt8(ascii: "n"):
            state = .word
        default: return .invalid
        }
        return .inside
    }

    private mutating func close() -> Progress {
        isObject.removeLast()
        return endValue()
    }

    private mutating func endValue() -> Progress {
        state = .afterValue
        return isObject.isEmpty ? .ended : .inside
    }

    /// Bytes of numbers, `true`, `false` and `null`.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
