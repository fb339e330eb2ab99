/// A dictionary that keeps insertion order, as Python's does.
///
/// Small ones are searched from the front; from `indexThreshold` entries on a hash index is kept.
/// - Complexity: lookup and insertion O(1) on average.
package struct JinjaDict: Sendable {
    package private(set) var keys: [JinjaValue] = []
    package private(set) var values: [JinjaValue] = []
    private var hashes: [JinjaKey] = []
    private var index: [JinjaKey: Int] = [:]
    private(set) var depth = 1

    private static let indexThreshold = 12

    package init() {}

    package var count: Int { keys.count }
    package var isEmpty: Bool { keys.isEmpty }

    /// The value of a string key.
    package subscript(key: String) -> JinjaValue? {
        position(of: .string(ExactString(key))).map { values[$0] }
    }

    package mutating func set(_ key: String, _ value: JinjaValue) {
        set(.string(key), hashed: .string(ExactString(key)), value)
    }

    subscript(key: JinjaKey) -> JinjaValue? {
        position(of: key).map { values[$0] }
    }

    /// - Parameter hashed: the comparable form of `key`. An existing key keeps its place and its own form.
    mutating func set(_ key: JinjaValue, hashed: JinjaKey, _ value: JinjaValue) {
        depth = max(depth, 1 + max(value.depth, key.depth))
        if let position = position(of: hashed) {
            values[position] = value
            return
        }
        keys.append(key)
        values.append(value)
        hashes.append(hashed)
        if keys.count == Self.indexThreshold {
            for (position, hash) in hashes.enumerated() { index[hash] = position }
        } else if keys.count > Self.indexThreshold {
            index[hashed] = keys.count - 1
        }
    }

    func contains(_ key: JinjaKey) -> Bool { position(of: key) != nil }

    private func position(of key: JinjaKey) -> Int? {
        keys.count < Self.indexThreshold ? hashes.firstIndex(of: key) : index[key]
    }
}

/// A dictionary key reduced to what Python's equality and hash see: `1`, `1.0` and `True` are one key.
enum JinjaKey: Hashable, Sendable {
    case none
    case undefined
    case number(Int)
    case float(Double)
    case string(ExactString)
    case tuple([JinjaKey])
    case range(Int, Int, Int)
    case handle(String, Int)
}

/// A string compared scalar by scalar. Swift's own equality treats canonically equivalent strings as equal, Python's
/// does not.
struct ExactString: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactString, right: ExactString) -> Bool { left.text.isExactly(right.text) }

    // Swift hashes canonically equivalent strings alike, which is coarser than this equality and so a valid hash.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
