/// Follows one JSON value (RFC 8259) byte by byte, to know where it ends and whether it still can be one. Unless it is
/// strict, it lets raw control characters in strings and words that are no numbers through: models write them.
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

    private let isStrict: Bool
    /// The number or word that is being read, if it will be looked at.
    private var word: [UInt8] = []
    /// Hexadecimal digits of an escape that have to come.
    private var digits = 0

    init(isStrict: Bool = false) { self.isStrict = isStrict }

    /// Whether `text`, without space around it, is one JSON value.
    static func isValue(_ text: [UInt8]) -> Bool {
        var scanner = JSONScanner(isStrict: true)
        // What ends a number or a word at the top is the byte behind it.
        for (place, byte) in (text + [0x20]).enumerated() {
            switch scanner.append(byte) {
            case .inside: continue
            case .ended: return place == text.count - 1
            case .endedBefore: return place == text.count
            case .invalid: return false
            }
        }
        return false
    }

    var depth: Int { isObject.count }

    mutating func append(_ byte: UInt8) -> Progress {
        let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        switch state {
        case .string(let isKey):
            if digits > 0 {
                digits -= 1
                if isStrict, Character(UnicodeScalar(byte)).hexDigitValue == nil || byte >= 0x80 { return .invalid }
            } else if isStrict, byte < 0x20 {
                return .invalid
            } else if byte == UInt8(ascii: "\\") {
                state = .escape(isKey: isKey)
            } else if byte == UInt8(ascii: "\"") {
                if !isKey { return endValue() }
                state = .colon
            }
        case .escape(let isKey):
            if isStrict {
                if !"\"\\/bfnrtu".utf8.contains(byte) { return .invalid }
                if byte == UInt8(ascii: "u") { digits = 4 }
            }
            state = .string(isKey: isKey)
        case .word:
            if Self.isWordByte(byte) {
                if isStrict { word.append(byte) }
                return .inside
            }
            if isStrict, !Self.isWord(word) { return .invalid }
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
            word = isStrict ? [byte] : []
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

    /// Whether `word` is a number, `true`, `false` or `null`.
    private static func isWord(_ word: [UInt8]) -> Bool {
        if ["true", "false", "null"].contains(where: { word.elementsEqual($0.utf8) }) { return true }
        var rest = word[...]
        func digits() -> Int {
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        if whole == 0 || (startsWithZero && whole > 1) { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if digits() == 0 { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            if digits() == 0 { return false }
        }
        return rest.isEmpty
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
