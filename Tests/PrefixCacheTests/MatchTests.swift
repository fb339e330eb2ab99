import PrefixCache
import Testing

struct MatchTests {
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

    private func match(_ tokens: [Int32], _ driver: TreeDriver, _ namespace: Namespace = .shared) -> Match {
        driver.tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
    }

    @Test func aMatchEndsAtTheTokenNotAtThePage() {
        var driver = TreeDriver(pageSize: 16, totalPages: 10)
        cache(Array(0..<37), in: &driver)
        for length in 0...37 {
            let found = match(Array(0..<Int32(length)) + [99, 98], driver)
            #expect(found.length == length)
            #expect((driver.tree.tail(of: found)?.tokens ?? 0) == length % 16)
        }
        #expect(match(Array(0..<37), driver).length == 37)
        #expect(driver.tree.match(Array(0..<37), limit: 36, namespace: .shared, after: nil).length == 36)
        #expect(driver.breach == nil, "\(driver.breach ?? "")")
    }

    @Test func continuingACachedConversationCopiesOnlyTheHalfPageAndLeavesNoDuplicate() {
        var driver = TreeDriver(pageSize: 4, totalPages: 20)
        cache(Array(0..<6), in: &driver)
        #expect(driver.tree.pool.cached == 2)
        cache(Array(0..<11), in: &driver)
        #expect(driver.copies == 1)
        // 11 tokens need 3 pages; the half page of the first turn has been replaced by its continuation.
        #expect(driver.tree.pool.cached == 3)
        #expect(driver.breach == nil, "\(driver.breach ?? "")")
    }

    @Test func twoThatComputeTheSameKeepOneCopy() {
        var driver = TreeDriver(pageSize: 4, totalPages: 20)
        let tokens: [Int32] = Array(0..<10)
        guard let a = driver.begin(tokens), let b = driver.begin(tokens) else { return }
        driver.feed(a, 10)
        driver.feed(b, 10)
        driver.checkAll()
        #expect(a.held.table[..<2] == b.held.table[..<2])
        #expect(a.held.table[2] != b.held.table[2], "each goes on writing in a page of its own")
        driver.end(a)
        driver.end(b)
        #expect(driver.tree.pool.cached == 3 && driver.tree.pool.leased == 0)
        #expect(driver.breach == nil, "\(driver.breach ?? "")")
    }

    @Test func aHalfPageThatIsStillBeingWrittenCanBeSharedByCopy() {
        var driver = TreeDriver(pageSize: 8, totalPages: 20)
        guard let writer = driver.begin([1, 2, 3, 4, 5, 6, 7]) else { return }
        driver.feed(writer, 5)
        guard let reader = driver.begin([1, 2, 3, 4, 5, 9, 9, 9, 9]) else { return }
        #expect(reader.fed == 5 && driver.copies == 1)
        driver.feed(writer, 2)
        driver.feed(reader, 4)
        driver.checkAll()
        #expect(match([1, 2, 3, 4, 5, 6, 7], driver).length == 7)
        #expect(match([1, 2, 3, 4, 5, 9, 9, 9, 9], driver).length == 9)
        #expect(driver.breach == nil, "\(driver.breach ?? "")")
    }

    @Test func namespacesShareNothing() {
        var driver = TreeDriver(pageSize: 4, totalPages: 20)
        cache([1, 2, 3, 4, 5], in: &driver, Namespace(salt: "a"))
        #expect(match([1, 2, 3, 4, 5], driver).length == 0)
        #expect(match([1, 2, 3, 4, 5], driver, Namespace(salt: "b")).length == 0)
        #expect(match([1, 2, 3, 4, 5], driver, Namespace(salt: "a", adapter: "x")).length == 0)
        #expect(match([1, 2, 3, 4, 5], driver, Namespace(salt: "a")).length == 5)
    }

    @Test func aNamespaceCostsNothingOnceItsPagesAreGone() {
        var driver = TreeDriver(pageSize: 2, totalPages: 4)
        for salt in 0..<1000 { cache([1, 2, 3], in: &driver, Namespace(salt: "\(salt)")) }
        #expect(driver.tree.nodeCount <= 2)
        driver.tree.flush(now: 0)
        #expect(driver.tree.nodeCount == 0 && driver.tree.pool.free == 4)
        #expect(driver.breach == nil, "\(driver.breach ?? "")")
    }
}
