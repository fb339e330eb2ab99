/// One JSON Schema with texts that it accepts and texts that it rejects.
package struct GrammarCase: Sendable {
    package var id: String
    package var schema: [UInt8]
    package var valid: [[UInt8]]
    package var invalid: [[UInt8]]

    /// Reads a file of cases: a JSON object a line, with `id`, `schema`, `valid` and `invalid`. Texts keep the order of
    /// their members and lose their white space.
    /// - Returns: nil when a line is not such an object.
    package static func read(_ lines: [UInt8]) -> [GrammarCase]? {
        var cases: [GrammarCase] = []
        for line in lines.split(separator: 0x0A) {
            var reader = JSONSlices(Array(line))
            guard let members = reader.members(), let schema = members["schema"],
                let valid = members["valid"].flatMap(JSONSlices.elements),
                let invalid = members["invalid"].flatMap(JSONSlices.elements)
            else { return nil }
            let id = members["id"].map { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) } ?? ""
            cases.append(GrammarCase(id: id, schema: schema, valid: valid, invalid: invalid))
        }
        return cases
    }
}

/// Cuts JSON into its members or elements without reading them. White space outside of strings is dropped.
struct JSONSlices {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) {
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        var inString = false
        var escaped = false
        for byte in text {
            if !inString, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { continue }
            kept.append(byte)
            if escaped {
                escaped = false
            } else if inString, byte == 0x5C {
                escaped = true
            } else if byte == 0x22 {
                inString.toggle()
            }
        }
        bytes = kept
    }

    /// The members of the object that the text is, by their names as written.
    mutating func members() -> [String: [UInt8]]? {
        guard bytes.first == 0x7B else { return nil }
        index = 1
        var members: [String: [UInt8]] = [:]
        while index < bytes.count, bytes[index] != 0x7D {
            let name = value()
            guard index < bytes.count, bytes[index] == 0x3A else { return nil }
            index += 1
            members[String(decoding: name.dropFirst().dropLast(), as: UTF8.self)] = value()
            if index < bytes.count, bytes[index] == 0x2C { index += 1 }
        }
        return members
    }

    static func elements(_ text: [UInt8]) -> [[UInt8]]? {
        var reader = JSONSlices(text)
        guard reader.bytes.first == 0x5B else { return nil }
        reader.index = 1
        var elements: [[UInt8]] = []
        while reader.index < reader.bytes.count, reader.bytes[reader.index] != 0x5D {
            elements.append(reader.value())
            if reader.index < reader.bytes.count, reader.bytes[reader.index] == 0x2C { reader.index += 1 }
        }
        return elements
    }

    /// The value that starts here, up to the comma, colon or bracket after it.
    private mutating func value() -> [UInt8] {
        let start = index
        var depth = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x22 {
                index += 1
                while index < bytes.count, bytes[index] != 0x22 { index += bytes[index] == 0x5C ? 2 : 1 }
            } else if byte == 0x7B || byte == 0x5B {
                depth += 1
            } else if byte == 0x7D || byte == 0x5D {
                if depth == 0 { break }
                depth -= 1
            } else if depth == 0, byte == 0x2C || byte == 0x3A {
                break
            }
            index += 1
        }
        return Array(bytes[start..<min(index, bytes.count)])
    }
}
