/// The door of this module: finds, lends, takes back and forgets pages. `RadixTree` is the real thing,
/// `NoReuseCache` its trivial twin for comparison.
///
/// How pages change hands:
/// ```
/// free ── allocate ──▶ the sequence's own ── publish ──▶ tree, leased ── release ──▶ tree, cached ── evict ──▶ free
///                              └──────────────── release, not published ─────────────────────────────────────▶ free
/// tree, cached ── lease(match) ──▶ tree, leased
/// ```
/// Single-threaded; the time is always the caller's.
package protocol PageCache: Sendable {
    var pageSize: Int { get }
    var pool: PagePool { get }
    /// False: nothing is ever found again, so waiting for others is in vain.
    var reuses: Bool { get }
    /// Nodes without the namespaces' roots.
    var nodeCount: Int { get }
    /// Sum since start.
    var evictedPages: Int { get }
    /// Forgotten by `flush`; sum since start.
    var flushedPages: Int { get }

    /// Longest cached prefix of `tokens[..<limit]`, to the token. Changes nothing, not even recency.
    /// - Parameter hint: position of an earlier match of the same tokens in the same namespace; saves walking again.
    /// - Complexity: O(tokens matched beyond the hint).
    func match(_ tokens: [Int32], limit: Int, namespace: Namespace, after hint: TreePosition?) -> Match

    /// Takes the full pages of a match.
    /// - Parameter match: of the tree as it is; nothing may have changed since.
    /// - Returns: the lease, to be given back with `release`; `held` becomes the page table of the full pages.
    mutating func lease(_ match: Match, held: inout HeldPages, now: Double) -> Lease

    /// The same for somebody who keeps the pages without using them: counts as no use.
    mutating func protect(_ match: Match, held: inout HeldPages, now: Double) -> Lease

    /// Where the rest of a match that ends inside a page lies: its slots have to be copied to a page of one's own.
    ///
    /// Ask right after `lease`. The source is not protected against eviction; it need not be, as long as copies are
    /// carried out in the order of allocation and before anything is written.
    func tail(of match: Match) -> PageTail?

    /// Appends free pages to the table, evicting what is needed for it; all or nothing.
    /// - Complexity: O(log nodes) for each evicted node.
    mutating func allocate(_ count: Int, for held: inout HeldPages, now: Double) -> Bool

    /// Makes `tokens[..<count]`, which the sequence has fed, findable. Pages that the tree already has are exchanged
    /// for the tree's and freed. A half-filled last page stays the sequence's own to write on; only the slots that
    /// are published will be read by others.
    /// - Returns: the lease that now covers the full pages.
    mutating func publish(
        _ tokens: [Int32], count: Int, namespace: Namespace, held: inout HeldPages, lease: consuming Lease, now: Double
    ) -> Lease

    /// Gives back everything the sequence held. Published pages stay cached.
    mutating func release(_ lease: consuming Lease, held: inout HeldPages, now: Double)

    /// Frees every cached page that nobody leases.
    mutating func flush(now: Double)

    /// Why a match went no further: what is known of `tokens[match.length..<limit]`.
    ///
    /// - Complexity: O(tokens explained), with a small constant bound on the branches looked at.
    func explain(_ match: Match, of tokens: [Int32], limit: Int, namespace: Namespace) -> MissFacts

    /// Raises the priority of all that a lease covers to at least `priority`; for the eviction policy of that name.
    mutating func raisePriority(of lease: borrowing Lease, to priority: Int)

    /// What is cached, for people.
    /// - Complexity: O(nodes), so not in every step.
    func prefixes() -> [CachedPrefix]

    /// The tokens from the root to the end of a node of `prefixes()`, at most `limit` from each end of them.
    func tokens(of prefix: CachedPrefix, limit: Int) -> (head: [Int32], tail: [Int32])

    /// Nodes from the root's child to the matched one; for policies that order by subtree.
    func path(to position: TreePosition) -> [NodeIndex]

    /// Leading slots of each page that others may read, and that therefore nobody may write any more. For checks.
    func publishedSlots() -> [Int32: Int]

    /// When the pages of a match would be evicted, as the eviction policy ranks them: the lower, the sooner. Nil if
    /// somebody leases them.
    func evictionRank(of match: Match) -> EvictionRank?

    /// From now on `takeFreedPages` tells which pages became free.
    mutating func recordFreedPages()

    /// Pages that became free since the last call, by eviction or otherwise. Their contents are still there until
    /// somebody writes to them.
    mutating func takeFreedPages() -> [Int32]

    /// Full walk over all structures. Empty if all is well.
    func violations() -> [String]
}

/// A place in the tree: `depth` tokens below the root, in `node`. Stays meaningful while the tree changes: a position
/// in a node that is gone or was cut short is recognised by the generation.
package struct TreePosition: Hashable, Sendable {
    package let node: NodeIndex
    let generation: UInt32
    package let depth: Int
}

/// Result of a pure search.
package struct Match: Sendable, Equatable {
    /// Tokens found.
    package let length: Int
    package let position: TreePosition
}

/// The first `tokens` slots of `page`.
package struct PageTail: Sendable, Equatable {
    package let page: Int32
    package let tokens: Int
}
