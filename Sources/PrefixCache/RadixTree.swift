/// The KV cache's index: a radix tree over token ids whose nodes own pages of the pool.
///
/// After RadixAttention (Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs",
/// arXiv:2312.07104), with nodes that begin and end at any token, not only at page borders. Nodes live in one array
/// and refer to each other by index. What a node's pages are is said at `RadixNode`.
///
/// Files: `+Match` searches and changes nothing, `+Lease` protects, `+Publish` inserts, `+Evict` forgets, `+Explain`
/// gives reasons, `+Invariants` checks everything.
package struct RadixTree: PageCache {
    package let pageSize: Int
    package internal(set) var pool: PagePool
    package internal(set) var evictedPages = 0
    package internal(set) var flushedPages = 0
    let policy: any EvictionPolicy

    var nodes: [RadixNode] = []
    /// Arena slots that may be used again.
    var vacant: [NodeIndex] = []
    var children = ChildTable()
    /// Leaves that nobody leases.
    var evictable = EvictionHeap()
    var roots: [Namespace: NodeIndex] = [:]
    var namespaces: [NodeIndex: Namespace] = [:]
    var memory: EvictionMemory
    /// Highest rank evicted so far; see `CachedRun.floor`.
    var floor = 0.0

    /// - Parameters:
    ///   - pageSize: tokens per page, at least 1.
    ///   - totalPages: pages of the KV memory, numbered from 0.
    ///   - memoryPages: evicted pages that are remembered, to explain misses; by default twice as many as the pool has,
    ///     within bounds.
    package init(
        pageSize: Int, totalPages: Int, policy: any EvictionPolicy = LeastRecentlyUsed(), memoryPages: Int? = nil
    ) {
        precondition(pageSize > 0 && totalPages > 0)
        self.pageSize = pageSize
        self.policy = policy
        pool = PagePool(total: totalPages)
        memory = EvictionMemory(
            pageSize: pageSize, capacity: memoryPages ?? min(max(totalPages * 2, 1 << 12), 1 << 17))
    }

    package var reuses: Bool { true }
    package var nodeCount: Int { nodes.count - vacant.count - roots.count }

    package mutating func flush(now: Double) {
        let before = evictedPages
        evict(pages: .max, now: now)
        // Forgotten on request, not for want of room.
        flushedPages += evictedPages - before
        evictedPages = before
    }

    package func evictionRank(of match: Match) -> EvictionRank? {
        guard let node = current(match.position), nodes[Int(node)].lockCount == 0 else { return nil }
        return rank(node)
    }

    package mutating func recordFreedPages() { pool.recordsFreed = true }

    package mutating func takeFreedPages() -> [Int32] { pool.takeFreed() }

    package func path(to position: TreePosition) -> [NodeIndex] {
        guard var node = current(position) else { return [] }
        var path: [NodeIndex] = []
        while !nodes[Int(node)].isRoot {
            path.append(node)
            node = nodes[Int(node)].parent
        }
        path.reverse()
        return path
    }

    // MARK: Arena

    /// The node of a position if it is still the same node.
    func current(_ position: TreePosition) -> NodeIndex? {
        let node = position.node
        guard node >= 0, Int(node) < nodes.count else { return nil }
        guard nodes[Int(node)].isAlive, nodes[Int(node)].generation == position.generation else { return nil }
        return node
    }

    func position(_ node: NodeIndex, depth: Int) -> TreePosition {
        TreePosition(node: node, generation: node == noNode ? 0 : nodes[Int(node)].generation, depth: depth)
    }

    mutating func root(of namespace: Namespace, now: Double) -> NodeIndex {
        if let root = roots[namespace] { return root }
        let hash = PrefixHash.seed(namespace)
        let root = makeNode(
            RadixNode(
                tokens: [], pages: [], start: 0, parent: noNode, lastUse: now, createdAt: now, startHash: hash,
                endHash: hash))
        roots[namespace] = root
        namespaces[root] = namespace
        return root
    }

    mutating func makeNode(_ node: RadixNode) -> NodeIndex {
        if let index = vacant.popLast() {
            let generation = nodes[Int(index)].generation
            nodes[Int(index)] = node
            nodes[Int(index)].generation = generation
            return index
        }
        nodes.append(node)
        return NodeIndex(nodes.count - 1)
    }

    /// Gives an arena slot back. The node must be out of all links; its pages must have been dealt with.
    mutating func discardNode(_ node: NodeIndex) {
        let index = Int(node)
        nodes[index].isAlive = false
        nodes[index].generation &+= 1
        nodes[index].tokens = []
        nodes[index].pages = []
        vacant.append(node)
    }

    /// Links a node below its parent, in the child table and among its siblings.
    mutating func attach(_ node: NodeIndex) {
        let parent = nodes[Int(node)].parent
        let first = nodes[Int(parent)].firstChild
        nodes[Int(node)].previousSibling = noNode
        nodes[Int(node)].nextSibling = first
        if first != noNode { nodes[Int(first)].previousSibling = node }
        nodes[Int(parent)].firstChild = node
        children.set(node, of: parent, token: nodes[Int(node)].tokens[0])
    }

    mutating func detach(_ node: NodeIndex) {
        let parent = nodes[Int(node)].parent
        let next = nodes[Int(node)].nextSibling
        let previous = nodes[Int(node)].previousSibling
        if previous == noNode {
            nodes[Int(parent)].firstChild = next
        } else {
            nodes[Int(previous)].nextSibling = next
        }
        if next != noNode { nodes[Int(next)].previousSibling = previous }
        children.remove(of: parent, token: nodes[Int(node)].tokens[0])
    }

    /// Cuts a node in two at position `depth`. The lower part keeps the index, so that leases and positions in it stay
    /// right; the upper part is new, is its only parent, and is leased by the same leases.
    ///
    /// - Returns: the upper part.
    /// - Complexity: O(tokens of the node).
    mutating func split(_ lower: NodeIndex, at depth: Int) -> NodeIndex {
        let index = Int(lower)
        let start = nodes[index].start
        precondition(depth > start && depth < nodes[index].end, "a node can only be split inside")
        let tokens = depth - start
        // The page that holds `depth` goes to the lower part, also if it holds the upper part's last tokens.
        let pages = min(depth / pageSize - start / pageSize, nodes[index].pages.count)
        let hash = PrefixHash.extended(nodes[index].startHash, by: nodes[index].tokens[..<tokens])
        var upper = RadixNode(
            tokens: Array(nodes[index].tokens[..<tokens]), pages: Array(nodes[index].pages[..<pages]), start: start,
            parent: nodes[index].parent, lastUse: nodes[index].lastUse, createdAt: nodes[index].createdAt,
            startHash: nodes[index].startHash, endHash: hash)
        upper.lockCount = nodes[index].lockCount
        upper.priority = nodes[index].priority
        upper.floor = nodes[index].floor
        upper.hits = nodes[index].hits
        // Whoever reached the lower part had passed all of the upper one.
        upper.savedTokens = min(nodes[index].savedTokens, Int(upper.hits) * tokens)
        nodes[index].savedTokens -= upper.savedTokens
        nodes[index].startHash = hash
        detach(lower)
        let made = makeNode(upper)
        attach(made)
        nodes[index].tokens.removeFirst(tokens)
        nodes[index].pages.removeFirst(pages)
        nodes[index].start = depth
        nodes[index].parent = made
        attach(lower)
        return made
    }
}
