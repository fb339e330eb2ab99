/// How much of the traffic's prompt tokens a prefix cache of any size would have had, from one pass.
///
/// Mattson's stack algorithm ("Evaluation techniques for storage hierarchies", IBM Systems Journal 9(2), 1970): under
/// least-recently-used eviction a block is a hit in every cache that holds more than the number of distinct blocks used
/// since its last use. A request uses its prefix from the deepest block to the first, so that leaves go first, as in the
/// radix tree.
package struct ReuseDistance: Sendable {
    /// Tokens of a block.
    package let blockTokens: Int
    package private(set) var promptTokens = 0
    /// Prompt tokens seen before, by how many distinct blocks were used since, ascending.
    private var reused: [(distance: Int, tokens: Int)] = []
    private var nodes: [Edge: Int32] = [:]
    private var lastUse: [Int] = []
    private var marks = CountingTree()
    private var clock = 0

    private struct Edge: Hashable {
        let parent: Int32
        let block: UInt64
    }

    package init(blockTokens: Int = 16) { self.blockTokens = blockTokens }

    /// - Parameters:
    ///   - prompt: ids.
    ///   - answer: ids generated, cached as well but not asked for; or how many, if they are not known.
    /// - Complexity: O(blocks · log uses)
    package mutating func add(_ prompt: [Int32], answer: [Int32] = [], unknownAnswerTokens: Int = 0) {
        promptTokens += prompt.count
        let sequence = prompt + answer
        var path: [Int32] = []
        var parent: Int32 = -1
        for start in stride(from: 0, to: sequence.count - sequence.count % blockTokens, by: blockTokens) {
            let hash = sequence[start..<start + blockTokens].reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
                ($0 ^ UInt64(bitPattern: Int64($1))) &* 0x100_0000_01B3
            }
            let edge = Edge(parent: parent, block: hash)
            let node: Int32
            if let known = nodes[edge] {
                node = known
            } else {
                node = Int32(lastUse.count)
                nodes[edge] = node
                lastUse.append(-1)
            }
            path.append(node)
            parent = node
        }
        // What is generated anew takes room, though nobody asks for it.
        for _ in 0..<unknownAnswerTokens / blockTokens {
            marks.set(clock)
            clock += 1
        }
        let asked = prompt.count / blockTokens
        // The last prompt token is always computed: a block that holds it and nothing after counts one less.
        for (depth, node) in path.enumerated() where lastUse[Int(node)] >= 0 && depth < asked {
            let distance = marks.count(from: lastUse[Int(node)] + 1)
            let isLast = (depth + 1) * blockTokens == prompt.count
            reused.append((distance, blockTokens - (isLast ? 1 : 0)))
        }
        for node in path.reversed() {
            if lastUse[Int(node)] >= 0 { marks.clear(lastUse[Int(node)]) }
            marks.set(clock)
            lastUse[Int(node)] = clock
            clock += 1
        }
    }

    /// Share of prompt tokens that a cache of unlimited size has.
    package var ceiling: Double {
        promptTokens > 0 ? Double(reused.reduce(0) { $0 + $1.tokens }) / Double(promptTokens) : 0
    }

    /// Tokens in distinct blocks: what a cache of unlimited size would hold of the prompts.
    package var distinctTokens: Int { lastUse.count * blockTokens }

    /// Share of prompt tokens that a cache of `tokens` has.
    package func hitRate(cacheTokens tokens: Int) -> Double { hitRates(cacheTokens: [tokens])[0] }

    /// - Complexity: O(n log n)
    package func hitRates(cacheTokens sizes: [Int]) -> [Double] {
        let sorted = reused.sorted { $0.distance < $1.distance }
        return sizes.map { size in
            let blocks = size / blockTokens
            var hits = 0
            for entry in sorted {
                if entry.distance >= blocks { break }
                hits += entry.tokens
            }
            return promptTokens > 0 ? Double(hits) / Double(promptTokens) : 0
        }
    }

    /// The smallest cache, in tokens, that reaches a share of the ceiling; powers of two.
    package func cacheTokens(reaching share: Double) -> Int? {
        guard ceiling > 0 else { return nil }
        var size = 1024
        while size < 1 << 40 {
            if hitRate(cacheTokens: size) >= share * ceiling { return size }
            size *= 2
        }
        return nil
    }
}

/// Counts set positions from a place to the end (Fenwick, "A new data structure for cumulative frequency tables", 1994).
private struct CountingTree: Sendable {
    private var sums: [Int] = [0]
    private var isSet: [Bool] = []
    private var total = 0

    mutating func set(_ position: Int) {
        grow(to: position)
        if !isSet[position] { change(position, 1) }
    }

    mutating func clear(_ position: Int) {
        if position < isSet.count, isSet[position] { change(position, -1) }
    }

    func count(from position: Int) -> Int {
        var before = 0
        var at = min(position, isSet.count)
        while at > 0 {
            before += sums[at]
            at &= at - 1
        }
        return total - before
    }

    private mutating func change(_ position: Int, _ amount: Int) {
        isSet[position] = amount > 0
        total += amount
        var at = position + 1
        while at < sums.count {
            sums[at] += amount
            at += at & -at
        }
    }

    private mutating func grow(to position: Int) {
        guard position >= isSet.count else { return }
        var size = max(1024, isSet.count)
        while size <= position { size *= 2 }
        isSet += [Bool](repeating: false, count: size - isSet.count)
        // Built anew from what is set; doubling makes that cheap on the whole.
        sums = [Int](repeating: 0, count: size + 1)
        for (position, set) in isSet.enumerated() where set { sums[position + 1] += 1 }
        for at in 1...size {
            let parent = at + (at & -at)
            if parent <= size { sums[parent] += sums[at] }
        }
    }
}
