extension RadixTree {
    package mutating func lease(_ match: Match, held: inout HeldPages, now: Double) -> Lease {
        if match.length > 0, let found = current(match.position) { touch(found, matched: match.length, now: now) }
        return protect(match, held: &held, now: now)
    }

    package mutating func protect(_ match: Match, held: inout HeldPages, now: Double) -> Lease {
        precondition(held.table.isEmpty, "a sequence takes a match only before it holds pages")
        guard match.length > 0 else { return Lease(node: noNode) }
        guard let found = current(match.position) else {
            preconditionFailure("the tree has changed between match and lease")
        }
        let node = leasable(found, matched: match.length)
        if node != noNode { lock(node, upTo: noNode) }
        held.table = Array(repeating: noPage, count: match.length / pageSize)
        takeShared(upTo: held.table.count, from: node, held: &held)
        return Lease(node: node)
    }

    package mutating func release(_ lease: consuming Lease, held: inout HeldPages, now: Double) {
        let node = lease.surrender()
        for page in held.table[held.shared...] { pool.remove(.sequence, from: page) }
        held = HeldPages()
        if node != noNode { unlock(node, now: now) }
    }

    /// The node to lease so that exactly the full pages of `matched` tokens are protected: a page that is filled in
    /// part will be copied, so it need not be, and where the pool is tight it must not be. Splits a node at the page
    /// border if needed.
    mutating func leasable(_ found: NodeIndex, matched: Int) -> NodeIndex {
        let border = matched - matched % pageSize
        if border == 0 { return noNode }
        var node = found
        while nodes[Int(node)].start >= border { node = nodes[Int(node)].parent }
        let end = nodes[Int(node)].end
        let pagesEnd = nodes[Int(node)].start / pageSize + nodes[Int(node)].pages.count
        if end > border, matched < end || pagesEnd > border / pageSize { return split(node, at: border) }
        return node
    }

    /// Counts one more lease on the nodes from `node` up to, but without, `ancestor`.
    mutating func lock(_ node: NodeIndex, upTo ancestor: NodeIndex) {
        var next = node
        while next != ancestor {
            let index = Int(next)
            nodes[index].lockCount += 1
            if nodes[index].lockCount == 1 {
                evictable.remove(next)
                for page in nodes[index].pages { pool.add(.lease, to: page) }
            }
            next = nodes[index].parent
        }
    }

    /// Counts one lease less on the nodes from `node` up to the root.
    private mutating func unlock(_ node: NodeIndex, now: Double) {
        var next = node
        while next != noNode {
            let index = Int(next)
            let parent = nodes[index].parent
            nodes[index].lockCount -= 1
            renew(next, now: now)
            if nodes[index].lockCount == 0 {
                for page in nodes[index].pages { pool.remove(.lease, from: page) }
                settle(next, now: now)
            }
            next = parent
        }
    }

    /// Marks a node as used at this time.
    mutating func renew(_ node: NodeIndex, now: Double) {
        nodes[Int(node)].lastUse = now
        nodes[Int(node)].floor = floor
    }

    /// Raises the priority of the node a lease is on, and of all above, to at least `priority`.
    package mutating func raisePriority(of lease: borrowing Lease, to priority: Int) {
        let priority = Int32(clamping: priority)
        var next = lease.node
        // Above a node of this priority all have at least that.
        while next != noNode, nodes[Int(next)].priority < priority {
            nodes[Int(next)].priority = priority
            next = nodes[Int(next)].parent
        }
    }

    /// Marks the path to a node as used, by somebody who found `matched` tokens on it.
    private mutating func touch(_ node: NodeIndex, matched: Int, now: Double) {
        var next = node
        while next != noNode {
            renew(next, now: now)
            nodes[Int(next)].hits += 1
            nodes[Int(next)].savedTokens += min(nodes[Int(next)].end, matched) - nodes[Int(next)].start
            if evictable.contains(next) { evictable.set(next, rank: rank(next)) }
            next = nodes[Int(next)].parent
        }
    }

    /// Writes the tree's pages with the numbers `held.shared ..< count`, found at `node` and above, into the table.
    /// Duplicates that the sequence had computed itself are given back.
    /// - Precondition: the nodes are leased by the sequence.
    mutating func takeShared(upTo count: Int, from node: NodeIndex, held: inout HeldPages) {
        if count <= held.shared { return }
        var next = node
        while true {
            let index = Int(next)
            let firstNumber = nodes[index].start / pageSize
            var number = max(firstNumber, held.shared)
            while number < count, number - firstNumber < nodes[index].pages.count {
                let page = nodes[index].pages[number - firstNumber]
                let own = held.table[number]
                held.table[number] = page
                if own != noPage { pool.remove(.sequence, from: own) }
                number += 1
            }
            if firstNumber <= held.shared { break }
            next = nodes[index].parent
        }
        held.shared = count
    }
}
