import PrefixCache

/// `dfs-weight`: requests in the order of a depth-first walk through the cache that enters the subtree with most
/// waiting requests first, so that those who share a prefix come one after the other.
enum SubtreeOrder {
    /// - Complexity: O(n · depth · log n).
    static func rank(_ candidates: inout [Candidate], cache: any PageCache) {
        var paths: [[NodeIndex]] = []
        var weights: [NodeIndex: Int] = [:]
        for candidate in candidates {
            let path = cache.path(to: candidate.sequence.refreshMatch(in: cache).position)
            for node in path { weights[node, default: 0] += 1 }
            paths.append(path)
        }
        let order = candidates.indices.sorted { a, b in
            for (left, right) in zip(paths[a], paths[b]) where left != right {
                let leftWeight = weights[left] ?? 0
                let rightWeight = weights[right] ?? 0
                return leftWeight != rightWeight ? leftWeight > rightWeight : left < right
            }
            if paths[a].count != paths[b].count { return paths[a].count > paths[b].count }
            return candidates[a].sequence.number < candidates[b].sequence.number
        }
        for (place, index) in order.enumerated() { candidates[index].rank = -place }
    }
}
