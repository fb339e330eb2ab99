/// Parses a schema's JSON text (RFC 8259) into the nodes of a `SchemaDocument`.
struct SchemaJSONParser {
    private typealias Node = SchemaDocument.Node
    private typealias Value = SchemaDocument.Value

    private let bytes: [UInt8]
    private let maximumNesting: Int
    private var offset = 0
    private var nodes: [SchemaDocument.Node] = []

    init(bytes: [UInt8], maximumNesting: Int) {
        self.bytes = bytes
        self.maximumNesting = maximumNesting
        nodes.reserveCapacity(bytes.count / 16)
    }

    mutating func parse() throws(JSONSchemaError) -> [SchemaDocument.Node] {
        skipWhitespace()
        _ = try value(parent: -1, token: .root, depth: 0)
        skipWhitespace()
        guard offset == bytes.count else { throw malformed("text after the end of the schema") }
        return nodes
    }

    private func malformed(_ reason: String) -> JSONSchemaError { .malformedJSON(offset: offset, reason: reason) }

    private mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func value(
        parent: SchemaDocument.Place, token: SchemaDocument.Token, depth: Int
    ) throws(JSONSchemaError) -> SchemaDocument.Place {
        guard depth <= maximumNesting else {
            throw .limitExceeded(bound: "maximumNesting", limit: maximumNesting, pointer: "#")
        }
        let place = SchemaDocument.Place(nodes.count)
        nodes.append(Node(value: .null, parent: parent, token: token))
        let parsed: Value
        switch next {
        case UInt8(ascii: "{"): parsed = try object(place: place, depth: depth)
        case UInt8(ascii: "["): parsed = try array(place: place, depth: depth)
        case UInt8(ascii: "\""): parsed = .string(try string())
        case UInt8(ascii: "t"): parsed = try literal("true", .boolean(true))
        case UInt8(ascii: "f"): parsed = try literal("false", .boolean(false))
        case UInt8(ascii: "n"): parsed = try literal("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || (48...57).contains(byte): parsed = try number()
        case .some: throw malformed("no JSON value starts here")
        case nil: throw malformed("the text ends inside a value")
        }
        nodes[Int(place)].value = parsed
        return place
    }

    private mutating func literal(_ text: String, _ value: Value) throws(JSONSchemaError) -> Value {
        guard bytes[offset...].starts(with: text.utf8) else { throw malformed("no JSON value starts here") }
        offset += text.utf8.count
        return value
    }

    private mutating func object(place: SchemaDocument.Place, depth: Int) throws(JSONSchemaError) -> Value {
        var members: [SchemaDocument.Member] = []
        var positions: [[UInt8]: Int] = [:]
        offset += 1
        skipWhitespace()
        if next == UInt8(ascii: "}") {
            offset += 1
            return .object([])
        }
        while true {
            guard next == UInt8(ascii: "\"") else { throw malformed("a member name in quotes is expected") }
            let name = try string()
            skipWhitespace()
            guard next == UInt8(ascii: ":") else { throw malformed("':' is expected") }
            offset += 1
            skipWhitespace()
            let child = try value(parent: place, token: .name(name), depth: depth + 1)
            if let position = positions.updateValue(members.count, forKey: name) {
                members[position].value = child
                positions[name] = position
            } else {
                members.append(SchemaDocument.Member(name: name, value: child))
            }
            skipWhitespace()
            switch next {
            case UInt8(ascii: ","):
                offset += 1
                skipWhitespace()
            case UInt8(ascii: "}"):
                offset += 1
                return .object(members)
            default: throw malformed("',' or '}' is expected")
            }
        }
    }

    private mutating func array(place: SchemaDocument.Place, depth: Int) throws(JSONSchemaError) -> Value {
        var elements: [SchemaDocument.Place] = []
        offset += 1
        skipWhitespace()
        if next == UInt8(ascii: "]") {
            offset += 1
            return .array([])
        }
        while true {
            elements.append(try value(parent: place, token: .index(elements.count), depth: depth + 1))
            skipWhitespace()
            switch next {
            case UInt8(ascii: ","):
                offset += 1
                skipWhitespace()
            case UInt8(ascii: "]"):
                offset += 1
                return .array(elements)
            default: throw malformed("',' or ']' is expected")
            }
        }
    }

    private mutating func number() throws(JSONSchemaError) -> Value {
        let start = offset
        scan: while let byte = next {
            switch byte {
            case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                offset += 1
            default: break scan
            }
        }
        guard let number = DecimalNumber(json: bytes[start..<offset]) else {
            offset = start
            throw malformed("a malformed number, or an exponent beyond ±100000")
        }
        return .number(number)
    }

    private mutating func string() throws(JSONSchemaError) -> [UInt8] {
        offset += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard String(validating: text, as: UTF8.self) != nil else { throw malformed("a string is not UTF-8") }
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case 0..<0x20: throw malformed("a control character inside a string")
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw malformed("the text ends inside a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONSchemaError) {
        guard let byte = next else { throw malformed("the text ends inside a string") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\"), offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "u")
                else {
                    throw malformed("half of a surrogate pair")
                }
                offset += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw malformed("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair") }
            text += UTF8.encode(scalar).map { Array($0) } ?? []
        default:
            offset -= 1
            throw malformed("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONSchemaError) -> UInt32 {
        guard offset + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16),
            bytes[offset] != UInt8(ascii: "+")
        else { throw malformed("four hexadecimal digits are expected") }
        offset += 4
        return code
    }
}
