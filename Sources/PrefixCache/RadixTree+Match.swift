extension RadixTree {
    package func match(
        _ tokens: [Int32], limit: Int, namespace: Namespace, after hint: TreePosition?
    ) -> Match {
        let limit = min(limit, tokens.count)
        var node: NodeIndex
        var depth = 0
        if let hint, let known = current(hint) {
            // Since then the node may have been split or have grown; its path still holds these tokens.
            depth = min(hint.depth, limit)
            node = known
            climb(&node, to: depth)
        } else if let root = roots[namespace] {
            node = root
        } else {
            return Match(length: 0, position: position(noNode, depth: 0))
        }
        while true {
            let start = nodes[Int(node)].start
            let end = nodes[Int(node)].end
            if depth < end {
                depth += commonPrefixLength(
                    nodes[Int(node)].tokens, from: depth - start, tokens, from: depth, limit: min(end, limit) - depth)
                if depth < end { break }
            }
            if depth >= limit { break }
            let child = children.child(of: node, token: tokens[depth])
            if child == noNode { break }
            node = child
        }
        if depth % pageSize != 0, tailPage(of: node, holding: depth) == noPage {
            depth -= depth % pageSize
        }
        climb(&node, to: depth)
        return Match(length: depth, position: position(node, depth: depth))
    }

    /// Goes up to the node that holds the token before `depth`, or to the root.
    private func climb(_ node: inout NodeIndex, to depth: Int) {
        while !nodes[Int(node)].isRoot, nodes[Int(node)].start >= depth { node = nodes[Int(node)].parent }
    }

    package func tail(of match: Match) -> PageTail? {
        let tokens = match.length % pageSize
        guard tokens > 0, let node = current(match.position) else { return nil }
        let page = tailPage(of: node, holding: match.length)
        return page == noPage ? nil : PageTail(page: page, tokens: tokens)
    }

    /// A page whose slots below `depth % pageSize` hold the path's tokens, for a `depth` in `node` or at its end.
    ///
    /// The node's own, or, behind its last full page, that of any descendant: all of them are complete.
    /// - Complexity: O(1), except below nodes that lie wholly inside one page.
    func tailPage(of node: NodeIndex, holding depth: Int) -> Int32 {
        let number = depth / pageSize - nodes[Int(node)].start / pageSize
        if number < nodes[Int(node)].pages.count { return nodes[Int(node)].pages[number] }
        var child = nodes[Int(node)].firstChild
        while child != noNode {
            let page = tailPage(of: child, holding: depth)
            if page != noPage { return page }
            child = nodes[Int(child)].nextSibling
        }
        return noPage
    }

    /// A leased leaf whose half-filled last page went away with its last child. Its leaseholder supplies it again when
    /// it publishes; until then a match ends at the page border before.
    func isTailless(_ node: NodeIndex) -> Bool {
        let end = nodes[Int(node)].end
        return nodes[Int(node)].isLeaf && end % pageSize != 0
            && nodes[Int(node)].pages.count == end / pageSize - nodes[Int(node)].start / pageSize
    }
}

/// In place of a page number where there is none.
let noPage: Int32 = -1

/// Length of the common prefix of `a[i...]` and `b[j...]`, at most `limit`.
package func commonPrefixLength(_ a: [Int32], from i: Int, _ b: [Int32], from j: Int, limit: Int) -> Int {
    let limit = min(limit, a.count - i, b.count - j)
    if limit <= 0 { return 0 }
    let left = a.span.extracting(i..<(i + limit))
    let right = b.span.extracting(j..<(j + limit))
    var length = 0
    while length < limit, left[length] == right[length] { length += 1 }
    return length
}
