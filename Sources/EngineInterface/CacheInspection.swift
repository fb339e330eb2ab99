/// Asks for a prompt's prefix to be kept in the cache whatever else needs room.
package struct PinRequest: Sendable, Equatable {
    /// Names the pin; a pin of the same name or of the same tokens is renewed.
    package var id: String
    /// Leading tokens of the prompt to keep. Nil: all.
    package var tokens: Int?
    /// Seconds from when the prefix has been computed. Nil: until unpinned.
    package var timeToLive: Double?
    /// A wish of a client, not an order of the operator: it gives way to pins that do not yield, and never shortens one.
    package var yields: Bool

    package init(id: String, tokens: Int? = nil, timeToLive: Double? = nil, yields: Bool = false) {
        self.id = id
        self.tokens = tokens
        self.timeToLive = timeToLive
        self.yields = yields
    }
}

/// A prefix that is kept.
package struct PinnedPrefix: Sendable, Equatable {
    package var id: String
    package var cacheNamespace: String
    /// Tokens asked for, and those that are kept: the last half-filled page is not.
    package var tokens: Int
    package var pinnedTokens: Int
    package var pages: Int
    package var ageSeconds: Double
    /// Nil: until unpinned.
    package var expiresInSeconds: Double?
    /// The first tokens, for a preview.
    package var head: [Int32]

    package init(
        id: String, cacheNamespace: String, tokens: Int, pinnedTokens: Int, pages: Int, ageSeconds: Double,
        expiresInSeconds: Double?, head: [Int32]
    ) {
        self.id = id
        self.cacheNamespace = cacheNamespace
        self.tokens = tokens
        self.pinnedTokens = pinnedTokens
        self.pages = pages
        self.ageSeconds = ageSeconds
        self.expiresInSeconds = expiresInSeconds
        self.head = head
    }
}

/// How a list of cached prefixes is sorted, the largest first.
package enum PrefixOrder: String, Sendable, CaseIterable {
    case saved, tokens, hits, recent
}

/// A node of the radix tree as an operator sees it.
package struct CachedPrefixInformation: Sendable, Equatable {
    /// Number of the node, and of the one it continues; nil for the first of a prompt.
    package var node: Int
    package var parent: Int?
    package var cacheNamespace: String
    /// Tokens from the beginning of the prompt to the end of this run, and of the run alone.
    package var prefixTokens: Int
    package var tokens: Int
    /// The run and everything that continues it.
    package var subtreeTokens: Int
    package var bytes: Int
    package var hits: Int
    /// Tokens that were not computed again thanks to this run, and the time that would have taken.
    package var savedTokens: Int
    package var savedSeconds: Double
    /// Running requests and pins that hold it.
    package var leases: Int
    package var ageSeconds: Double
    package var idleSeconds: Double
    package var tier: CacheTierName
    /// First tokens of the whole prefix, and the last ones of this run.
    package var head: [Int32]
    package var tail: [Int32]

    package init(
        node: Int, parent: Int?, cacheNamespace: String, prefixTokens: Int, tokens: Int, subtreeTokens: Int,
        bytes: Int, hits: Int, savedTokens: Int, savedSeconds: Double, leases: Int, ageSeconds: Double,
        idleSeconds: Double, tier: CacheTierName, head: [Int32], tail: [Int32]
    ) {
        self.node = node
        self.parent = parent
        self.cacheNamespace = cacheNamespace
        self.prefixTokens = prefixTokens
        self.tokens = tokens
        self.subtreeTokens = subtreeTokens
        self.bytes = bytes
        self.hits = hits
        self.savedTokens = savedTokens
        self.savedSeconds = savedSeconds
        self.leases = leases
        self.ageSeconds = ageSeconds
        self.idleSeconds = idleSeconds
        self.tier = tier
        self.head = head
        self.tail = tail
    }
}
