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
}

/// Decides which unused leaf goes first when pages run out.
package protocol EvictionPolicy: Sendable {
    /// The leaf with the lowest rank is evicted first; among equals the one that became evictable first.
    func rank(of run: CachedRun) -> Double
}

/// Least recently used first.
package struct LeastRecentlyUsed: EvictionPolicy {
    package init() {}
    package func rank(of run: CachedRun) -> Double { run.lastUse }
}
