/// The cache that finds nothing: pages are given out and taken back. For comparison (`--disable-radix-cache`) and as
/// an oracle: whatever differs between this and `RadixTree` other than time is a bug.
package struct NoReuseCache: PageCache {
    package let pageSize: Int
    package private(set) var pool: PagePool

    package init(pageSize: Int, totalPages: Int) {
        self.pageSize = pageSize
        pool = PagePool(total: totalPages)
    }

    package var reuses: Bool { false }
    package var nodeCount: Int { 0 }
    package var evictedPages: Int { 0 }
    package var flushedPages: Int { 0 }

    package func match(
        _ tokens: [Int32], limit: Int, namespace: Namespace, after hint: TreePosition?
    ) -> Match {
        Match(length: 0, position: TreePosition(node: noNode, generation: 0, depth: 0))
    }

    package mutating func lease(_ match: Match, held: inout HeldPages, now: Double) -> Lease { Lease(node: noNode) }

    package mutating func protect(_ match: Match, held: inout HeldPages, now: Double) -> Lease { Lease(node: noNode) }

    package func tail(of match: Match) -> PageTail? { nil }

    package mutating func allocate(_ count: Int, for held: inout HeldPages, now: Double) -> Bool {
        guard count <= pool.free else { return false }
        for _ in 0..<count { if let page = pool.take() { held.table.append(page) } }
        return true
    }

    package mutating func publish(
        _ tokens: [Int32], count: Int, namespace: Namespace, held: inout HeldPages, lease: consuming Lease, now: Double
    ) -> Lease { lease }

    package mutating func release(_ lease: consuming Lease, held: inout HeldPages, now: Double) {
        _ = lease.surrender()
        for page in held.table { pool.remove(.sequence, from: page) }
        held = HeldPages()
    }

    package func evictionRank(of match: Match) -> EvictionRank? { nil }
    package mutating func recordFreedPages() { pool.recordsFreed = true }
    package mutating func takeFreedPages() -> [Int32] { pool.takeFreed() }
    package mutating func flush(now: Double) {}
    package func explain(_ match: Match, of tokens: [Int32], limit: Int, namespace: Namespace) -> MissFacts {
        MissFacts()
    }
    package mutating func raisePriority(of lease: borrowing Lease, to priority: Int) {}
    package func prefixes() -> [CachedPrefix] { [] }
    package func tokens(of prefix: CachedPrefix, limit: Int) -> (head: [Int32], tail: [Int32]) { ([], []) }
    package func path(to position: TreePosition) -> [NodeIndex] { [] }
    package func publishedSlots() -> [Int32: Int] { [:] }
    package func violations() -> [String] { pool.violations() }
}
