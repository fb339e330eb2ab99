import ChatTemplates

/// Reads JSON into template values and keeps the order of keys, which the standard decoder loses. For test data:
/// malformed input traps or yields nonsense.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    static func value(_ text: some StringProtocol) -> JinjaValue {
        var reader = JSONReader(bytes: Array(text.utf8))
        return reader.readValue()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    private mutating func skip(_ byte: Character) -> Bool {
        skipSpace()
        guard bytes[position] == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func readValue() -> JinjaValue {
        skipSpace()
        switch Character(Unicode.Scalar(bytes[position])) {
        case "{":
            position += 1
            var pairs: [(String, JinjaValue)] = []
            while !skip("}") {
                let key = readString()
                precondition(skip(":"))
                pairs.append((key, readValue()))
                _ = skip(",")
            }
            return .object(pairs)
        case "[":
            position += 1
            var elements: [JinjaValue] = []
            while !skip("]") {
                elements.append(readValue())
                _ = skip(",")
            }
            return .array(elements)
        case "\"": return .string(readString())
        case "t": return word(4, .bool(true))
        case "f": return word(5, .bool(false))
        case "n": return word(4, .none)
        default:
            let start = position
            while position < bytes.count, !" ,]}\n".utf8.contains(bytes[position]) { position += 1 }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            if let integer = Int(text) { return .int(integer) }
            return .float(Double(text) ?? .nan)
        }
    }

    private mutating func word(_ count: Int, _ value: JinjaValue) -> JinjaValue {
        position += count
        return value
    }

    private mutating func readString() -> String {
        skipSpace()
        precondition(bytes[position] == UInt8(ascii: "\""))
        position += 1
        var units: [UInt8] = []
        var high: UInt32?
        while bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] == UInt8(ascii: "\\") else {
                units.append(bytes[position])
                position += 1
                continue
            }
            let escape = Character(Unicode.Scalar(bytes[position + 1]))
            position += 2
            switch escape {
            case "n": units.append(0x0A)
            case "r": units.append(0x0D)
            case "t": units.append(0x09)
            case "b": units.append(0x08)
            case "f": units.append(0x0C)
            case "u":
                var code =
                    UInt32(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16) ?? 0xFFFD
                position += 4
                if (0xD800..<0xDC00).contains(code) {
                    high = code
                    continue
                }
                if let first = high {
                    code = 0x10000 + (first - 0xD800) << 10 + (code - 0xDC00)
                    high = nil
                }
                units += Array(String(Unicode.Scalar(code) ?? "?").utf8)
            default: units.append(escape.asciiValue ?? 0x3F)
            }
        }
        position += 1
        return String(decoding: units, as: UTF8.self)
    }
}

extension JinjaValue {
    subscript(key: String) -> JinjaValue {
        guard case .dict(let dict) = self else { return .none }
        return dict[key] ?? .none
    }

    var asString: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var pairs: [(String, JinjaValue)] {
        guard case .dict(let dict) = self else { return [] }
        return zip(dict.keys, dict.values).compactMap { key, value in key.asString.map { ($0, value) } }
    }
}
