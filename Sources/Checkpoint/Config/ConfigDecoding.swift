/// One object of a configuration file, with its place in it: every error names the JSON path. A member that is null
/// counts as absent.
package struct ConfigSection: Sendable, Equatable {
    package let file: String
    /// Path of this object with a trailing dot; empty for the outermost.
    private let prefix: String
    private var members: [JSONNode.Member]
    /// Paths of members that come from another object.
    private var inherited: [String: String] = [:]

    /// - Returns: nil if the model has no such file.
    static func read(_ name: String, of files: ModelFiles) throws(CheckpointError) -> ConfigSection? {
        guard let contents = try files.contents(of: name) else { return nil }
        let file = files.path(of: name)
        let parsed = contents.withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try JSONReader.parse(bytes, file: file) }
        }
        let node = try parsed.get()
        guard case .object(let members) = node else {
            throw .configuration(file: file, key: "$", expected: "an object", found: node.summary)
        }
        return ConfigSection(file: file, prefix: "", members: members)
    }

    /// - Returns: nil if the value is not an object.
    init?(_ node: JSONNode, file: String) {
        guard case .object(let members) = node else { return nil }
        self.init(file: file, prefix: "", members: members)
    }

    private init(file: String, prefix: String, members: [JSONNode.Member]) {
        self.file = file
        self.prefix = prefix
        self.members = members
    }

    /// As Python reads it: the last of repeated names counts.
    private func node(_ key: String) -> JSONNode? {
        guard let value = members.last(where: { $0.key == key })?.value, value != .null else { return nil }
        return value
    }

    package func path(_ key: String) -> String { inherited[key] ?? prefix + key }

    /// With the members of another object whose names are not among its own.
    func completed(by other: ConfigSection) -> ConfigSection {
        var result = self
        for member in other.members where !mentions(member.key) {
            result.members.append(member)
            result.inherited[member.key] = other.path(member.key)
        }
        return result
    }

    /// With whole numbers for members that are absent.
    func completed(by defaults: [String: Int]) -> ConfigSection {
        var result = self
        for (key, value) in defaults where !has(key) {
            result.members.append(.init(key: key, value: .integer(value)))
        }
        return result
    }

    func failure(_ key: String, expected: String) -> CheckpointError {
        let found = members.last { $0.key == key }?.value.summary
        return .configuration(file: file, key: path(key), expected: expected, found: found ?? "nothing")
    }

    /// The member is there, even as null.
    package func mentions(_ key: String) -> Bool { members.contains { $0.key == key } }

    /// The member is there and not null.
    package func has(_ key: String) -> Bool { node(key) != nil }

    var keys: [String] { members.map(\.key) }

    /// Whole numbers, also those written as 4096.0.
    package func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        guard let node = node(key) else { return nil }
        guard let value = Self.integer(node), range.contains(value) else {
            throw failure(key, expected: Self.text(range))
        }
        return value
    }

    package func required(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
        guard let value = try integer(key, in: range) else { throw failure(key, expected: Self.text(range)) }
        return value
    }

    /// An integer, or a list of them.
    package func integers(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> [Int]? {
        guard let node = node(key) else { return nil }
        let elements = if case .array(let elements) = node { elements } else { [node] }
        let values = elements.compactMap(Self.integer)
        guard values.count == elements.count, values.allSatisfy(range.contains) else {
            throw failure(key, expected: "\(Self.text(range)), or a list of them")
        }
        return values
    }

    /// A finite number that satisfies the condition.
    package func number(
        _ key: String, _ expected: String, _ condition: (Double) -> Bool
    ) throws(CheckpointError) -> Double? {
        guard let node = node(key) else { return nil }
        let value: Double? =
            switch node {
            case .integer(let value): Double(value)
            case .number(let value): value
            default: nil
            }
        guard let value, value.isFinite, condition(value) else { throw failure(key, expected: expected) }
        return value
    }

    /// A list of numbers above 0.
    func positives(_ key: String) throws(CheckpointError) -> [Double] {
        let expected = "a list of numbers above 0"
        guard case .array(let elements) = node(key) else { throw failure(key, expected: expected) }
        var values: [Double] = []
        for element in elements {
            switch element {
            case .integer(let value) where value > 0: values.append(Double(value))
            case .number(let value) where value > 0 && value.isFinite: values.append(value)
            default: throw failure(key, expected: expected)
            }
        }
        return values
    }

    package func positive(_ key: String) throws(CheckpointError) -> Double? {
        try number(key, "a number above 0") { $0 > 0 }
    }

    package func boolean(_ key: String) throws(CheckpointError) -> Bool? {
        guard let node = node(key) else { return nil }
        guard case .boolean(let value) = node else { throw failure(key, expected: "true or false") }
        return value
    }

    package func string(_ key: String) throws(CheckpointError) -> String? {
        guard let node = node(key) else { return nil }
        guard case .string(let value) = node else { throw failure(key, expected: "a string") }
        return value
    }

    package func strings(_ key: String) throws(CheckpointError) -> [String]? {
        guard let node = node(key) else { return nil }
        guard case .array(let elements) = node else { throw failure(key, expected: "a list of strings") }
        var values: [String] = []
        for element in elements {
            guard case .string(let value) = element else { throw failure(key, expected: "a list of strings") }
            values.append(value)
        }
        return values
    }

    /// All members, in order, repeated names included; each must be a string.
    func allStrings() throws(CheckpointError) -> [(key: String, value: String)] {
        var result: [(key: String, value: String)] = []
        result.reserveCapacity(members.count)
        for member in members {
            guard case .string(let value) = member.value else {
                throw .configuration(
                    file: file, key: path(member.key), expected: "a string", found: member.value.summary)
            }
            result.append((member.key, value))
        }
        return result
    }

    /// A token, written as its text or as an object with `content`.
    func tokenText(_ key: String) throws(CheckpointError) -> String? {
        guard case .object = node(key), let token = try section(key) else { return try string(key) }
        guard let content = try token.string("content") else { throw token.failure("content", expected: "a string") }
        return content
    }

    func isArray(_ key: String) -> Bool {
        if case .array = node(key) { true } else { false }
    }

    /// An array of objects.
    func sections(_ key: String) throws(CheckpointError) -> [ConfigSection]? {
        guard let node = node(key) else { return nil }
        guard case .array(let elements) = node else { throw failure(key, expected: "an array of objects") }
        var result: [ConfigSection] = []
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element else { throw failure(key, expected: "an array of objects") }
            result.append(ConfigSection(file: file, prefix: "\(path(key))[\(index)].", members: members))
        }
        return result
    }

    package func section(_ key: String) throws(CheckpointError) -> ConfigSection? {
        guard let node = node(key) else { return nil }
        guard case .object(let members) = node else { throw failure(key, expected: "an object") }
        return ConfigSection(file: file, prefix: path(key) + ".", members: members)
    }

    private static func integer(_ node: JSONNode) -> Int? {
        switch node {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.upperBound == Int.max
            ? "a whole number from \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
}
