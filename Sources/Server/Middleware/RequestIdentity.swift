/// Ids of requests and answers.
enum RequestIdentity {
    /// A client's own id, if it can stand in a header and in a log line.
    static func accepted(_ id: String?) -> String? {
        guard let id, !id.isEmpty, id.utf8.count <= 256, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return nil
        }
        return id
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
