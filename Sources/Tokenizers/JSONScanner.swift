/// A strict reader of JSON (RFC 8259) over bytes.
///
/// Why our own: a vocabulary of 260,000 entries and half a million merges is read straight into flat arrays, without
/// a `String` or a dictionary entry each, and strings are kept as the bytes they are.
struct JSONScanner {
    let bytes: [UInt8]
    private(set) var position = 0

    /// Nesting above this is refused, so that a hostile file cannot exhaust the stack.
    static let depthLimit = 128

    /// Places in vocabularies are kept in 32 bits.
    private static let sizeLimit = 1 << 31

    /// - Throws: `invalidJSON` if the bytes are not UTF-8, or more than 2 GiB.
    init(_ bytes: [UInt8]) throws(TokenizerError) {
        if bytes.count > Self.sizeLimit {
            throw TokenizerError.invalidJSON(offset: Self.sizeLimit, reason: "the file is larger than 2 GiB")
        }
        guard (try? UTF8Span(validating: bytes.span)) != nil else {
            throw TokenizerError.invalidJSON(offset: 0, reason: "the file is not UTF-8")
        }
        self.bytes = bytes
    }

    func error(_ reason: String) -> TokenizerError {
        .invalidJSON(offset: position, reason: reason)
    }

    mutating func seek(to position: Int) {
        self.position = position
    }

    // MARK: Tokens

