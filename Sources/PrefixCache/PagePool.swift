/// Who holds a page. A page that nobody holds is free.
package struct PageHolders: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// One running sequence: it alone may write slots that are not published yet.
    package static let sequence = PageHolders(rawValue: 1)
    /// A node of the radix tree: the published slots are immutable.
    package static let tree = PageHolders(rawValue: 2)
    /// A node that is leased, directly or through a descendant: must not be evicted.
    package static let lease = PageHolders(rawValue: 4)
}

/// The pages of the KV memory as numbers: a free list and one holder set per page.
///
/// `free + cached + leased == total` at all times, because the counts change only where a holder set changes.
package struct PagePool: Sendable {
    package let total: Int
    /// Held by the tree only: may be evicted.
    package private(set) var cached = 0
    /// Held by a running sequence or a leased node.
    package private(set) var leased = 0
    /// Used as a stack, so that the page freed last, still warm in the CPU's cache, is given out first.
    private var freeList: [Int32]
    /// Pages from here on have never been given out.
    package private(set) var firstUnused = 0
    /// Every page that has become free since the last `takeFreed`; recorded only for a caller that takes them.
    private var freed: [Int32] = []
    package var recordsFreed = false
    private var holders: [PageHolders]

    package init(total: Int) {
        self.total = total
        freeList = (0..<Int32(total)).reversed()
        holders = Array(repeating: [], count: total)
    }

    package var free: Int { freeList.count }

    /// A free page, now held by a sequence; nil if none is free.
    /// - Complexity: O(1).
    package mutating func take() -> Int32? {
        guard let page = freeList.popLast() else { return nil }
        holders[Int(page)] = .sequence
        firstUnused = max(firstUnused, Int(page) + 1)
        leased += 1
        return page
    }

    package func holders(of page: Int32) -> PageHolders { holders[Int(page)] }

    /// - Precondition: the page is not free.
    package mutating func add(_ holder: PageHolders, to page: Int32) {
        let before = holders[Int(page)]
        precondition(!before.isEmpty, "page \(page) is free and cannot be given a holder")
        change(page, from: before, to: before.union(holder))
    }

    /// The page becomes free when its last holder goes.
    /// - Precondition: the page is not free.
    package mutating func remove(_ holder: PageHolders, from page: Int32) {
        let before = holders[Int(page)]
        precondition(!before.isEmpty, "page \(page) was freed twice")
        let after = before.subtracting(holder)
        change(page, from: before, to: after)
        if after.isEmpty {
            freeList.append(page)
            if recordsFreed { freed.append(page) }
        }
    }

    /// Pages that became free since the last call, in order; some may have been given out again.
    package mutating func takeFreed() -> [Int32] {
        if freed.isEmpty { return [] }
        defer { freed.removeAll(keepingCapacity: true) }
        return freed
    }

    private mutating func change(_ page: Int32, from before: PageHolders, to after: PageHolders) {
        if before == after { return }
        if before == .tree { cached -= 1 } else { leased -= 1 }
        if after == .tree { cached += 1 } else if !after.isEmpty { leased += 1 }
        holders[Int(page)] = after
    }

    /// Recounts everything. Empty if all is well.
    /// - Complexity: O(total).
    package func violations() -> [String] {
        var found: [String] = []
        var counts = (free: 0, cached: 0, leased: 0)
        for (page, holder) in holders.enumerated() {
            if holder.isEmpty {
                counts.free += 1
            } else if holder == .tree {
                counts.cached += 1
            } else {
                counts.leased += 1
                if holder.contains(.lease), !holder.contains(.tree) {
                    found.append("page \(page) is leased by a node but not in the tree")
                }
            }
        }
        if counts != (free, cached, leased) {
            found.append("counted \(counts), kept free \(free), cached \(cached), leased \(leased)")
        }
        if free + cached + leased != total {
            found.append("free \(free) + cached \(cached) + leased \(leased) != total \(total)")
        }
        if Set(freeList).count != freeList.count { found.append("a page is twice in the free list") }
        if freeList.contains(where: { !holders[Int($0)].isEmpty }) { found.append("a held page is in the free list") }
        return found
    }
}
