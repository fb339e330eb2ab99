/// What the prefix cache did for one prompt, with a reason for everything that had to be computed.
package struct CacheReport: Sendable, Equatable {
    package var promptTokens: Int
    /// Tokens found, over all tiers.
    package var cachedTokens: Int
    /// The found tokens by where they were; sums to `cachedTokens`.
    package var tiers: [TierTokens]
    /// Of `cachedTokens`: computed by another request while this one waited for it.
    package var awaitedTokens = 0
    /// The tokens that were not found, by reason; sums to `promptTokens - cachedTokens`.
    package var missed: [MissedTokens] = []
    /// How long ago the first of the evicted tokens went, in seconds.
    package var evictedSecondsAgo: Double?
    /// Where the prompt leaves something that is cached; nil if nothing cached goes on differently from there.
    package var divergence: CacheDivergence?
    /// The tokens missed for a different salt are cached without any salt: not a secret of another tenant.
    package var saltMissIsPublic = false

    package init(promptTokens: Int, cachedTokens: Int) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        tiers = cachedTokens > 0 ? [TierTokens(tier: .memory, tokens: cachedTokens)] : []
    }

    /// The report as the owner of the request may see it: that another tenant has cached the same tokens under a salt
    /// of his own is not told. Operators see the report itself.
    package var forTenant: CacheReport {
        guard !saltMissIsPublic, let hidden = missed.firstIndex(where: { $0.reason == .saltDiffers }) else {
            return self
        }
        var report = self
        let tokens = report.missed.remove(at: hidden).tokens
        if let place = report.missed.firstIndex(where: { $0.reason == .firstSeen }) {
            report.missed[place].tokens += tokens
        } else {
            report.missed.append(MissedTokens(reason: .firstSeen, tokens: tokens))
        }
        return report
    }
}

/// Where cached tokens lie.
package enum CacheTierName: String, Sendable, CaseIterable {
    /// The KV pool the model reads.
    case memory
    /// Further main memory.
    case host
    case disk
    /// A server that several engines share.
    case remote
}

package struct TierTokens: Sendable, Equatable {
    package var tier: CacheTierName
    package var tokens: Int

    package init(tier: CacheTierName, tokens: Int) {
        self.tier = tier
        self.tokens = tokens
    }
}

/// Why a token of a prompt was not in the cache.
package enum MissReason: String, Sendable, CaseIterable {
    /// Nobody has sent it before, behind any prefix that is known.
    case firstSeen = "first_seen"
    /// It is cached, but behind a prefix that differs somewhere before it.
    case diverged
    /// It was cached and had to make room.
    case evicted
    /// It is cached under another salt.
    case saltDiffers = "salt_differs"
    /// Another request was computing it at that moment, but too little of it to be worth a wait.
    case inFlight = "in_flight"
    /// The last token of a prompt that is cached as a whole: it is always computed, to know what follows.
    case lastToken = "last_token"
}

package struct MissedTokens: Sendable, Equatable {
    package var reason: MissReason
    package var tokens: Int

    package init(reason: MissReason, tokens: Int) {
        self.reason = reason
        self.tokens = tokens
    }
}

/// The place where a prompt differs from what is cached.
package struct CacheDivergence: Sendable, Equatable {
    /// Index of the first token that differs.
    package var position: Int
    /// What is cached from there on; its beginning.
    package var cached: [Int32]
    /// Lengths of the differing parts, until both agree again (or end).
    package var differingPromptTokens: Int
    package var differingCachedTokens: Int
    /// Prompt tokens behind the difference that are cached too, behind the other text.
    package var sameAgainTokens: Int

    package init(
        position: Int, cached: [Int32], differingPromptTokens: Int, differingCachedTokens: Int, sameAgainTokens: Int
    ) {
        self.position = position
        self.cached = cached
        self.differingPromptTokens = differingPromptTokens
        self.differingCachedTokens = differingCachedTokens
        self.sameAgainTokens = sameAgainTokens
    }
}
