extension RadixTree {
    package func violations() -> [String] {
        var found = pool.violations()
        var owner: [Int32: NodeIndex] = [:]
        var alive = 0
        for (index, node) in nodes.enumerated() where node.isAlive {
            alive += 1
            let name = "node \(index) [\(node.start), \(node.end))"
            found += linkViolations(NodeIndex(index), name)
            found += pageViolations(NodeIndex(index), name)
            for page in node.pages {
                if let other = owner.updateValue(NodeIndex(index), forKey: page) {
                    found.append("page \(page) is in nodes \(other) and \(index)")
                }
            }
            let belongs = node.isLeaf && !node.isRoot && node.lockCount == 0
            if evictable.contains(NodeIndex(index)) != belongs {
                found.append("\(name): evictable should be \(belongs)")
            }
        }
        for page in 0..<Int32(pool.total) where pool.holders(of: page).contains(.tree) != (owner[page] != nil) {
            found.append("page \(page): the pool and the nodes disagree whether it is in the tree")
        }
        if alive + vacant.count != nodes.count { found.append("arena: \(alive) + \(vacant.count) != \(nodes.count)") }
        if children.count != nodeCount { found.append("\(children.count) children for \(nodeCount) nodes") }
        for (namespace, root) in roots where namespaces[root] != namespace {
            found.append("root \(root) is not known as \(namespace)")
        }
        return found
    }

    private func linkViolations(_ index: NodeIndex, _ name: String) -> [String] {
        var found: [String] = []
        let node = nodes[Int(index)]
        if node.isRoot {
            if !node.tokens.isEmpty || node.start != 0 { found.append("root \(name) is not empty") }
            if node.isLeaf, node.lockCount == 0 { found.append("root \(name) has outlived its namespace") }
            if namespaces[index] == nil { found.append("root \(name) has no namespace") }
        } else {
            if node.tokens.isEmpty { found.append("\(name) is empty") }
            if children.child(of: node.parent, token: node.tokens.first ?? -1) != index {
                found.append("\(name) is not found from its parent")
            }
        }
        var locks: Int32 = 0
        var child = node.firstChild
        var previous = noNode
        while child != noNode {
            let record = nodes[Int(child)]
            if !record.isAlive || record.parent != index || record.previousSibling != previous {
                found.append("\(name): link to child \(child) is broken")
                break
            }
            if record.start != node.end { found.append("\(name): child \(child) starts at \(record.start)") }
            locks += record.lockCount
            previous = child
            child = record.nextSibling
        }
        if locks > node.lockCount { found.append("\(name): \(node.lockCount) leases, children have \(locks)") }
        return found
    }

    private func pageViolations(_ index: NodeIndex, _ name: String) -> [String] {
        var found: [String] = []
        let node = nodes[Int(index)]
        let full = node.end / pageSize - node.start / pageSize
        let half = node.isLeaf && node.end % pageSize != 0 && !node.isRoot ? 1 : 0
        if node.pages.count != full + half, !(node.pages.count == full && node.lockCount > 0) {
            found.append("\(name): \(node.pages.count) pages instead of \(full) + \(half)")
        }
        for (number, page) in node.pages.enumerated() {
            let holders = pool.holders(of: page)
            if holders.contains(.lease) != (node.lockCount > 0) {
                found.append("\(name): page \(page) is \(holders.contains(.lease) ? "" : "not ")marked as leased")
            }
            let isHalf = number == full
            if holders.contains(.sequence), !isHalf { found.append("\(name): full page \(page) has a writer") }
            if isHalf, node.lockCount > 0, !holders.contains(.sequence) {
                found.append("\(name): leased, but its half-filled page \(page) is nobody's")
            }
        }
        return found
    }
}

extension RadixTree {
    package func publishedSlots() -> [Int32: Int] {
        var slots: [Int32: Int] = [:]
        for node in nodes where node.isAlive {
            let firstNumber = node.start / pageSize
            for (offset, page) in node.pages.enumerated() {
                slots[page] = min(pageSize, node.end - (firstNumber + offset) * pageSize)
            }
        }
        return slots
    }
}
