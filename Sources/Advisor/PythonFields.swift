/// The members of what Python prints for an object or a call's arguments: `rid='a', text="it's", input_ids=[1, 2], …`.
/// Brackets and quoted text inside a value are passed over as they are.
struct PythonFields {
    private(set) var values: [String: ArraySlice<UInt8>] = [:]

    /// - Parameters:
    ///   - text: from the first name on; ends at its end, or where a bracket closes that was not opened in it.
    ///   - separator: between name and value: `=`, or `:` in what loggers write.
    init(_ text: ArraySlice<UInt8>, separator: UInt8) {
        var place = text.startIndex
        while place < text.endIndex {
            while place < text.endIndex, text[place] == UInt8(ascii: " ") || text[place] == UInt8(ascii: ",") {
                place += 1
            }
            guard let colon = text[place...].firstIndex(of: separator) else { return }
            let name = String(decoding: text[place..<colon], as: UTF8.self).filter { $0 != "'" }
            place = colon + 1
            while place < text.endIndex, text[place] == UInt8(ascii: " ") { place += 1 }
            let end = Self.endOfValue(text[place...])
            if values[name] == nil { values[name] = text[place..<end] }
            guard end < text.endIndex, text[end] == UInt8(ascii: ",") else { return }
            place = end
        }
    }

    /// The string of a quoted value. Nil for `None`, for anything else, and for text that was logged in part
    /// (`'abc' ... 'xyz'`), which `isPartial` tells.
    func string(_ name: String) -> String? {
        guard let value = values[name], let (text, end) = Self.quoted(value), end == value.endIndex else { return nil }
        return text
    }

    /// The numbers of a list; nil if it is none, or has something else in it.
    func integers(_ name: String) -> [Int32]? {
        guard let value = values[name], value.first == UInt8(ascii: "["), value.last == UInt8(ascii: "]") else {
            return nil
        }
        let parts = value.dropFirst().dropLast().split(separator: UInt8(ascii: ","))
        let numbers = parts.compactMap {
            Int32(String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace })
        }
        return numbers.count == parts.count && !numbers.isEmpty ? numbers : nil
    }

    func integer(_ name: String) -> Int? {
        values[name].flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    /// Members of a nested object or call.
    func fields(_ name: String, separator: UInt8) -> PythonFields? {
        guard let value = values[name], let open = value.firstIndex(where: { "({".utf8.contains($0) }) else {
            return nil
        }
        return PythonFields(value[(open + 1)...], separator: separator)
    }

    /// Whether a value was cut in its middle.
    func isPartial(_ name: String) -> Bool {
        guard let value = values[name], let last = value.first, "'\"[".utf8.contains(last) else { return false }
        return string(name) == nil && String(decoding: value, as: UTF8.self).contains(" ... ")
    }

    private static func endOfValue(_ text: ArraySlice<UInt8>) -> Int {
        var depth = 0
        var place = text.startIndex
        while place < text.endIndex {
            switch text[place] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                guard let (_, end) = quoted(text[place...]) else { return text.endIndex }
                place = end
                continue
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return place }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return place }
            default: break
            }
            place += 1
        }
        return place
    }

    /// A string literal as `repr` writes it, and where it ends.
    private static func quoted(_ text: ArraySlice<UInt8>) -> (String, end: Int)? {
        guard let quote = text.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        var place = text.startIndex + 1
        while place < text.endIndex, text[place] != quote {
            guard text[place] == UInt8(ascii: "\\"), place + 1 < text.endIndex else {
                bytes.append(text[place])
                place += 1
                continue
            }
            let kind = text[place + 1]
            place += 2
            let digits = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][kind]
            switch kind {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            default:
                if let digits, place + digits <= text.endIndex,
                    let code = UInt32(String(decoding: text[place..<(place + digits)], as: UTF8.self), radix: 16),
                    let scalar = Unicode.Scalar(code)
                {
                    bytes += Array(String(scalar).utf8)
                    place += digits
                } else {
                    bytes.append(kind)
                }
            }
        }
        return place < text.endIndex ? (String(decoding: bytes, as: UTF8.self), place + 1) : nil
    }
}
