/// Keys of bytes in flat arrays: finds all keys that a text starts with in one walk.
struct ByteTrie: Sendable {
    private struct Node {
        /// Of its edges, which are sorted by byte.
        var firstEdge: UInt32 = 0
        var edgeCount: UInt16 = 0
        /// Number of the key that ends here, −1: none.
        var key: Int32 = -1
    }

    private let nodes: [Node]
    private let bytes: [UInt8]
    private let targets: [UInt32]
    /// Child of the root by byte, 0: none.
    private let roots: [UInt32]

    /// Of equal keys the last counts; empty keys are never found.
    ///
    /// - Complexity: O(n log n) comparisons of keys, and O(bytes).
    init(_ keys: [ArraySlice<UInt8>]) {
        let order = keys.indices.filter { !keys[$0].isEmpty }.sorted { a, b in
            keys[a].elementsEqual(keys[b]) ? a < b : keys[a].lexicographicallyPrecedes(keys[b])
        }
        var nodes = [Node()]
        var bytes: [UInt8] = []
        var targets: [UInt32] = []
        // A node is a run of sorted keys with the same beginning; breadth first, so that edges lie together.
        var runs: [(range: Range<Int>, depth: Int)] = [(order.indices, 0)]
        var number = 0
        while number < runs.count {
            let (range, depth) = runs[number]
            var position = range.lowerBound
            while position < range.upperBound, keys[order[position]].count == depth {
                nodes[number].key = Int32(order[position])
                position += 1
            }
            nodes[number].firstEdge = UInt32(bytes.count)
            while position < range.upperBound {
                let byte = Self.byte(keys[order[position]], depth)
                let start = position
                while position < range.upperBound, Self.byte(keys[order[position]], depth) == byte { position += 1 }
                bytes.append(byte)
                targets.append(UInt32(runs.count))
                nodes[number].edgeCount += 1
                runs.append((start..<position, depth + 1))
                nodes.append(Node())
            }
            number += 1
        }
        var roots = [UInt32](repeating: 0, count: 256)
        for edge in 0..<Int(nodes[0].edgeCount) { roots[Int(bytes[edge])] = targets[edge] }
        self.nodes = nodes
        self.bytes = bytes
        self.targets = targets
        self.roots = roots
    }

    private static func byte(_ key: ArraySlice<UInt8>, _ depth: Int) -> UInt8 { key[key.startIndex + depth] }

    /// Calls `body` with the number and the length of each key that the text starts with, shortest first.
    @inline(__always)
    func forEachPrefix(of text: Span<UInt8>, from start: Int, to end: Int, _ body: (Int32, Int) -> Void) {
        var position = start
        guard position < end else { return }
        var node = Int(roots[Int(text[position])])
        while node != 0 {
            position += 1
            let found = nodes[node]
            if found.key >= 0 { body(found.key, position - start) }
            guard position < end else { return }
            node = child(found, text[position])
        }
    }

    @inline(__always)
    private func child(_ node: Node, _ byte: UInt8) -> Int {
        var low = Int(node.firstEdge)
        var high = low + Int(node.edgeCount)
        let end = high
        while low < high {
            let middle = (low + high) / 2
            if bytes[middle] < byte { low = middle + 1 } else { high = middle }
        }
        return low < end && bytes[low] == byte ? Int(targets[low]) : 0
    }
}
