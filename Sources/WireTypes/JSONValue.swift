/// A JSON text in memory. Objects keep the order of their members, because chat templates print them in that order.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits `Int`.
    case int(Int)
    /// Any other finite number.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What error messages call the value's type.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Members in the order in which they were first named; of equal names the last value wins, as in Python and JavaScript.
///
/// Names are compared byte by byte: Swift's own equality would treat two spellings of `é` as one name.
/// - Complexity: look-up O(1) on average; up to `indexThreshold` members are searched from the front.
package struct JSONObject: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let name: String
        package fileprivate(set) var value: JSONValue
    }

    package private(set) var members: [Member] = []
    /// Positions by name; empty while the object is small.
    private var index: [ExactName: Int] = [:]

    private static let indexThreshold = 16

    package init() {}

    package init(_ members: [(String, JSONValue)]) {
        for (name, value) in members { set(name, value) }
    }

    package var isEmpty: Bool { members.isEmpty }

    package subscript(name: String) -> JSONValue? {
        position(of: name).map { members[$0].value }
    }

    /// Appends a member, or replaces the value of one that is there.
    package mutating func set(_ name: String, _ value: JSONValue) {
        if let position = position(of: name) {
            members[position].value = value
            return
        }
        members.append(Member(name: name, value: value))
        if members.count == Self.indexThreshold {
            for (position, member) in members.enumerated() { index[ExactName(text: member.name)] = position }
        } else if members.count > Self.indexThreshold {
            index[ExactName(text: name)] = members.count - 1
        }
    }

    private func position(of name: String) -> Int? {
        if members.count >= Self.indexThreshold { return index[ExactName(text: name)] }
        return members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool { left.members == right.members }
}

private struct ExactName: Hashable, Sendable {
    let text: String

    static func == (left: ExactName, right: ExactName) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    // Hashing is coarser than this equality (canonically equivalent names hash alike), which is allowed.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
