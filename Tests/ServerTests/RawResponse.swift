import WireTypes

/// An HTTP/1.1 response as it came over the wire.
struct RawResponse: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSONValue { try JSONParser.parse(body) }

    /// The JSON of a stream's events, without `[DONE]` and comments.
    func events() throws -> [JSONValue] {
        try text.split(separator: "\n").filter { $0.hasPrefix("data: ") && $0 != "data: [DONE]" }
            .map { try JSONParser.parse(Array($0.dropFirst(6).utf8)) }
    }

    /// - Returns: nil if more bytes are needed.
    static func parse(_ bytes: [UInt8], toHead: Bool, isClosed: Bool) -> (RawResponse, count: Int)? {
        let blank = Array("\r\n\r\n".utf8)
        guard let headEnd = bytes.firstRange(of: blank)?.upperBound else { return nil }
        let lines = String(decoding: bytes[..<(headEnd - 4)], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop(while: { $0 == " " })) : ""
        }
        if toHead || status == 204 || status < 200 {
            return (RawResponse(status: status, headers: headers, body: []), headEnd)
        }
        if headers["transfer-encoding"] == "chunked" {
            guard let (body, end) = chunks(bytes, from: headEnd) else { return nil }
            return (RawResponse(status: status, headers: headers, body: body), end)
        }
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard bytes.count >= headEnd + length else { return nil }
            return (
                RawResponse(status: status, headers: headers, body: Array(bytes[headEnd..<headEnd + length])),
                headEnd + length
            )
        }
        return isClosed
            ? (RawResponse(status: status, headers: headers, body: Array(bytes[headEnd...])), bytes.count) : nil
    }

    private static func chunks(_ bytes: [UInt8], from start: Int) -> (body: [UInt8], end: Int)? {
        var body: [UInt8] = []
        var position = start
        while let lineEnd = bytes[position...].firstRange(of: Array("\r\n".utf8)) {
            guard let size = Int(String(decoding: bytes[position..<lineEnd.lowerBound], as: UTF8.self), radix: 16),
                bytes.count >= lineEnd.upperBound + size + 2
            else { return nil }
            if size == 0 { return (body, lineEnd.upperBound + 2) }
            body += bytes[lineEnd.upperBound..<lineEnd.upperBound + size]
            position = lineEnd.upperBound + size + 2
        }
        return nil
    }
}

extension JSONValue {
    /// Member of an object, or nil.
    subscript(name: String) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    /// Element of an array, or nil.
    subscript(index: Int) -> JSONValue? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int? { if case .int(let value) = self { value } else { nil } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
}
