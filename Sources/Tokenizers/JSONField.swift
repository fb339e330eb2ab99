/// A JSON value together with its place in the file, so that each error can name the place.
struct JSONField {
    let value: JSONValue
    /// Such as `pre_tokenizer.pretokenizers[1]`.
    let path: String

    private func mismatch(_ expected: String) -> TokenizerError {
        .wrongType(path: path, expected: expected, found: value.kind)
    }

    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    // MARK: Members

    /// The member, or nil where it is absent or null. Of equal keys the last one counts.
    func optional(_ key: String) throws(TokenizerError) -> JSONField? {
        guard case .object(let members) = value else { throw mismatch("an object") }
        guard let member = members.last(where: { $0.key == key }) else { return nil }
        if case .null = member.value { return nil }
        return JSONField(value: member.value, path: path.isEmpty ? key : "\(path).\(key)")
    }

    /// The member; absent or null is an error.
    func required(_ key: String) throws(TokenizerError) -> JSONField {
        guard let field = try optional(key) else {
            throw TokenizerError.missingField(path: path.isEmpty ? key : "\(path).\(key)")
        }
        return field
    }

    /// All members in the order of the file.
    func members() throws(TokenizerError) -> [(key: String, field: JSONField)] {
        guard case .object(let members) = value else { throw mismatch("an object") }
        return members.map { ($0.key, JSONField(value: $0.value, path: "\(path).\($0.key)")) }
    }

    /// All elements of an array.
    func elements() throws(TokenizerError) -> [JSONField] {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        return elements.enumerated().map { JSONField(value: $0.element, path: "\(path)[\($0.offset)]") }
    }

    // MARK: Values

    func bytes() throws(TokenizerError) -> [UInt8] {
        guard case .string(let text) = value else { throw mismatch("a string") }
        return text
    }

    func string() throws(TokenizerError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    func bool() throws(TokenizerError) -> Bool {
        guard case .bool(let flag) = value else { throw mismatch("a boolean") }
        return flag
    }

    /// An integer from 0 to `limit`.
    func natural(limit: Int) throws(TokenizerError) -> Int {
        guard case .number(let number) = value else { throw mismatch("a number") }
        guard let integer = Int(exactly: number), (0...limit).contains(integer) else {
            throw TokenizerError.invalidValue(path: path, value: "\(number)", reason: "expected 0 to \(limit)")
        }
        return integer
    }

    /// A string of one Unicode scalar.
    func scalar() throws(TokenizerError) -> UInt32 {
        let scalars = UTF8Text.scalars(of: try bytes())
        guard scalars.count == 1 else {
            throw TokenizerError.invalidValue(
                path: path, value: "\"\(try string())\"", reason: "expected one character")
        }
        return scalars[0]
    }

    /// The boolean member, or `fallback` where it is absent or null.
    func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        try optional(key)?.bool() ?? fallback
    }

    /// `{"String": …}` or `{"Regex": …}`, compiled.
    func pattern() throws(TokenizerError) -> SplitPattern {
        let text: String
        let isRegularExpression: Bool
        if let field = try optional("String") {
            (text, isRegularExpression) = (try field.string(), false)
        } else if let field = try optional("Regex") {
            (text, isRegularExpression) = (try field.string(), true)
        } else {
            throw TokenizerError.missingField(path: "\(path).String or \(path).Regex")
        }
        do {
            return isRegularExpression
                ? try SplitPattern(regularExpression: text) : try SplitPattern(literal: text)
        } catch {
            throw TokenizerError.unsupportedPattern(
                path: path, pattern: text, syntax: error.syntax, offset: error.offset)
        }
    }
}
