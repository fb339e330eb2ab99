import PrefixCache

extension Scheduler {
    var accountingHolds: Bool {
        let pool = cache.pool
        return pool.free + pool.cached + pool.leased == pool.total
    }

    /// Checks all structures against each other.
    /// - Returns: what is wrong; empty if all is well.
    /// - Complexity: O(pages + nodes + live tokens); for tests and checking builds.
    package func checkInvariants() -> [String] {
        var found = cache.violations()
        var held: Set<Int32> = []
        var writers: Set<Int32> = []
        for sequence in running {
            let name = "sequence \(sequence.number)"
            if sequence.phase != .running || sequence.lease == nil { found.append("\(name) runs without a lease") }
            if sequence.fed + sequence.plannedRows > sequence.held.table.count * configuration.pageSize {
                found.append("\(name) has fed more than its pages hold")
            }
            for (number, page) in sequence.held.table.enumerated() {
                held.insert(page)
                let holders = page < 0 ? [] : cache.pool.holders(of: page)
                if number < sequence.held.shared {
                    if !holders.contains([.tree, .lease]) {
                        found.append("\(name): shared page \(page) is not leased")
                    }
                } else {
                    if !holders.contains(.sequence) { found.append("\(name): page \(page) is not its own") }
                    if !writers.insert(page).inserted { found.append("page \(page) has two writers") }
                }
            }
        }
        for page in pins.pages where !held.contains(page) {
            held.insert(page)
            if !cache.pool.holders(of: page).contains([.tree, .lease]) {
                found.append("pinned page \(page) is not leased")
            }
        }
        for fetch in tiering?.fetches.values.map({ $0 }) ?? [] {
            for (number, page) in fetch.held.table.enumerated() {
                held.insert(page)
                if number >= fetch.held.shared, !writers.insert(page).inserted {
                    found.append("page \(page) is loaded and has another writer")
                }
            }
        }
        // Exactly the pages in page tables are leased: nothing else is kept from eviction, so a request that fits the
        // pool alone also fits when it is alone.
        if held.count != cache.pool.leased {
            found.append("\(cache.pool.leased) pages are leased, \(held.count) are in page tables")
        }
        for sequence in queue.waiting where sequence.phase != .waiting || sequence.lease != nil {
            found.append("sequence \(sequence.number) waits with pages")
        }
        if running.count + queue.count != sequences.count {
            found.append("\(running.count) running + \(queue.count) waiting != \(sequences.count) live")
        }
        return found
    }

    /// Leading slots of each page that are published, so that a runner under test can refuse to overwrite them.
    package func publishedSlots() -> [Int32: Int] { cache.publishedSlots() }
}
