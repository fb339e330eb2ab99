/// A running sequence's claim on a node: neither the node nor its ancestors are evicted until it is given back with
/// `PageCache.release`. Cannot be copied; in debug builds one that is dropped instead traps, because its pages would
/// be lost for ever.
package struct Lease: ~Copyable, Sendable {
    let node: NodeIndex

    init(node: NodeIndex) { self.node = node }

    /// Ends the claim on the Swift side and says what it was on; the caller has to unlock that.
    consuming func surrender() -> NodeIndex {
        let node = node
        discard self
        return node
    }

    deinit { assertionFailure("a lease on node \(node) was dropped instead of released") }
}

/// The page table of one running sequence.
package struct HeldPages: Sendable, Equatable {
    /// Page `i` holds positions `i * pageSize ..< (i + 1) * pageSize`.
    package internal(set) var table: [Int32] = []
    /// So many leading pages are full, published, and held through the lease. The others are the sequence's own: it
    /// alone writes to them, behind what it has published.
    package internal(set) var shared = 0

    package init() {}
}
