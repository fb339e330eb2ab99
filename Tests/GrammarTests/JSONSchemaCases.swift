import FoundationEssentials
import Glibc

/// The cases of `cases/json-schema` beside the repository: `RADISH_SHARED`, or `../shared`.
struct JSONSchemaCase: Sendable {
    var id: String
    var schema: [UInt8]
    /// As they are written in the file: number spellings and order of members are kept.
    var valid: [[UInt8]]
    var invalid: [[UInt8]]

    static var sharedFolder: String {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return getenv("RADISH_SHARED").map { String(cString: $0) } ?? "/\(repository)/../shared"
    }

    /// Nil when the cases are not there.
    static func load() throws -> [JSONSchemaCase]? {
        let path = sharedFolder + "/cases/json-schema/cases.jsonl"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return data.split(separator: UInt8(ascii: "\n")).map { line in
            var scanner = RawJSON(bytes: Array(line))
            var result = JSONSchemaCase(id: "", schema: [], valid: [], invalid: [])
            for (key, value) in scanner.members() {
                switch key {
                case "id": result.id = String(decoding: value.dropFirst().dropLast(), as: UTF8.self)
                case "schema": result.schema = value
                case "valid": result.valid = RawJSON.elements(value)
                case "invalid": result.invalid = RawJSON.elements(value)
                default: break
                }
            }
            return result
        }
    }
}

/// Cuts well-formed JSON text into the texts of its parts.
struct RawJSON {
    let bytes: [UInt8]
    private var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    static func elements(_ bytes: [UInt8]) -> [[UInt8]] {
        var scanner = RawJSON(bytes: bytes)
        var result: [[UInt8]] = []
        scanner.offset += 1
        while true {
            scanner.skipBlanks()
            if scanner.bytes[scanner.offset] == UInt8(ascii: "]") { return result }
            if scanner.bytes[scanner.offset] == UInt8(ascii: ",") {
                scanner.offset += 1
                continue
            }
            result.append(scanner.value())
        }
    }

    mutating func members() -> [(String, [UInt8])] {
        var result: [(String, [UInt8])] = []
        skipBlanks()
        offset += 1
        while true {
            skipBlanks()
            if bytes[offset] == UInt8(ascii: "}") { return result }
            if bytes[offset] == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            let key = value()
            skipBlanks()
            offset += 1
            skipBlanks()
            result.append((String(decoding: key.dropFirst().dropLast(), as: UTF8.self), value()))
        }
    }

    private mutating func skipBlanks() {
        while [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
    }

    private mutating func value() -> [UInt8] {
        let start = offset
        var depth = 0
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                offset += 1
                while bytes[offset] != UInt8(ascii: "\"") { offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1 }
                offset += 1
                if depth == 0 { return Array(bytes[start..<offset]) }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return Array(bytes[start..<offset]) }
                depth -= 1
                if depth == 0 {
                    offset += 1
                    return Array(bytes[start..<offset])
                }
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: ":"):
                if depth == 0 { return Array(bytes[start..<offset]) }
            default: break
            }
            offset += 1
        }
        return Array(bytes[start..<offset])
    }
}
