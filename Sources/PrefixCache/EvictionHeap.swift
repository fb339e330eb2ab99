/// The evictable leaves, lowest rank first: a binary heap that knows where each node stands, so that a leaf can be
/// taken out (leased, extended) or re-ranked (used) in O(log n).
struct EvictionHeap: Sendable {
    private struct Entry: Sendable {
        var rank: EvictionRank
        /// Order of arrival; makes the order of equals definite.
        var arrival: UInt64
        var node: NodeIndex

        static func < (a: Entry, b: Entry) -> Bool { a.rank < b.rank || (a.rank == b.rank && a.arrival < b.arrival) }
    }
    private var entries: [Entry] = []
    /// Heap slot of each node of the arena, -1 if absent.
    private var slots: [Int32] = []
    private var arrivals: UInt64 = 0

    var count: Int { entries.count }
    var first: NodeIndex? { entries.first?.node }
    var firstRank: EvictionRank? { entries.first?.rank }

    func contains(_ node: NodeIndex) -> Bool { Int(node) < slots.count && slots[Int(node)] >= 0 }

    /// Adds the node, or gives it a new rank.
    /// - Complexity: O(log n).
    mutating func set(_ node: NodeIndex, rank: EvictionRank) {
        remove(node)
        while slots.count <= Int(node) { slots.append(-1) }
        arrivals += 1
        entries.append(Entry(rank: rank, arrival: arrivals, node: node))
        slots[Int(node)] = Int32(entries.count - 1)
        siftUp(entries.count - 1)
    }

    /// - Complexity: O(log n).
    mutating func remove(_ node: NodeIndex) {
        guard contains(node) else { return }
        let slot = Int(slots[Int(node)])
        slots[Int(node)] = -1
        let last = entries.removeLast()
        if slot == entries.count { return }
        entries[slot] = last
        slots[Int(last.node)] = Int32(slot)
        siftDown(slot)
        siftUp(slot)
    }

    mutating func removeAll() {
        entries.removeAll()
        slots.removeAll()
    }

    private mutating func siftUp(_ from: Int) {
        var slot = from
        while slot > 0 {
            let parent = (slot - 1) / 2
            guard entries[slot] < entries[parent] else { return }
            exchange(slot, parent)
            slot = parent
        }
    }

    private mutating func siftDown(_ from: Int) {
        var slot = from
        while true {
            var least = slot
            for child in (slot * 2 + 1)...(slot * 2 + 2) where child < entries.count && entries[child] < entries[least]
            {
                least = child
            }
            if least == slot { return }
            exchange(slot, least)
            slot = least
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        entries.swapAt(a, b)
        slots[Int(entries[a].node)] = Int32(a)
        slots[Int(entries[b].node)] = Int32(b)
    }
}
