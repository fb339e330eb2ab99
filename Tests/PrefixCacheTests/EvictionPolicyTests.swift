import PrefixCache
import Testing

struct EvictionPolicyTests {
    private static let a: [Int32] = [10, 11, 12, 13]
    private static let b: [Int32] = [20, 21, 22, 23]
    private static let c: [Int32] = [30, 31, 32, 33]

    private func use(_ tokens: [Int32], in tree: inout RadixTree, now: Double, priority: Int = 0) {
        var held = HeldPages()
        let match = tree.match(tokens, limit: tokens.count, namespace: .shared, after: nil)
        let lease = tree.lease(match, held: &held, now: now)
        let missing = (tokens.count + tree.pageSize - 1) / tree.pageSize - held.table.count
        #expect(tree.allocate(missing, for: &held, now: now))
        let grown = tree.publish(
            tokens, count: tokens.count, namespace: .shared, held: &held, lease: lease, now: now)
        tree.raisePriority(of: grown, to: priority)
        tree.release(grown, held: &held, now: now)
        #expect(tree.violations() == [])
    }

    /// Which of `a`, `b`, `c` are still there after something of two pages has come into a pool of six.
    private func survivors(_ policy: EvictionPolicyName, _ prepare: (inout RadixTree) -> Void) -> [Bool] {
        var tree = RadixTree(pageSize: 2, totalPages: 6, policy: policy.policy)
        prepare(&tree)
        use([40, 41, 42, 43], in: &tree, now: 100)
        return [Self.a, Self.b, Self.c].map {
            tree.match($0, limit: 4, namespace: .shared, after: nil).length == 4
        }
    }

    @Test func frequencyBeatsRecency() {
        func history(_ tree: inout RadixTree) {
            for time in 0..<3 { use(Self.a, in: &tree, now: Double(time)) }
            for time in 3..<5 { use(Self.b, in: &tree, now: Double(time)) }
            use(Self.c, in: &tree, now: 6)
        }
        #expect(survivors(.lfu, history) == [true, true, false])
        #expect(survivors(.lru, history) == [false, true, true])
        #expect(survivors(.slru, history) == [true, true, false], "what was used once goes first")
    }

    @Test func amongTheReusedTheSegmentedPolicyTakesTheOldest() {
        let left = survivors(.slru) { tree in
            for time in 0..<9 { use(Self.a, in: &tree, now: Double(time)) }
            for time in 10..<12 { use(Self.b, in: &tree, now: Double(time)) }
            for time in 12..<14 { use(Self.c, in: &tree, now: Double(time)) }
        }
        #expect(left == [false, true, true])
    }

    @Test func lowPriorityGoesFirstHoweverRecent() {
        let left = survivors(.priority) { tree in
            use(Self.a, in: &tree, now: 0, priority: 5)
            use(Self.b, in: &tree, now: 1, priority: 1)
            use(Self.c, in: &tree, now: 2)
        }
        #expect(left == [true, true, false])
    }

    @Test func whatWasPopularLongAgoAges() {
        var tree = RadixTree(pageSize: 2, totalPages: 6, policy: EvictionPolicyName.lfu.policy)
        for time in 0..<5 { use(Self.a, in: &tree, now: Double(time)) }
        var survived = 0
        for time in 0..<60 as Range<Int32> {
            let base = 1000 + time * 10
            for _ in 0..<2 { use([base, base + 1, base + 2, base + 3], in: &tree, now: Double(10 + time)) }
            if tree.match(Self.a, limit: 4, namespace: .shared, after: nil).length == 4 { survived += 1 }
        }
        #expect(survived >= 1 && survived < 20, "kept for a while, not for ever: \(survived)")
    }

    /// Of two tails used alike, the one deep in a long prompt costs more time to compute again.
    @Test func whatIsDearToRecomputeStays() {
        var tree = RadixTree(pageSize: 16, totalPages: 520, policy: EvictionPolicyName.cost.policy)
        let long: [Int32] = Array(0..<8000)
        let short: [Int32] = Array(20_000..<20_016)
        use(long, in: &tree, now: 0)
        use(long + Array(30_000..<30_016), in: &tree, now: 1)
        use(long + Array(31_000..<31_016), in: &tree, now: 1)
        use(short, in: &tree, now: 2)
        use(Array(40_000..<40_288), in: &tree, now: 3)
        #expect(tree.evictedPages == 1)
        #expect(tree.match(short, limit: 16, namespace: .shared, after: nil).length == 0)
        let deep = long + Array(30_000..<30_016)
        #expect(tree.match(deep, limit: 8016, namespace: .shared, after: nil).length == 8016)
    }
}
