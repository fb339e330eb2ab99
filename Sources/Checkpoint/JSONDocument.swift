/// A JSON text as it stands: members in their order, repeated names kept. `JSONDecoder` would hide repetitions, which
/// a safetensors header must not have.
enum JSONNode: Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// With fraction, exponent or too large for `Int`; also `NaN` and `Infinity`, which Python writes.
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([Member])

    struct Member: Equatable, Sendable {
        var key: String
        var value: JSONNode
    }

    /// For messages: the value, shortened.
    var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value.count <= 60 ? "\"\(value)\"" : "\"\(value.prefix(57))...\""
        case .array(let elements):
            // One level: arrays of arrays of arrays would make a message as long as the file.
            elements.count <= 8
                ? "[" + elements.map(\.summaryInside).joined(separator: ", ") + "]" : "an array of \(elements.count)"
        case .object: "an object"
        }
    }

    private var summaryInside: String {
        if case .array = self { "[...]" } else { summary }
    }
}

/// Strict reader of RFC 8259 with a limit on nesting.
struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    /// Of `bytes` in the file; for messages.
    private let base: Int
    private var position = 0
    private var depth = 0

    private static let deepest = 64

    /// - Throws: `malformedJSON` with the offset in the file.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, file: String, base: Int = 0
    ) throws(CheckpointError) -> JSONNode {
        var reader = JSONReader(bytes: bytes, file: file, base: base)
        // A byte order mark is not JSON, but editors leave one.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value()
        reader.skipSpace()
        guard reader.peek == nil else { throw reader.failure("the end of the text") }
        return value
    }

    private init(bytes: UnsafeRawBufferPointer, file: String, base: Int) {
        self.bytes = bytes
        self.file = file
        self.base = base
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ expected: String) -> CheckpointError {
        let found =
            switch peek {
            case nil: "the end of the text"
            case .some(let byte) where byte >= 0x20 && byte < 0x7F: "\"\(Character(Unicode.Scalar(byte)))\""
            case .some(let byte): "byte 0x" + String(byte, radix: 16, uppercase: true)
            }
        return .malformedJSON(file: file, offset: base + position, expected: expected, found: found)
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(CheckpointError) -> JSONNode {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try nested { reader throws(CheckpointError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { reader throws(CheckpointError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case .some(let byte) where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
        default:
            for (word, node) in Self.words where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return node
            }
            throw failure("a JSON value")
        }
    }

    private static let words: [(String, JSONNode)] = [
        ("true", .boolean(true)), ("false", .boolean(false)), ("null", .null), ("NaN", .number(.nan)),
        ("Infinity", .number(.infinity)),
    ]

    private mutating func nested(
        _ body: (inout JSONReader) throws(CheckpointError) -> JSONNode
    ) throws(CheckpointError) -> JSONNode {
        guard depth < Self.deepest else { throw failure("at most \(Self.deepest) levels of nesting") }
        depth += 1
        position += 1
        let node = try body(&self)
        depth -= 1
        return node
    }

    private mutating func object() throws(CheckpointError) -> JSONNode {
        var members: [JSONNode.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure("a member name") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure("\":\"") }
            members.append(.init(key: key, value: try value()))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw failure("\",\" or \"}\"") }
        }
    }

    private mutating func array() throws(CheckpointError) -> JSONNode {
        var elements: [JSONNode] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw failure("\",\" or \"]\"") }
        }
    }

    private mutating func number() throws(CheckpointError) -> JSONNode {
        let start = position
        if take(UInt8(ascii: "-")), bytes[position...].starts(with: "Infinity".utf8) {
            position += 8
            return .number(-.infinity)
        }
        if !take(UInt8(ascii: "0")) { try digits() }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        return .number(Double(text) ?? .nan)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func digits() throws(CheckpointError) {
        let start = position
        while let byte = peek, Self.isDigit(byte) { position += 1 }
        if position == start { throw failure("a digit") }
    }

    private mutating func string() throws(CheckpointError) -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            switch peek {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else { throw failure("valid UTF-8") }
                return string
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case .some(let byte) where byte >= 0x20:
                text.append(byte)
                position += 1
            default: throw failure("a character of a string or \"\\\"\"")
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(CheckpointError) {
        guard let byte = peek else { throw failure("an escaped character") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try fourHexDigits())
            if code & 0xFC00 == 0xD800, take(UInt8(ascii: "\\")) {
                guard take(UInt8(ascii: "u")) else { throw failure("the second half of a surrogate pair") }
                let low = UInt32(try fourHexDigits())
                guard low & 0xFC00 == 0xDC00 else { throw failure("the second half of a surrogate pair") }
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("a whole surrogate pair") }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default:
            position -= 1
            throw failure("an escaped character")
        }
    }

    private mutating func fourHexDigits() throws(CheckpointError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("a hexadecimal digit")
            }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }
}
