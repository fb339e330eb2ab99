/// The part of RFC 3986 that `$id` and `$ref` need.
enum URIReference {
    /// What stands before and after the first `#`.
    static func split(_ reference: String) -> (address: String, fragment: String) {
        guard let hash = reference.firstIndex(of: "#") else { return (reference, "") }
        return (String(reference[..<hash]), String(reference[reference.index(after: hash)...]))
    }

    static func percentDecoded(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            rest.removeFirst(2)
            result.append(code)
        }
        return result
    }

    /// Resolves an address without fragment against a base without fragment (RFC 3986, 5.2).
    static func resolve(_ address: String, against base: String) -> String {
        if scheme(of: address) != nil { return address }
        let schemeEnd = scheme(of: base).map { base.index($0.endIndex, offsetBy: 1) } ?? base.startIndex
        let scheme = base[..<schemeEnd]
        var path = base[schemeEnd...]
        if address.hasPrefix("//") { return scheme + address }
        var authority: Substring = ""
        if path.hasPrefix("//") {
            let start = path.index(path.startIndex, offsetBy: 2)
            let end = path[start...].firstIndex { $0 == "/" || $0 == "?" } ?? path.endIndex
            authority = path[..<end]
            path = path[end...]
        }
        path = path.prefix { $0 != "?" }
        if address.isEmpty { return base }
        if address.hasPrefix("?") { return scheme + authority + path + address }
        let query = address.firstIndex(of: "?").map { address[$0...] } ?? ""
        let relative = address.prefix { $0 != "?" }
        var merged: String
        if relative.hasPrefix("/") {
            merged = String(relative)
        } else if path.isEmpty, !authority.isEmpty {
            merged = "/" + String(relative)
        } else {
            merged = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            merged += relative
        }
        return scheme + authority + withoutDots(merged) + String(query)
    }

    private static func scheme(of text: String) -> Substring? {
        guard let colon = text.firstIndex(of: ":"), let first = text.utf8.first, first | 0x20 >= 97, first | 0x20 <= 122
        else { return nil }
        let name = text[..<colon]
        let allowed = name.utf8.allSatisfy {
            (97...122).contains($0 | 0x20) || (48...57).contains($0) || $0 == 43 || $0 == 45 || $0 == 46
        }
        return allowed ? name : nil
    }

    private static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            switch part {
            case ".": if index == parts.count - 1 { kept.append("") }
            case "..":
                if kept.count > 1 || (kept.count == 1 && !kept[0].isEmpty) { kept.removeLast() }
                if index == parts.count - 1 { kept.append("") }
            default: kept.append(part)
            }
        }
        return kept.joined(separator: "/")
    }
}
