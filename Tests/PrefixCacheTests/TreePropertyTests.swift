import PrefixCache
import TestSupport
import Testing

/// Random sequences over a vocabulary so small that prefixes collide all the time.
struct TreePropertyTests {
    @Test(arguments: [1, 2, 3, 4, 16])
    func matchIsTheLongestPrefixEverPublishedWhileNothingIsEvicted(pageSize: Int) {
        for seed in 0..<150 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var driver = TreeDriver(pageSize: pageSize, totalPages: 4000)
            run(&driver, &random, steps: 60) { driver, tokens, namespace in
                let match = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
                let naive = driver.naiveMatch(tokens, namespace)
                if match.length != naive { driver.fail("found \(match.length) of \(naive): \(tokens)") }
            }
            if driver.tree.evictedPages > 0 { driver.fail("evicted from a pool that suffices") }
            guard driver.breach == nil else {
                Issue.record("page size \(pageSize), seed \(seed): \(driver.breach ?? "")")
                return
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 8], EvictionPolicyName.allCases)
    func noSlotIsEverWrongUnderPressure(pageSize: Int, policy: EvictionPolicyName) {
        var evicted = 0
        for seed in 0..<150 as Range<UInt64> {
            var random = SeededGenerator(seed: seed &* 7919 &+ UInt64(pageSize))
            var driver = TreeDriver(
                pageSize: pageSize, totalPages: Int.random(in: 1...24, using: &random), policy: policy)
            run(&driver, &random, steps: 80) { driver, tokens, namespace in
                let match = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
                let naive = driver.naiveMatch(tokens, namespace)
                if match.length > naive { driver.fail("found \(match.length), only \(naive) were ever computed") }
                if match.length % driver.pageSize != 0, driver.tree.tail(of: match) == nil {
                    driver.fail("half page without source")
                }
                Self.checkFacts(&driver, match, tokens, namespace)
            }
            evicted += driver.tree.evictedPages
            while let holder = driver.holders.first { driver.end(holder) }
            driver.checkAll()
            if driver.tree.pool.leased != 0 { driver.fail("\(driver.tree.pool.leased) pages leased by nobody") }
            driver.tree.flush(now: driver.time)
            driver.checkAll()
            if driver.tree.pool.free != driver.tree.pool.total { driver.fail("flush left pages behind") }
            if driver.tree.nodeCount != 0 { driver.fail("flush left \(driver.tree.nodeCount) nodes") }
            guard driver.breach == nil else {
                Issue.record("page size \(pageSize), seed \(seed): \(driver.breach ?? "")")
                return
            }
        }
        #expect(evicted > 300, "the pool was never tight")
    }

    /// What is said about a miss agrees with a model that remembers every prefix for ever.
    private static func checkFacts(
        _ driver: inout TreeDriver, _ match: Match, _ tokens: [Int32], _ namespace: Namespace
    ) {
        let facts = driver.tree.explain(match, of: tokens, limit: tokens.count, namespace: namespace)
        let evicted = driver.naiveMatch(tokens, namespace) - match.length
        if facts.evictedTokens > max(0, evicted) {
            driver.fail("\(facts.evictedTokens) tokens evicted, only \(evicted) were ever there: \(tokens)")
        }
        // Nothing is forgotten in so short a run, except what its owner never published as a whole page.
        if facts.evictedTokens + driver.pageSize <= evicted {
            driver.fail("\(evicted) tokens were there, \(facts.evictedTokens) are known as evicted: \(tokens)")
        }
        if let at = facts.evictedAt, at > driver.time { driver.fail("evicted in the future") }
        let other = namespace == .shared ? Namespace(salt: "tenant") : .shared
        let found = driver.tree.match(tokens, limit: tokens.count, namespace: other, after: nil).length
        if facts.otherNamespaceTokens != max(0, found - match.length) {
            driver.fail("the other namespace has \(found), the facts say \(facts.otherNamespaceTokens)")
        }
        if let divergence = facts.divergence {
            if divergence.cached.first == tokens[match.length], match.length % driver.pageSize == 0,
                facts.evictedTokens == 0, !driver.holders.contains(where: { $0.namespace == namespace })
            {
                driver.fail("no divergence at \(match.length): \(tokens), \(divergence.cached)")
            }
            if divergence.differing.prompt + divergence.sameAgain > tokens.count - match.length {
                driver.fail("more agrees again than there is")
            }
        }
    }

    /// A remembered position must give the same answer as a walk from the root, whatever happened in between.
    @Test func aHintNeverChangesTheAnswer() {
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var driver = TreeDriver(pageSize: Int.random(in: 1...4, using: &random), totalPages: 12)
            var hints: [(tokens: [Int32], namespace: Namespace, position: TreePosition)] = []
            run(&driver, &random, steps: 60) { driver, tokens, namespace in
                for index in hints.indices {
                    let (tokens, namespace, position) = hints[index]
                    let resumed = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: position)
                    let fresh = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
                    if resumed != fresh { driver.fail("\(tokens): \(resumed) resumed, \(fresh) from the root") }
                    hints[index].position = resumed.position
                }
                if hints.count < 8 {
                    let match = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
                    hints.append((tokens, namespace, match.position))
                }
            }
            guard driver.breach == nil else {
                Issue.record("seed \(seed): \(driver.breach ?? "")")
                return
            }
        }
    }

    private func run(
        _ driver: inout TreeDriver, _ random: inout SeededGenerator, steps: Int,
        probe: (inout TreeDriver, [Int32], Namespace) -> Void
    ) {
        for _ in 0..<steps {
            let action = Int.random(in: 0..<10, using: &random)
            if action < 3 || driver.holders.isEmpty {
                let (tokens, namespace) = randomPrompt(&random)
                probe(&driver, tokens, namespace)
                driver.begin(tokens, namespace)
            } else if let holder = driver.holders.randomElement(using: &random) {
                if action < 8 {
                    // Sometimes go on beyond the prompt, as generation does.
                    let left = holder.tokens.count - holder.fed
                    if left == 0 { holder.tokens.append(Int32.random(in: 0..<2, using: &random)) }
                    let count = Int.random(in: 1...max(1, left), using: &random)
                    driver.feed(holder, count, publishing: Int.random(in: 0..<5, using: &random) > 0)
                } else {
                    if Bool.random(using: &random) { driver.publish(holder) }
                    driver.end(holder)
                }
            }
            driver.checkAll()
            if driver.breach != nil { return }
        }
    }

    private func randomPrompt(_ random: inout SeededGenerator) -> ([Int32], Namespace) {
        let length = Int.random(in: 1...14, using: &random)
        let tokens = (0..<length).map { _ in Int32.random(in: 0..<2, using: &random) }
        return (tokens, Namespace(salt: Int.random(in: 0..<4, using: &random) == 0 ? "tenant" : ""))
    }
}
