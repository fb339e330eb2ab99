/// What the cache knows of the tokens behind a match.
package struct MissFacts: Sendable, Equatable {
    /// So many of them, without gap, were cached once and have been evicted.
    package var evictedTokens = 0
    /// When the first of those went.
    package var evictedAt: Double?
    /// So many of them, without gap, are cached under another namespace.
    package var otherNamespaceTokens = 0
    /// The same, counting only the namespace that is shared by all: what anybody could find out by asking without salt.
    package var sharedNamespaceTokens = 0
    /// Nil: nothing that is cached goes on differently from here.
    package var divergence: Divergence?

    package init() {}
}

/// Where a prompt leaves what is cached although something is cached there.
package struct Divergence: Sendable, Equatable {
    /// What is cached from there on, at most `Divergence.shownTokens`.
    package var cached: [Int32]
    /// Lengths of the parts that differ, until both agree again or end.
    package var differing: (prompt: Int, cached: Int)
    /// Prompt tokens behind the difference that are cached behind the other one: they would have been found but for
    /// it. 0 if the two never agree again.
    package var sameAgain: Int

    package static let shownTokens = 96

    package init(cached: [Int32], differing: (prompt: Int, cached: Int), sameAgain: Int) {
        self.cached = cached
        self.differing = differing
        self.sameAgain = sameAgain
    }

    package static func == (a: Divergence, b: Divergence) -> Bool {
        a.cached == b.cached && a.differing == b.differing && a.sameAgain == b.sameAgain
    }
}

/// One run of cached tokens, for lists of what is cached.
package struct CachedPrefix: Sendable, Equatable {
    package let node: NodeIndex
    package let parent: NodeIndex
    package let namespace: Namespace
    /// Tokens of the prefix from position 0 to the end of the run, and of the run alone.
    package let prefixTokens: Int
    package let tokens: Int
    package let pages: Int
    /// Tokens and pages of the run and of all that continues it.
    package fileprivate(set) var subtreeTokens: Int
    package fileprivate(set) var subtreePages: Int
    /// Requests served from the run, and tokens they did not compute again thanks to it.
    package let hits: Int
    package let savedTokens: Int
    package let leases: Int
    package let createdAt: Double
    package let lastUse: Double
}

extension RadixTree {
    package func prefixes() -> [CachedPrefix] {
        var found: [CachedPrefix] = []
        found.reserveCapacity(nodeCount)
        for (namespace, root) in roots { collect(root, namespace, into: &found) }
        return found
    }

    private func collect(_ root: NodeIndex, _ namespace: Namespace, into found: inout [CachedPrefix]) {
        let first = found.count
        var places: [NodeIndex: Int] = [:]
        var open = [root]
        while let node = open.popLast() {
            let record = nodes[Int(node)]
            if node != root {
                places[node] = found.count
                found.append(
                    CachedPrefix(
                        node: node, parent: record.parent == root ? noNode : record.parent, namespace: namespace,
                        prefixTokens: record.end, tokens: record.tokens.count, pages: record.pages.count,
                        subtreeTokens: record.tokens.count, subtreePages: record.pages.count,
                        hits: Int(record.hits), savedTokens: record.savedTokens, leases: Int(record.lockCount),
                        createdAt: record.createdAt, lastUse: record.lastUse))
            }
            var child = record.firstChild
            while child != noNode {
                open.append(child)
                child = nodes[Int(child)].nextSibling
            }
        }
        // Children stand behind their parents.
        for index in found.indices.reversed() where index >= first {
            guard let parent = places[found[index].parent] else { continue }
            found[parent].subtreeTokens += found[index].subtreeTokens
            found[parent].subtreePages += found[index].subtreePages
        }
    }

    package func tokens(of prefix: CachedPrefix, limit: Int) -> (head: [Int32], tail: [Int32]) {
        guard Int(prefix.node) < nodes.count, nodes[Int(prefix.node)].isAlive else { return ([], []) }
        var path: [NodeIndex] = []
        var next = prefix.node
        while next != noNode {
            path.append(next)
            next = nodes[Int(next)].parent
        }
        var tail: [Int32] = []
        for node in path where tail.count < limit {
            tail = nodes[Int(node)].tokens.suffix(limit - tail.count) + tail
        }
        var head: [Int32] = []
        for node in path.reversed() where head.count < limit {
            head += nodes[Int(node)].tokens.prefix(limit - head.count)
        }
        return (head, tail)
    }
}
