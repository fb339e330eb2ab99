/// Finds the child of a node by the child's first token: one hash table for the whole tree, open addressing with
/// linear probing and backward-shift deletion (Knuth, TAOCP vol. 3, section 6.4, algorithm R). A dictionary in each
/// node would cost a heap object and reference counting per step of every walk.
struct ChildTable: Sendable {
    /// Key and value side by side: a walk through a large tree waits for one cache line here, not for two.
    private struct Entry {
        var key: UInt64
        var child: NodeIndex

        static let empty = Entry(key: .max, child: noNode)
        var isEmpty: Bool { key == .max }
    }

    private var entries: [Entry]
    private var shift: UInt64
    private(set) var count = 0

    init() {
        entries = Array(repeating: .empty, count: 16)
        shift = 64 - 4
    }

    /// - Complexity: O(1) expected.
    func child(of parent: NodeIndex, token: Int32) -> NodeIndex {
        let key = Self.key(parent, token)
        var slot = home(key)
        while true {
            let found = entries[slot]
            if found.key == key { return found.child }
            if found.isEmpty { return noNode }
            slot = (slot + 1) & (entries.count - 1)
        }
    }

    /// Adds the child, or replaces the one with the same parent and token.
    mutating func set(_ child: NodeIndex, of parent: NodeIndex, token: Int32) {
        if (count + 1) * 2 > entries.count { grow() }
        let key = Self.key(parent, token)
        var slot = home(key)
        while !entries[slot].isEmpty {
            if entries[slot].key == key {
                entries[slot].child = child
                return
            }
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot] = Entry(key: key, child: child)
        count += 1
    }

    mutating func remove(of parent: NodeIndex, token: Int32) {
        let key = Self.key(parent, token)
        let mask = entries.count - 1
        var hole = home(key)
        while entries[hole].key != key {
            if entries[hole].isEmpty { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        var slot = hole
        while true {
            slot = (slot + 1) & mask
            if entries[slot].isEmpty { break }
            // An entry may move back into the hole only if its home lies at or before the hole, cyclically.
            let distanceFromHome = (slot - home(entries[slot].key)) & mask
            if distanceFromHome >= (slot - hole) & mask {
                entries[hole] = entries[slot]
                hole = slot
            }
        }
        entries[hole] = .empty
    }

    private static func key(_ parent: NodeIndex, _ token: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// Fibonacci hashing (Knuth, TAOCP vol. 3, section 6.4).
    private func home(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: ((key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: .empty, count: old.count * 2)
        shift -= 1
        let mask = entries.count - 1
        for entry in old where !entry.isEmpty {
            var slot = home(entry.key)
            while !entries[slot].isEmpty { slot = (slot + 1) & mask }
            entries[slot] = entry
        }
    }
}
