/// What a policy may know of a cached run of tokens.
package struct CachedRun: Sendable {
    /// Seconds, on the clock of whoever drives the tree.
    package var lastUse: Double
    package var createdAt: Double
    /// How often a request was served from it.
    package var hits: Int
    package var tokens: Int
    /// Position of its first token: what comes later in a sequence costs more to compute again.
    package var start: Int
    /// Slots of the pages it occupies, at least `tokens`.
    package var slots: Int
    /// Highest priority of the requests that used it.
    package var priority: Int
    /// Highest `EvictionRank.value` that had been evicted when this run was used last: lets a rank that does not grow
    /// with time age nevertheless (the L of Greedy-Dual).
    package var floor: Double
}

/// The order of eviction: lower `value` first, among equals the one used longer ago.
package struct EvictionRank: Comparable, Sendable {
    package var value: Double
    package var lastUse: Double

    package init(_ value: Double, lastUse: Double) {
        self.value = value
        self.lastUse = lastUse
    }

    package static func < (a: EvictionRank, b: EvictionRank) -> Bool {
        a.value < b.value || (a.value == b.value && a.lastUse < b.lastUse)
    }
}

/// Decides which unused leaf goes first when pages run out.
package protocol EvictionPolicy: Sendable {
    /// The leaf with the lowest rank is evicted first; among equals the one that became evictable first.
    func rank(of run: CachedRun) -> EvictionRank
}

/// The policies that can be asked for; the names of `--radix-eviction-policy`.
package enum EvictionPolicyName: String, Sendable, CaseIterable {
    case lru, lfu, slru, priority, cost

    package var policy: any EvictionPolicy {
        switch self {
        case .lru: LeastRecentlyUsed()
        case .lfu: LeastFrequentlyUsed()
        case .slru: SegmentedRecency()
        case .priority: LowestPriority()
        case .cost: CheapestToRecompute()
        }
    }
}

/// Least recently used first.
package struct LeastRecentlyUsed: EvictionPolicy {
    package init() {}
    package func rank(of run: CachedRun) -> EvictionRank { EvictionRank(run.lastUse, lastUse: run.lastUse) }
}

/// Least frequently used first, with dynamic ageing (LFU-DA: Arlitt et al., "Evaluating content management techniques
/// for web proxy caches", 1999), so that what was popular long ago does not stay for ever.
package struct LeastFrequentlyUsed: EvictionPolicy {
    package init() {}
    package func rank(of run: CachedRun) -> EvictionRank {
        EvictionRank(run.floor + Double(run.hits + 1), lastUse: run.lastUse)
    }
}

/// What was never used a second time first, then least recently used (after segmented LRU: Karedla, Love, Wherry,
/// "Caching strategies to improve disk system performance", 1994): a flood of prompts that come once cannot push out
/// what is shared.
package struct SegmentedRecency: EvictionPolicy {
    package init() {}
    package func rank(of run: CachedRun) -> EvictionRank { EvictionRank(run.hits > 0 ? 1 : 0, lastUse: run.lastUse) }
}

/// Lowest priority first: a run has the highest priority of the requests that used it.
package struct LowestPriority: EvictionPolicy {
    package init() {}
    package func rank(of run: CachedRun) -> EvictionRank { EvictionRank(Double(run.priority), lastUse: run.lastUse) }
}

/// What costs least time to compute again for the room it takes, times how often it was wanted, first; with ageing
/// (GreedyDual-Size-Frequency: Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching
/// policy", 1998).
package struct CheapestToRecompute: EvictionPolicy {
    /// Position at which a token takes twice the time of the first one, because attention reads all tokens before.
    let doublingPosition: Double

    package init(doublingPosition: Double = 8192) { self.doublingPosition = doublingPosition }

    package func rank(of run: CachedRun) -> EvictionRank {
        let middle = Double(run.start) + Double(run.tokens) / 2
        let cost = Double(run.tokens) * (1 + middle / doublingPosition)
        let value = Double(run.hits + 1) * cost / Double(max(1, run.slots))
        return EvictionRank(run.floor + value, lastUse: run.lastUse)
    }
}
