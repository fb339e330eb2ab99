/// `redis://[[user:]password@]host[:port][/db]`.
package struct RedisAddress: Sendable, Equatable {
    package var host: String
    package var port: Int
    package var database: Int
    package var user: String?
    package var password: String?

    /// - Returns: nil if the text is no such address.
    package init?(_ text: String) {
        guard let scheme = ["redis://", "valkey://"].first(where: { text.hasPrefix($0) }) else { return nil }
        var rest = text.dropFirst(scheme.count)
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            password = parts.last.map { Self.unescaped($0) }
            if parts.count == 2, !parts[0].isEmpty { user = Self.unescaped(parts[0]) }
            rest = rest[rest.index(after: at)...]
        }
        let path = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        database = 0
        if path.count == 2, !path[1].isEmpty {
            guard let number = Int(path[1]), number >= 0 else { return nil }
            database = number
        }
        var place = path[0]
        port = 6379
        // An IPv6 address has colons of its own and stands in brackets.
        let afterBracket = place.lastIndex(of: "]").map { place.index(after: $0) } ?? place.startIndex
        if let colon = place[afterBracket...].lastIndex(of: ":") {
            guard let number = Int(place[place.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            place = place[..<colon]
        }
        if place.hasPrefix("["), place.hasSuffix("]") { place = place.dropFirst().dropLast() }
        guard !place.isEmpty else { return nil }
        host = String(place)
    }

    /// Without the password, for logs.
    package var text: String { "redis://\(host):\(port)/\(database)" }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
