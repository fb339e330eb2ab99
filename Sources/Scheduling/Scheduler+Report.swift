package import EngineInterface
package import PrefixCache

extension Scheduler {
    /// Tells the owner of a request that has been admitted for the first time what the cache held, and counts it.
    func reportStart(_ sequence: SequenceState, _ match: Match, now: Double) {
        sequence.hasStarted = true
        sequence.cachedTokens = match.length
        var report = report(
            on: sequence.tokens, match, namespace: sequence.namespace, promptTokens: sequence.prompt.count, now: now)
        let hits = tierHits(of: sequence, matched: match.length)
        if !hits.isEmpty {
            let inMemory = match.length - hits.reduce(0) { $0 + $1.tokens }
            report.tiers = (inMemory > 0 ? [TierTokens(tier: .memory, tokens: inMemory)] : []) + hits
        }
        // What was loaded from a tier meanwhile was not computed by another.
        report.awaitedTokens = max(
            0, match.length - max(sequence.firstMatch, sequence.loadedEnd(configuration.pageSize)))
        if report.awaitedTokens > 0 { counters.inFlightWaits += 1 }
        counters.promptTokens += sequence.prompt.count
        counters.cachedPromptTokens += match.length
        counters.awaitedTokens += report.awaitedTokens
        for found in report.tiers { counters.cachedTokensByTier[found.tier, default: 0] += found.tokens }
        for missed in report.missed { counters.missedTokensByReason[missed.reason, default: 0] += missed.tokens }
        undelivered.append(event(sequence, .started(report)))
    }

    /// What would be found of a prompt at this moment. Changes nothing.
    package func probe(_ prompt: [Int32], namespace: Namespace, now: Double) -> CacheReport {
        let match = cache.match(prompt, limit: prompt.count - 1, namespace: namespace, after: nil)
        return report(on: prompt, match, namespace: namespace, promptTokens: prompt.count, now: now)
    }

    private func report(
        on tokens: [Int32], _ match: Match, namespace: Namespace, promptTokens: Int, now: Double
    ) -> CacheReport {
        var report = CacheReport(promptTokens: promptTokens, cachedTokens: match.length)
        let limit = promptTokens - 1
        guard match.length < limit else {
            if match.length < promptTokens { report.missed = [MissedTokens(reason: .lastToken, tokens: 1)] }
            return report
        }
        let facts = cache.explain(match, of: tokens, limit: limit, namespace: namespace)
        let sharing = inFlight.computing(tokens, from: match.length, namespace: namespace, minimum: 1, known: nil)
        let inFlightTokens = min(limit, sharing?.commonTokens ?? 0) - match.length
        var rest = promptTokens - match.length
        func add(_ reason: MissReason, _ tokens: Int) {
            let tokens = min(tokens, rest)
            if tokens <= 0 { return }
            report.missed.append(MissedTokens(reason: reason, tokens: tokens))
            rest -= tokens
        }
        // Of several reasons for the same tokens the one that explains most of them.
        let longest = max(facts.evictedTokens, facts.otherNamespaceTokens, inFlightTokens)
        if longest > 0 {
            if longest == facts.evictedTokens {
                add(.evicted, longest)
                report.evictedSecondsAgo = facts.evictedAt.map { max(0, now - $0) }
            } else if longest == inFlightTokens {
                add(.inFlight, longest)
            } else {
                add(.saltDiffers, longest)
                report.saltMissIsPublic = facts.sharedNamespaceTokens == longest
            }
        }
        if let divergence = facts.divergence {
            report.divergence = CacheDivergence(
                position: match.length, cached: divergence.cached,
                differingPromptTokens: divergence.differing.prompt, differingCachedTokens: divergence.differing.cached,
                sameAgainTokens: divergence.sameAgain)
            if longest <= 0 { add(.diverged, divergence.sameAgain) }
        }
        add(.firstSeen, rest)
        return report
    }

    /// What is cached, sorted.
    package func prefixes(
        _ order: PrefixOrder, limit: Int, previewTokens: Int, bytesPerToken: Int, now: Double
    ) -> [CachedPrefixInformation] {
        let perToken = counters.prefillTokens > 0 ? counters.prefillSeconds / Double(counters.prefillTokens) : 0
        var found = cache.prefixes()
        switch order {
        case .saved: found.sort { ($0.savedTokens, $0.tokens) > ($1.savedTokens, $1.tokens) }
        case .tokens: found.sort { ($0.prefixTokens, $0.tokens) > ($1.prefixTokens, $1.tokens) }
        case .hits: found.sort { ($0.hits, $0.tokens) > ($1.hits, $1.tokens) }
        case .recent: found.sort { ($0.lastUse, $0.tokens) > ($1.lastUse, $1.tokens) }
        }
        return found.prefix(limit).map { prefix in
            let (head, tail) = cache.tokens(of: prefix, limit: previewTokens)
            return CachedPrefixInformation(
                node: Int(prefix.node), parent: prefix.parent == noNode ? nil : Int(prefix.parent),
                cacheNamespace: prefix.namespace.salt, prefixTokens: prefix.prefixTokens, tokens: prefix.tokens,
                subtreeTokens: prefix.subtreeTokens, bytes: prefix.pages * configuration.pageSize * bytesPerToken,
                hits: prefix.hits, savedTokens: prefix.savedTokens,
                savedSeconds: Double(prefix.savedTokens) * perToken, leases: prefix.leases,
                ageSeconds: now - prefix.createdAt, idleSeconds: max(0, now - prefix.lastUse), tier: .memory,
                head: head, tail: Array(tail.suffix(prefix.tokens)))
        }
    }

    /// Tells how long a step took, to know what a token of prompt costs.
    package func noteStep(rows: Int, prefillRows: Int, seconds: Double) {
        // A step of mostly prompt; one that also decodes for others would say little.
        guard prefillRows >= 16, prefillRows * 2 > rows else { return }
        counters.prefillTokens += prefillRows
        counters.prefillSeconds += seconds
    }
}
