extension RadixTree {
    /// - Note: whether something *was* here is remembered by the node above for as long as that node lives; of a
    ///   namespace whose last page went, nothing is remembered.
    package func explain(_ match: Match, of tokens: [Int32], limit: Int) -> MatchEnd {
        if match.length >= min(limit, tokens.count) { return .complete }
        guard let node = current(match.position) else { return .namespaceUnknown }
        let record = nodes[Int(node)]
        if match.length < record.end || !record.isLeaf { return .diverged }
        if let time = record.evictedBelowAt { return .evicted(at: time) }
        return .neverSeen
    }
}