    /// The next byte that is not white space, not consumed; 0 at the end.
    @inline(__always)
    mutating func peek() -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position &+= 1
        }
        return 0
    }

    mutating func expect(_ byte: UInt8) throws(TokenizerError) {
        guard peek() == byte else {
            throw error("expected \(Unicode.Scalar(byte)), found \(found())")
        }
        position &+= 1
    }

    /// Consumes `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position &+= 1
        return true
    }

    private func found() -> String {
        position < bytes.count
            ? String(decoding: bytes[position..<min(position + 1, bytes.count)], as: UTF8.self)
            : "the end of the file"
    }

    mutating func expectEnd() throws(TokenizerError) {
        _ = peek()
        if position < bytes.count { throw error("something behind the value") }
    }

    /// Appends the text of the string that comes next to `text`.
    mutating func string(into text: inout [UInt8]) throws(TokenizerError) {
        try expect(0x22)
        var start = position
        while true {
            guard position < bytes.count else { throw error("a string without its closing quote") }
            let byte = bytes[position]
            if byte == 0x22 { break }
            if byte < 0x20 { throw error("a control character inside a string") }
            guard byte == 0x5C else {
                position &+= 1
                continue
            }
            text.append(contentsOf: bytes[start..<position])
            position &+= 1
            try escape(into: &text)
            start = position
        }
        text.append(contentsOf: bytes[start..<position])
        position &+= 1
    }

    private mutating func escape(into text: inout [UInt8]) throws(TokenizerError) {
        guard position < bytes.count else { throw error("a string without its closing quote") }
        let byte = bytes[position]
        position &+= 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hexadecimal()
            if (0xD800..<0xDC00).contains(scalar) {
                guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == UInt8(ascii: "u")
                else { throw error("half a surrogate pair") }
                position += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            } else if (0xDC00..<0xE000).contains(scalar) {
                throw error("half a surrogate pair")
            }
            UTF8Text.append(scalar, to: &text)
        default:
            position &-= 1
            throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw error("\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position &+= 1
        }
        return value
    }

    /// A number that must be an integer from 0 up to `limit`; nil if it is another number.
    mutating func naturalNumber(limit: Int) throws(TokenizerError) -> Int? {
        _ = peek()
        let start = position
        var value = 0
        var fits = true
        while position < bytes.count, case let byte = bytes[position], (0x30...0x39).contains(byte) {
            value = value &* 10 &+ Int(byte &- 0x30)
            if value > limit {
                fits = false
                value = limit
            }
            position &+= 1
        }
        let isPlain = position - start == 1 || position > start && bytes[start] != 0x30
        if isPlain, fits, position < bytes.count, !Self.continuesNumber(bytes[position]) { return value }
        position = start
        _ = try number()
        return nil
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
    }

    private mutating func number() throws(TokenizerError) -> Double {
        _ = peek()
        let start = position
        func digits(_ scanner: inout JSONScanner) -> Int {
            let first = scanner.position
            while scanner.position < scanner.bytes.count, (0x30...0x39).contains(scanner.bytes[scanner.position]) {
                scanner.position += 1
            }
            return scanner.position - first
        }
        func at(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }
        if at(UInt8(ascii: "-")) { position += 1 }
        let leadingZero = at(0x30)
        let whole = digits(&self)
        if whole == 0 || leadingZero && whole > 1 { throw error("not a number") }
        if at(UInt8(ascii: ".")) {
            position += 1
            if digits(&self) == 0 { throw error("not a number") }
        }
        if at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
            position += 1
            if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { position += 1 }
            if digits(&self) == 0 { throw error("not a number") }
        }
        return Double(String(decoding: bytes[start..<position], as: UTF8.self)) ?? 0
    }

    private mutating func word(_ text: StaticString) throws(TokenizerError) {
        let expected = text.withUTF8Buffer { Array($0) }
        guard bytes[position...].starts(with: expected) else { throw error("an unknown word") }
        position += expected.count
    }

    // MARK: Values

    /// The value that comes next.
    mutating func value(depth: Int = 0) throws(TokenizerError) -> JSONValue {
        if depth > Self.depthLimit { throw error("nesting deeper than \(Self.depthLimit)") }
        switch peek() {
        case 0x22:
            var text: [UInt8] = []
            try string(into: &text)
            return .string(text)
        case UInt8(ascii: "{"):
            var members: [JSONValue.Member] = []
            try object { (key, scanner) throws(TokenizerError) in
                members.append(.init(key: key, value: try scanner.value(depth: depth + 1)))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try array { (scanner) throws(TokenizerError) in
                elements.append(try scanner.value(depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default:
            return .number(try number())
        }
    }

    /// Checks and passes over the value that comes next; returns where it is.
    mutating func skipValue(depth: Int = 0) throws(TokenizerError) -> Range<Int> {
        if depth > Self.depthLimit { throw error("nesting deeper than \(Self.depthLimit)") }
        let first = peek()
        let start = position
        switch first {
        case 0x22:
            try skipString()
        case UInt8(ascii: "{"):
            position += 1
            if take(UInt8(ascii: "}")) { break }
            repeat {
                if peek() != 0x22 { throw error("expected a key") }
                try skipString()
                try expect(UInt8(ascii: ":"))
                _ = try skipValue(depth: depth + 1)
            } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            position += 1
            if take(UInt8(ascii: "]")) { break }
            repeat { _ = try skipValue(depth: depth + 1) } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "]"))
        case 0x30...0x39:
            if try naturalNumber(limit: 1 << 40) == nil { break }
        default:
            _ = try value(depth: depth)
        }
        return start..<position
    }

    private mutating func skipString() throws(TokenizerError) {
        position &+= 1
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            if byte == 0x22 { return }
            // What an escape means is checked where the string is read.
            if byte == 0x5C { position &+= 1 }
        }
        throw error("a string without its closing quote")
    }

    /// Calls `member` for each key, with the scanner in front of the value, which `member` must consume.
    mutating func object(
        _ member: (String, inout JSONScanner) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try expect(UInt8(ascii: "{"))
        if take(UInt8(ascii: "}")) { return }
        repeat {
            var key: [UInt8] = []
            try string(into: &key)
            try expect(UInt8(ascii: ":"))
            try member(String(decoding: key, as: UTF8.self), &self)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    /// Calls `element` with the scanner in front of each element, which `element` must consume.
    mutating func array(_ element: (inout JSONScanner) throws(TokenizerError) -> Void) throws(TokenizerError) {
        try expect(UInt8(ascii: "["))
        if take(UInt8(ascii: "]")) { return }
        repeat { try element(&self) } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
    }
}

/// A JSON value. Strings stay bytes; objects keep their order.
enum JSONValue: Sendable {
    struct Member: Sendable {
        var key: String
        var value: JSONValue
    }

    case null
    case bool(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([Member])

    /// The JSON type, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
