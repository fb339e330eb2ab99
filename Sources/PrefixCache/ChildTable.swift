/// Finds the child of a node by the child's first token: one hash table for the whole tree, open addressing with
/// linear probing and backward-shift deletion (Knuth, TAOCP vol. 3, section 6.4, algorithm R). A dictionary in each
/// node would cost a heap object and reference counting per step of every walk.
struct ChildTable: Sendable {
    private static let empty = UInt64.max
    private var keys: [UInt64]
    private var values: [NodeIndex]
    private var shift: UInt64
    private(set) var count = 0

    init() {
        keys = Array(repeating: Self.empty, count: 16)
        values = Array(repeating: noNode, count: 16)
        shift = 64 - 4
    }

    /// - Complexity: O(1) expected.
    func child(of parent: NodeIndex, token: Int32) -> NodeIndex {
        let key = Self.key(parent, token)
        var slot = home(key)
        while true {
            let found = keys[slot]
            if found == key { return values[slot] }
            if found == Self.empty { return noNode }
            slot = (slot + 1) & (keys.count - 1)
        }
    }

    /// Adds the child, or replaces the one with the same parent and token.
    mutating func set(_ child: NodeIndex, of parent: NodeIndex, token: Int32) {
        if (count + 1) * 2 > keys.count { grow() }
        let key = Self.key(parent, token)
        var slot = home(key)
        while keys[slot] != Self.empty {
            if keys[slot] == key {
                values[slot] = child
                return
            }
            slot = (slot + 1) & (keys.count - 1)
        }
        keys[slot] = key
        values[slot] = child
        count += 1
    }

    mutating func remove(of parent: NodeIndex, token: Int32) {
        let key = Self.key(parent, token)
        let mask = keys.count - 1
        var hole = home(key)
        while keys[hole] != key {
            if keys[hole] == Self.empty { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        var slot = hole
        while true {
            slot = (slot + 1) & mask
            if keys[slot] == Self.empty { break }
            // An entry may move back into the hole only if its home lies at or before the hole, cyclically.
            let distanceFromHome = (slot - home(keys[slot])) & mask
            if distanceFromHome >= (slot - hole) & mask {
                keys[hole] = keys[slot]
                values[hole] = values[slot]
                hole = slot
            }
        }
        keys[hole] = Self.empty
        values[hole] = noNode
    }

    private static func key(_ parent: NodeIndex, _ token: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// Fibonacci hashing (Knuth, TAOCP vol. 3, section 6.4).
    private func home(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: ((key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    private mutating func grow() {
        let oldKeys = keys
        let oldValues = values
        keys = Array(repeating: Self.empty, count: oldKeys.count * 2)
        values = Array(repeating: noNode, count: oldKeys.count * 2)
        shift -= 1
        let mask = keys.count - 1
        for (index, key) in oldKeys.enumerated() where key != Self.empty {
            var slot = home(key)
            while keys[slot] != Self.empty { slot = (slot + 1) & mask }
            keys[slot] = key
            values[slot] = oldValues[index]
        }
    }
}
