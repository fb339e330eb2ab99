extension RadixTree {
    package mutating func allocate(_ count: Int, for held: inout HeldPages, now: Double) -> Bool {
        // Whatever is cached can be evicted: the descendants of an unleased node are not leased either.
        guard count <= pool.free + pool.cached else { return false }
        if count > pool.free { evict(pages: count - pool.free, now: now) }
        for _ in 0..<count {
            guard let page = pool.take() else { preconditionFailure("cached pages could not be evicted") }
            held.table.append(page)
        }
        return true
    }

    /// Frees at least `count` cached pages, or all there are. Takes leaves in the order of the policy, and of a leaf
    /// only as much of its end as is needed: what is left is still a prefix of what was there.
    /// - Complexity: O(log leaves) for each leaf, plus the pages freed.
    mutating func evict(pages count: Int, now: Double) {
        var missing = count
        while missing > 0, let leaf = evictable.first {
            if let rank = evictable.firstRank { floor = max(floor, rank.value) }
            let index = Int(leaf)
            let held = nodes[index].pages.count
            if held > missing {
                for page in nodes[index].pages.suffix(missing) { pool.remove(.tree, from: page) }
                nodes[index].pages.removeLast(missing)
                truncate(leaf, to: (nodes[index].start / pageSize + held - missing) * pageSize, now: now)
                evictedPages += missing
                return
            }
            let freed = evictLeaf(leaf, now: now)
            evictedPages += freed
            missing -= freed
        }
    }

    /// Removes an unleased leaf.
    /// - Returns: pages freed. One less than it had if its first page also holds the end of its parent, who then keeps
    ///   it and is a leaf.
    private mutating func evictLeaf(_ leaf: NodeIndex, now: Double) -> Int {
        let parent = nodes[Int(leaf)].parent
        let pages = nodes[Int(leaf)].pages
        evictable.remove(leaf)
        detach(leaf)
        memory.add(
            nodes[Int(leaf)].tokens[...], start: nodes[Int(leaf)].start, startHash: nodes[Int(leaf)].startHash, now: now
        )
        discardNode(leaf)
        let inherits =
            nodes[Int(parent)].isLeaf && !nodes[Int(parent)].isRoot && nodes[Int(parent)].lockCount == 0
            && nodes[Int(parent)].end % pageSize != 0
        if inherits { nodes[Int(parent)].pages.append(pages[0]) }
        for page in pages.dropFirst(inherits ? 1 : 0) { pool.remove(.tree, from: page) }
        if nodes[Int(parent)].lockCount == 0 { settle(parent, now: now) }
        return pages.count - (inherits ? 1 : 0)
    }

    /// Puts a node that is not leased where it belongs: a leaf among the evictable ones, an empty root nowhere.
    mutating func settle(_ node: NodeIndex, now: Double) {
        guard nodes[Int(node)].isLeaf else { return }
        if nodes[Int(node)].isRoot {
            // Clients choose salts at will: a namespace must not cost memory for longer than its pages live.
            guard let namespace = namespaces.removeValue(forKey: node) else { return }
            roots[namespace] = nil
            discardNode(node)
            return
        }
        guard isTailless(node) else {
            evictable.set(node, rank: rank(node))
            return
        }
        // The leaseholder left without publishing, so nobody has the last tokens any more.
        let border = nodes[Int(node)].end / pageSize * pageSize
        if border > nodes[Int(node)].start {
            truncate(node, to: border, now: now)
            evictable.set(node, rank: rank(node))
        } else {
            let parent = nodes[Int(node)].parent
            detach(node)
            discardNode(node)
            if nodes[Int(parent)].lockCount == 0 { settle(parent, now: now) }
        }
    }

    /// Cuts a leaf's end off. Remembered positions in it are void: it may grow again with other tokens.
    private mutating func truncate(_ node: NodeIndex, to depth: Int, now: Double) {
        let index = Int(node)
        let kept = depth - nodes[index].start
        let hash = PrefixHash.shortened(nodes[index].endHash, by: nodes[index].tokens[kept...])
        memory.add(nodes[index].tokens[kept...], start: depth, startHash: hash, now: now)
        nodes[index].endHash = hash
        nodes[index].tokens.removeLast(nodes[index].tokens.count - kept)
        nodes[index].generation &+= 1
    }

    func rank(_ node: NodeIndex) -> EvictionRank {
        let index = Int(node)
        return policy.rank(
            of: CachedRun(
                lastUse: nodes[index].lastUse, createdAt: nodes[index].createdAt, hits: Int(nodes[index].hits),
                tokens: nodes[index].tokens.count, start: nodes[index].start,
                slots: nodes[index].pages.count * pageSize, priority: Int(nodes[index].priority),
                floor: nodes[index].floor))
    }
}
