/// Merge candidates of a long word, lowest rank first and among equal ranks leftmost first: a binary heap.
///
/// Entries are never removed when a neighbour changes. Whoever takes one checks that the pair at the position still
/// has the rank (lazy deletion): a symbol only ever grows, and a pair has one rank, so equal ranks mean the same pair.
struct BPEMergeQueue {
    /// Rank (high half) and position of the left symbol: one comparison orders both.
    private var heap: [UInt64] = []

    mutating func removeAll() {
        heap.removeAll(keepingCapacity: true)
    }

    /// - Complexity: O(log count).
    mutating func insert(rank: UInt32, position: Int32) {
        let entry = UInt64(rank) &<< 32 | UInt64(UInt32(bitPattern: position))
        var index = heap.count
        heap.append(entry)
        while index > 0 {
            let parent = (index &- 1) &>> 1
            guard heap[parent] > entry else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    /// - Complexity: O(log count).
    mutating func popFirst() -> (rank: UInt32, position: Int32)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            let count = heap.count
            var index = 0
            while true {
                var child = 2 &* index &+ 1
                guard child < count else { break }
                if child &+ 1 < count, heap[child &+ 1] < heap[child] { child &+= 1 }
                guard heap[child] < last else { break }
                heap[index] = heap[child]
                index = child
            }
            heap[index] = last
        }
        return (UInt32(truncatingIfNeeded: first &>> 32), Int32(truncatingIfNeeded: first))
    }
}
