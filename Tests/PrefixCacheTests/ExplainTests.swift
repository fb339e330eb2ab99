import PrefixCache
import Testing

struct ExplainTests {
    /// Computes and publishes a sequence, then ends it.
    private func cache(_ tokens: [Int32], in driver: inout TreeDriver, _ namespace: Namespace = .shared) {
        guard let holder = driver.begin(tokens, namespace) else {
            driver.fail("no room")
            return
        }
        if holder.fed < tokens.count { driver.feed(holder, tokens.count - holder.fed) }
        driver.publish(holder)
        driver.end(holder)
        driver.checkAll()
    }

    private func facts(_ tokens: [Int32], _ driver: TreeDriver, _ namespace: Namespace = .shared) -> MissFacts {
        let match = driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
        return driver.tree.explain(match, of: tokens, limit: tokens.count, namespace: namespace)
    }

    @Test func nothingIsKnownOfWhatIsSeenFirst() {
        var driver = TreeDriver(pageSize: 4, totalPages: 8)
        #expect(facts([1, 2], driver) == MissFacts())
        cache(Array(1...8), in: &driver)
        #expect(facts([1, 2], driver) == MissFacts(), "all of it is there")
        #expect(facts(Array(1...9), driver) == MissFacts(), "it goes on where what is cached ends")
    }

    @Test func evictedTokensAreCountedToTheTokenAndDated() {
        var driver = TreeDriver(pageSize: 4, totalPages: 4)
        cache(Array(1...7), in: &driver)
        let evicting = driver.time + 1
        cache(Array(50..<66), in: &driver)
        #expect(driver.tree.match(Array(1...7), limit: 7, namespace: .shared, after: nil).length == 0)
        let found = facts(Array(1...9), driver)
        #expect(found.evictedTokens == 7)
        #expect((found.evictedAt ?? 0) >= evicting && (found.evictedAt ?? .infinity) <= driver.time)
        #expect(facts([1, 2, 3, 4, 9], driver).evictedTokens == 4, "another continuation of an evicted page")
        #expect(facts([9, 1, 2, 3, 4], driver).evictedTokens == 0, "the same tokens elsewhere")
    }

    @Test func aFlushIsRememberedToo() {
        var driver = TreeDriver(pageSize: 4, totalPages: 8)
        cache(Array(1...8), in: &driver, Namespace(salt: "a"))
        driver.tree.flush(now: 5)
        #expect(facts(Array(1...8), driver, Namespace(salt: "a")).evictedTokens == 8)
        #expect(facts(Array(1...8), driver, Namespace(salt: "a")).evictedAt == 5)
        #expect(facts(Array(1...8), driver).evictedTokens == 0, "another namespace never had it")
        #expect(driver.tree.flushedPages == 2 && driver.tree.evictedPages == 0)
    }

    @Test func theOldestEvictionsAreForgottenFirst() {
        var tree = RadixTree(pageSize: 2, totalPages: 2, memoryPages: 4)
        var held = HeldPages()
        for start in 0..<8 as Range<Int32> {
            let run = [start * 10, start * 10 + 1, start * 10 + 2, start * 10 + 3]
            let lease = tree.lease(
                tree.match(run, limit: 4, namespace: .shared, after: nil), held: &held, now: Double(start))
            #expect(tree.allocate(2, for: &held, now: Double(start)))
            let grown = tree.publish(
                run, count: 4, namespace: .shared, held: &held, lease: lease, now: Double(start))
            tree.release(grown, held: &held, now: Double(start))
        }
        func evicted(_ start: Int32) -> Int {
            let run = [start * 10, start * 10 + 1, start * 10 + 2, start * 10 + 3]
            let match = tree.match(run, limit: 4, namespace: .shared, after: nil)
            return tree.explain(match, of: run, limit: 4, namespace: .shared).evictedTokens
        }
        #expect((0..<8).map { evicted($0) } == [0, 0, 0, 0, 0, 4, 4, 0])
    }

    @Test func anotherSaltIsNamedAndSoIsWhetherItIsTheSharedOne() {
        var driver = TreeDriver(pageSize: 4, totalPages: 20)
        cache(Array(1...8), in: &driver, Namespace(salt: "a"))
        #expect(facts(Array(1...9), driver, Namespace(salt: "b")).otherNamespaceTokens == 8)
        #expect(facts(Array(1...9), driver, Namespace(salt: "b")).sharedNamespaceTokens == 0)
        cache(Array(1...6), in: &driver)
        #expect(facts(Array(1...9), driver, Namespace(salt: "b")).sharedNamespaceTokens == 6)
        #expect(facts(Array(1...9), driver, Namespace(salt: "a")).otherNamespaceTokens == 0)
    }

    /// A clock at the top of a system prompt: everything behind it is cached, and nothing of it can be used.
    @Test func aDifferenceIsMeasuredAndWhatAgreesAgainIsCounted() throws {
        var driver = TreeDriver(pageSize: 16, totalPages: 100)
        let opening: [Int32] = Array(1...5)
        let rest: [Int32] = Array(1000..<1400)
        cache(opening + [201, 202, 203] + rest, in: &driver)
        let now = opening + [201, 302, 303, 304] + rest + [7, 8, 9]
        let divergence = try #require(facts(now, driver).divergence)
        #expect(divergence.cached.starts(with: [202, 203, 1000]))
        #expect(divergence.cached.count == Divergence.shownTokens)
        #expect(divergence.differing == (3, 2))
        #expect(divergence.sameAgain == 400)
    }

    @Test func severalDifferencesAreSkippedAndTheBranchThatAgreesMostIsCompared() throws {
        var driver = TreeDriver(pageSize: 16, totalPages: 100)
        let parts: [[Int32]] = [Array(1000..<1100), Array(2000..<2100), Array(3000..<3100)]
        cache([1, 50] + parts[0] + [60] + parts[1] + [70] + parts[2], in: &driver)
        cache([1, 90] + Array(5000..<5100), in: &driver)
        let prompt = [1, 51] + parts[0] + [61, 62] + parts[1] + [70] + parts[2]
        let divergence = try #require(facts(prompt, driver).divergence)
        #expect(divergence.cached[0] == 50)
        #expect(divergence.differing == (1, 1))
        #expect(divergence.sameAgain == 100 + 100 + 1 + 100)
        let other = try #require(facts([1, 2] + Array(7000..<7100), driver).divergence)
        #expect(other.sameAgain == 0 && other.differing.prompt == 101)
    }

    @Test func prefixesAreListedWithWhatHangsOnThem() throws {
        var driver = TreeDriver(pageSize: 4, totalPages: 40)
        cache(Array(1...20), in: &driver)
        cache(Array(1...12) + [90, 91], in: &driver)
        cache(Array(1...12) + [90, 91], in: &driver)
        let list = driver.tree.prefixes()
        #expect(list.count == 3)
        let top = try #require(list.first { $0.parent == noNode })
        #expect(top.prefixTokens == 12 && top.tokens == 12 && top.subtreeTokens == 22)
        #expect(top.hits == 2 && top.savedTokens == 24 && top.pages == 3 && top.subtreePages == 6)
        let leaf = try #require(list.first { $0.tokens == 2 })
        #expect(leaf.parent == top.node && leaf.prefixTokens == 14 && leaf.hits == 1 && leaf.savedTokens == 2)
        let (head, tail) = driver.tree.tokens(of: leaf, limit: 3)
        #expect(head == [1, 2, 3] && tail == [12, 90, 91])
    }
}
