/// Index of a node in the arena; `noNode` where there is none.
package typealias NodeIndex = Int32

/// Parent of a root, child of a leaf, lease on nothing.
package let noNode: NodeIndex = -1

/// A run of tokens at positions `start ..< end` of every sequence that passes through, and the pages that hold them.
///
/// Which pages: a page belongs to exactly one node. The node's pages have the page numbers (position / pageSize) from
/// `start / pageSize` on, without gap:
/// - a leaf's reach up to its last token, the last page possibly half filled;
/// - an inner node's end with the last page that it fills. Where it ends inside a page, each child brings its own page
///   for that page number, complete from slot 0 on (its first slots were copied or computed). So the page table of
///   any path is the plain concatenation of its nodes' pages, and a branch never pins its sibling's page.
/// - A leased leaf may lack its half-filled last page for a while (`isTailless` in `RadixTree+Match`): its last child
///   was evicted while the lease holder, who has those tokens in a page of its own, is still running.
struct RadixNode: Sendable {
    var tokens: [Int32]
    var pages: [Int32]
    /// Position of `tokens[0]`.
    var start: Int
    var parent: NodeIndex
    var firstChild: NodeIndex = noNode
    var nextSibling: NodeIndex = noNode
    var previousSibling: NodeIndex = noNode
    /// Leases on this node and on all its descendants.
    var lockCount: Int32 = 0
    /// Raised whenever the node loses tokens or is given back, so that stale positions are recognised.
    var generation: UInt32 = 0
    var isAlive = true
    /// Seconds, on the caller's clock.
    var lastUse: Double
    var createdAt: Double
    /// Leases that went through this node.
    var hits: Int32 = 0
    /// Tokens of this node that those leases did not have to compute again.
    var savedTokens = 0
    /// Highest priority of the requests that used it.
    var priority: Int32 = 0
    /// `CachedRun.floor`.
    var floor = 0.0
    /// `PrefixHash` of everything before `tokens`, and with them.
    var startHash: UInt64
    var endHash: UInt64

    var end: Int { start + tokens.count }
    var isLeaf: Bool { firstChild == noNode }
    var isRoot: Bool { parent == noNode }
}
