extension RadixTree {
    package mutating func publish(
        _ tokens: [Int32], count: Int, namespace: Namespace, held: inout HeldPages, lease: consuming Lease, now: Double
    ) -> Lease {
        guard count > 0 else { return lease }
        let leased = lease.surrender()
        // What the lease covers is known to be this sequence's, so that the walk costs no more than the new tokens.
        var node = leased != noNode ? leased : root(of: namespace, now: now)
        var depth = nodes[Int(node)].end
        precondition(depth <= count, "a sequence holds more than it has fed")
        while depth < count {
            let child = children.child(of: node, token: tokens[depth])
            if child == noNode { break }
            node = child
            depth += commonPrefixLength(
                nodes[Int(child)].tokens, from: 0, tokens, from: depth, limit: count - depth)
            if depth < nodes[Int(child)].end { break }
        }
        if depth == count {
            return keepKnown(count: count, at: node, leased: leased, held: &held, now: now)
        }
        if depth < nodes[Int(node)].end { node = split(node, at: depth) }
        if mayExtend(node, leased: leased) {
            extend(node, with: tokens[depth..<count], held: held, now: now)
        } else {
            node = addChild(to: node, with: tokens[depth..<count], held: held, now: now)
        }
        if node != leased { lock(node, upTo: leased) }
        takeShared(upTo: count / pageSize, from: node, held: &held)
        return Lease(node: node)
    }

    /// Nothing is new: others have published the same tokens. Exchanges full pages of one's own for the tree's.
    private mutating func keepKnown(
        count: Int, at node: NodeIndex, leased: NodeIndex, held: inout HeldPages, now: Double
    ) -> Lease {
        if node == leased, isTailless(node) {
            let page = held.table[count / pageSize]
            nodes[Int(node)].pages.append(page)
            pool.add([.tree, .lease], to: page)
        }
        guard count / pageSize > held.shared else { return Lease(node: leased) }
        let target = leasable(node, matched: count)
        lock(target, upTo: leased)
        takeShared(upTo: count / pageSize, from: target, held: &held)
        return Lease(node: target)
    }

    /// A leaf may grow if nobody else's lease would grow with it.
    private func mayExtend(_ node: NodeIndex, leased: NodeIndex) -> Bool {
        guard nodes[Int(node)].isLeaf, !nodes[Int(node)].isRoot else { return false }
        return nodes[Int(node)].lockCount == 0 || (nodes[Int(node)].lockCount == 1 && node == leased)
    }

    /// Appends tokens to a leaf. Its half-filled last page, if it is not the sequence's own, gives way to the
    /// sequence's page with the same number, which holds the same tokens and more.
    private mutating func extend(_ node: NodeIndex, with run: ArraySlice<Int32>, held: HeldPages, now: Double) {
        let index = Int(node)
        let firstNumber = nodes[index].start / pageSize
        let number = run.startIndex / pageSize
        let locked = nodes[index].lockCount > 0
        let holders: PageHolders = locked ? [.tree, .lease] : .tree
        var next = number
        if nodes[index].pages.count > number - firstNumber {
            let old = nodes[index].pages[number - firstNumber]
            let own = held.table[number]
            if old != own {
                pool.add(holders, to: own)
                nodes[index].pages[number - firstNumber] = own
                pool.remove([.tree, .lease], from: old)
            }
            next += 1
        }
        while next * pageSize < run.endIndex {
            let page = held.table[next]
            pool.add(holders, to: page)
            nodes[index].pages.append(page)
            next += 1
        }
        nodes[index].tokens.append(contentsOf: run)
        nodes[index].endHash = PrefixHash.extended(nodes[index].endHash, by: run)
        renew(node, now: now)
    }

    /// Starts a branch. Where it starts inside a page, the sequence's own page is complete from slot 0 on.
    private mutating func addChild(
        to parent: NodeIndex, with run: ArraySlice<Int32>, held: HeldPages, now: Double
    ) -> NodeIndex {
        let parentIndex = Int(parent)
        if nodes[parentIndex].isLeaf, nodes[parentIndex].end % pageSize != 0, !isTailless(parent) {
            // From now on the children bring this page. Its writer, who leases the parent, keeps it as his own.
            let page = nodes[parentIndex].pages.removeLast()
            pool.remove([.tree, .lease], from: page)
        }
        let pages = Array(held.table[(run.startIndex / pageSize)..<((run.endIndex + pageSize - 1) / pageSize)])
        for page in pages { pool.add(.tree, to: page) }
        let child = makeNode(
            RadixNode(
                tokens: Array(run), pages: pages, start: run.startIndex, parent: parent, lastUse: now, createdAt: now,
                startHash: nodes[parentIndex].endHash,
                endHash: PrefixHash.extended(nodes[parentIndex].endHash, by: run)))
        nodes[Int(child)].floor = floor
        attach(child)
        return child
    }
}
