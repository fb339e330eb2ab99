/// The merges of a byte-pair model: pair of ids → rank and merged id, in one open-addressing table.
struct MergeTable: Sendable {
    struct Entry: Sendable {
        /// Left id (high half) and right id; `emptyKey` in a free slot.
        var key: UInt64
        /// Place in the list of merges; the lowest is merged first.
        var rank: UInt32
        /// Id of the token that the pair becomes.
        var merged: Int32
    }

    /// Rank of a pair that does not merge.
    static let noRank = UInt32.max

    private static let emptyKey = UInt64.max
    private var slots: [Entry]
    private let shift: UInt64

    init(capacity: Int) {
        var bits: UInt64 = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: Entry(key: Self.emptyKey, rank: Self.noRank, merged: -1), count: 1 << bits)
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) &<< 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Adds a merge; of equal pairs the last one counts.
    mutating func insert(left: Int32, right: Int32, rank: UInt32, merged: Int32) {
        let key = Self.key(left, right)
        var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        while slots[slot].key != Self.emptyKey, slots[slot].key != key {
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Entry(key: key, rank: rank, merged: merged)
    }

    /// Rank and merged id of the pair; `noRank` if it does not merge.
    ///
    /// - Complexity: O(1) on average.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> (rank: UInt32, merged: Int32) {
        let key = Self.key(left, right)
        let slots = self.slots.span
        let mask = slots.count &- 1
        var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        while true {
            let entry = slots[slot]
            if entry.key == key { return (entry.rank, entry.merged) }
            if entry.key == Self.emptyKey { return (Self.noRank, -1) }
            slot = (slot &+ 1) & mask
        }
    }
}
