extension RadixTree {
    package func explain(_ match: Match, of tokens: [Int32], limit: Int, namespace: Namespace) -> MissFacts {
        let limit = min(limit, tokens.count)
        var facts = MissFacts()
        if match.length >= limit { return facts }
        let node = current(match.position)
        var hash = PrefixHash.seed(namespace)
        if let node {
            let start = nodes[Int(node)].start
            hash = PrefixHash.extended(nodes[Int(node)].startHash, by: tokens[start..<match.length])
        }
        if let evicted = memory.evicted(tokens, from: match.length, hash: hash, limit: limit) {
            facts.evictedTokens = evicted.tokens
            facts.evictedAt = evicted.at
        }
        addOtherNamespaces(to: &facts, match, tokens, limit, namespace)
        if let node { facts.divergence = divergence(at: match.length, in: node, tokens, limit) }
        return facts
    }

    /// Namespaces looked at for the same tokens; clients make them at will.
    private static let namespaceLimit = 64

    private func addOtherNamespaces(
        to facts: inout MissFacts, _ match: Match, _ tokens: [Int32], _ limit: Int, _ namespace: Namespace
    ) {
        for other in roots.keys.prefix(Self.namespaceLimit) where other != namespace {
            let found = self.match(tokens, limit: limit, namespace: other, after: nil).length - match.length
            facts.otherNamespaceTokens = max(facts.otherNamespaceTokens, found)
        }
        if namespace != .shared, roots[.shared] != nil {
            let found = self.match(tokens, limit: limit, namespace: .shared, after: nil).length - match.length
            facts.sharedNamespaceTokens = max(0, found)
            facts.otherNamespaceTokens = max(facts.otherNamespaceTokens, found)
        }
    }

    // MARK: Divergence

    /// Branches compared with a prompt: the newest ones.
    private static let branchLimit = 4

    /// Compares `tokens[depth..<limit]` with what is cached instead, and takes the branch that agrees most afterwards.
    private func divergence(at depth: Int, in node: NodeIndex, _ tokens: [Int32], _ limit: Int) -> Divergence? {
        var best: Divergence?
        for branch in branches(at: depth, in: node) {
            let cached = continuation(from: depth, in: branch, limit: limit - depth + Realignment.window)
            if cached.isEmpty { continue }
            let found = Realignment(of: tokens[depth..<limit], with: cached)
            if let best, best.sameAgain >= found.sameAgain { continue }
            best = Divergence(
                cached: Array(cached.prefix(Divergence.shownTokens)),
                differing: (found.differing.first, found.differing.second), sameAgain: found.sameAgain)
        }
        return best
    }

    /// The node itself if `depth` is inside it, otherwise its newest children.
    private func branches(at depth: Int, in node: NodeIndex) -> [NodeIndex] {
        if depth < nodes[Int(node)].end { return [node] }
        var found: [NodeIndex] = []
        var child = nodes[Int(node)].firstChild
        while child != noNode, found.count < Self.branchLimit {
            found.append(child)
            child = nodes[Int(child)].nextSibling
        }
        return found
    }

    /// Tokens from position `depth` on, through `node` and then the newest branch of each node.
    private func continuation(from depth: Int, in node: NodeIndex, limit: Int) -> [Int32] {
        var found: [Int32] = []
        var next = node
        while next != noNode, found.count < limit {
            let record = nodes[Int(next)]
            found += record.tokens.dropFirst(max(0, depth - record.start)).prefix(limit - found.count)
            next = record.firstChild
        }
        return found
    }
}

/// How two texts that begin differently agree again: the shortest differing beginnings after which both go on with the
/// same `run` tokens.
struct Realignment {
    /// Tokens looked through on both sides for the place where they agree again.
    static let window = 64
    /// So many equal tokens count as agreement; fewer come about by chance.
    static let run = 12
    /// Differences skipped, one after the other.
    private static let rounds = 8

    /// Lengths of the first differing parts.
    private(set) var differing: (first: Int, second: Int)
    /// Tokens of the first text that stand in the second one too, behind a difference.
    private(set) var sameAgain = 0

    /// - Complexity: O(rounds × window² in the worst case + tokens).
    init(of first: ArraySlice<Int32>, with second: [Int32]) {
        let first = Array(first)
        differing = (first.count, second.count)
        var i = 0
        var j = 0
        for round in 0..<Self.rounds {
            guard let (skipI, skipJ) = Self.agreement(first, from: i, second, from: j) else { return }
            if round == 0 { differing = (skipI, skipJ) }
            let same = commonPrefixLength(first, from: i + skipI, second, from: j + skipJ, limit: .max)
            sameAgain += same
            i += skipI + same
            j += skipJ + same
        }
    }

    /// The smallest sum of tokens to skip in both.
    private static func agreement(_ a: [Int32], from i: Int, _ b: [Int32], from j: Int) -> (Int, Int)? {
        let longestA = min(window, a.count - i - run)
        let longestB = min(window, b.count - j - run)
        guard longestA >= 0, longestB >= 0 else { return nil }
        for sum in 0...(longestA + longestB) {
            for skip in max(0, sum - longestB)...min(sum, longestA) {
                let other = sum - skip
                guard a[i + skip] == b[j + other] else { continue }
                if commonPrefixLength(a, from: i + skip, b, from: j + other, limit: run) == run { return (skip, other) }
            }
        }
        return nil
    }
}
