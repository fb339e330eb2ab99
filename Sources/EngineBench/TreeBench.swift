import PrefixCache
import Statistics

/// The radix tree alone, without a model: 1,000,000 cached tokens in 10,000 branches.
package struct TreeBench: Sendable {
    package var cachedTokens = 0
    package var nodes = 0
    /// Microseconds for match and insertion of a prompt of 4,000 tokens, into a pool with room.
    package var insertMedian = 0.0
    package var insertWorst99 = 0.0
    /// The same for a prompt that is cached as a whole.
    package var knownMedian = 0.0
    /// Microseconds to evict a node, by the number of nodes there are.
    package var evictions: [(nodes: Int, perNode: Double)] = []

    private static let pageSize = 16
    private static let promptTokens = 4000
    private static let measurements = 400

    private init() {}

    package static func run() -> TreeBench {
        var result = TreeBench()
        var numbers = RandomSource(seed: 1)
        let fresh = measurements * (promptTokens / pageSize + 2)
        var bench = Bench(branches: 10_000, numbers: &numbers, spare: fresh)
        result.nodes = bench.tree.nodeCount
        result.cachedTokens = bench.tree.prefixes().reduce(0) { $0 + $1.tokens }
        var times: [Double] = []
        var prompts: [[Int32]] = []
        for _ in 0..<measurements {
            var prompt = bench.branch(numbers.next())
            prompt += Bench.text(promptTokens - prompt.count, &numbers)
            times.append(bench.insert(prompt))
            prompts.append(prompt)
        }
        times.sort()
        result.insertMedian = times[measurements / 2]
        result.insertWorst99 = times[measurements * 99 / 100]
        result.knownMedian = prompts.map { bench.insert($0) }.median
        for branches in [100, 1000, 10_000, 50_000] {
            var bench = Bench(branches: branches, numbers: &numbers, spare: 0)
            let nodes = bench.tree.nodeCount
            result.evictions.append((nodes, bench.evictAll() / Double(nodes)))
        }
        return result
    }

    package var report: String {
        var text = """
            radix tree: \(cachedTokens) cached tokens in \(nodes) nodes, pages of \(Self.pageSize)
            match and insert of \(Self.promptTokens) tokens: median \(insertMedian.fixed(1)) µs, \
            99th percentile \(insertWorst99.fixed(1)) µs
            the same when all of it is cached: median \(knownMedian.fixed(1)) µs

            """
        var table = TextTable(["nodes in the tree", "µs to evict one"])
        for entry in evictions { table.append(["\(entry.nodes)", entry.perNode.fixed(2)]) }
        text += table.text
        return text
    }

    /// A tree with branches of 100 tokens, each hanging on a random place of a random earlier one.
    private struct Bench {
        var tree: RadixTree
        private var prompts: [[Int32]] = []
        private var now = 0.0
        private let clock = ContinuousClock()

        init(branches: Int, numbers: inout RandomSource, spare: Int) {
            tree = RadixTree(pageSize: pageSize, totalPages: branches * 8 + spare + 64)
            for _ in 0..<branches {
                var prompt: [Int32] = []
                if !prompts.isEmpty {
                    let parent = branch(numbers.next())
                    prompt = Array(parent.prefix(parent.count - Int(numbers.next() % 90)).prefix(promptTokens - 200))
                }
                prompt += Self.text(100, &numbers)
                _ = insert(prompt)
                prompts.append(prompt)
            }
        }

        func branch(_ number: UInt64) -> [Int32] { prompts[Int(number % UInt64(prompts.count))] }

        static func text(_ count: Int, _ numbers: inout RandomSource) -> [Int32] {
            (0..<count).map { _ in Int32(numbers.next() % 150_000) }
        }

        /// As the scheduler does for a request: search, lease, get pages, publish, give back.
        /// - Returns: microseconds.
        mutating func insert(_ prompt: [Int32]) -> Double {
            now += 1
            let start = clock.now
            var held = HeldPages()
            let match = tree.match(prompt, limit: prompt.count - 1, namespace: .shared, after: nil)
            let lease = tree.lease(match, held: &held, now: now)
            let missing = (prompt.count + pageSize - 1) / pageSize - held.table.count
            guard tree.allocate(missing, for: &held, now: now) else {
                tree.release(lease, held: &held, now: now)
                return 0
            }
            let grown = tree.publish(
                prompt, count: prompt.count, namespace: .shared, held: &held, lease: lease, now: now)
            tree.release(grown, held: &held, now: now)
            return start.duration(to: clock.now) / .microseconds(1)
        }

        /// - Returns: microseconds.
        mutating func evictAll() -> Double {
            let start = clock.now
            tree.flush(now: now)
            return start.duration(to: clock.now) / .microseconds(1)
        }
    }
}
