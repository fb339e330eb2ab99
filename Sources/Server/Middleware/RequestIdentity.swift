/// Ids of requests and answers.
enum RequestIdentity {
    /// A client's own id, if it can stand in a header and in a log line.
    static func accepted(_ id: String?) -> String? {
        guard let id, !id.isEmpty, id.utf8.count <= 256, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return nil
        }
        return id
    }

    /// A `traceparent` header if it is one: `version-trace-span-flags`, each in hexadecimal digits.
    static func trace(_ header: String?) -> String? {
        guard let header, header.utf8.count <= 256 else { return nil }
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.prefix(4).map(\.utf8.count) == [2, 32, 16, 2],
            header.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == UInt8(ascii: "-")
            })
        else { return nil }
        return header
    }

    /// `prefix` and 32 random hexadecimal digits.
    static func random(_ prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix + hexadecimal(generator.next()) + hexadecimal(generator.next())
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
