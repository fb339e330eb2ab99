import PrefixCache
import Testing

struct EvictionTests {
    private struct ShortestFirst: EvictionPolicy {
        func rank(of run: CachedRun) -> EvictionRank { EvictionRank(Double(run.tokens), lastUse: run.lastUse) }
    }

    private func cache(_ tokens: [Int32], in tree: inout RadixTree, now: Double) {
        var held = HeldPages()
        let match = tree.match(tokens, limit: tokens.count, namespace: .shared, after: nil)
        let lease = tree.lease(match, held: &held, now: now)
        let missing = (tokens.count + tree.pageSize - 1) / tree.pageSize - held.table.count
        #expect(tree.allocate(missing, for: &held, now: now))
        let grown = tree.publish(
            tokens, count: tokens.count, namespace: .shared, held: &held, lease: lease, now: now)
        tree.release(grown, held: &held, now: now)
        #expect(tree.violations() == [])
    }

    private func found(_ tokens: [Int32], _ tree: RadixTree) -> Int {
        tree.match(tokens, limit: tokens.count, namespace: .shared, after: nil).length
    }

    @Test func leastRecentlyUsedGoesFirstAndUseRenews() {
        var tree = RadixTree(pageSize: 2, totalPages: 6)
        let runs: [[Int32]] = [[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]]
        for (time, run) in runs.enumerated() { cache(run, in: &tree, now: Double(time)) }
        cache(runs[0], in: &tree, now: 5)
        cache([40, 41, 42, 43], in: &tree, now: 6)
        #expect(found(runs[0], tree) == 4)
        #expect(found(runs[1], tree) == 0)
        #expect(found(runs[2], tree) == 4)
        #expect(tree.evictedPages == 2)
    }

    @Test func aLongRunLosesOnlyAsMuchOfItsEndAsIsNeeded() {
        var tree = RadixTree(pageSize: 2, totalPages: 10)
        cache(Array(0..<19), in: &tree, now: 0)
        cache([100, 101, 102], in: &tree, now: 1)
        #expect(found(Array(0..<19), tree) == 16)
        #expect(found([100, 101, 102], tree) == 3)
        #expect(tree.evictedPages == 2)
    }

    @Test func anotherPolicyChoosesOtherwise() {
        var tree = RadixTree(pageSize: 2, totalPages: 6, policy: ShortestFirst())
        cache(Array(0..<8), in: &tree, now: 0)
        cache([50, 51, 52, 53], in: &tree, now: 1)
        cache([60, 61], in: &tree, now: 2)
        #expect(found(Array(0..<8), tree) == 8)
        #expect(found([50, 51, 52, 53], tree) == 2)
    }

    @Test func whatIsLeasedIsNeverEvicted() {
        var tree = RadixTree(pageSize: 2, totalPages: 6)
        cache(Array(0..<7), in: &tree, now: 0)
        var held = HeldPages()
        let match = tree.match(Array(0..<5) + [9], limit: 6, namespace: .shared, after: nil)
        let lease = tree.lease(match, held: &held, now: 1)
        #expect(match.length == 5 && held.table.count == 2 && tree.pool.leased == 2)
        var greedy = HeldPages()
        #expect(!tree.allocate(5, for: &greedy, now: 2), "two of six pages are leased")
        #expect(tree.allocate(4, for: &greedy, now: 2))
        #expect(found(Array(0..<7), tree) == 4)
        var nothing = HeldPages()
        let none = tree.lease(
            tree.match([], limit: 0, namespace: .shared, after: nil), held: &nothing, now: 2)
        tree.release(none, held: &greedy, now: 3)
        tree.release(lease, held: &held, now: 3)
        #expect(tree.pool.leased == 0 && tree.violations() == [])
    }
}
