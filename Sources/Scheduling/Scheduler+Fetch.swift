import EngineInterface
import PrefixCache

// How pages come up from the lower tiers. A waiting request whose prefix is not in the pool asks for the missing pages
// when it is queued; what the tiers have is loaded into pages of the pool while others run, and published to the tree
// like computed tokens. Then the request is admitted as if it had been cached all along.
extension Scheduler {
    /// Asks the tiers for what the pool lacks of a request that has just begun to wait.
    func beginFetch(_ sequence: SequenceState, now: Double) {
        guard tiering != nil else { return }
        abandonFetch(of: sequence)
        let size = configuration.pageSize
        let first = sequence.refreshMatch(in: cache).length / size
        sequence.expectedPages = first
        sequence.fetchesBegun += 1
        let end = sequence.tokens.count / size
        guard let settings = tiering?.settings, end - first >= max(1, settings.minimumPages) else { return }
        let keys = extendKeys(of: sequence, to: end)
        if let other = tiering?.loading[keys[first]] {
            sequence.awaitedFetch = other
            sequence.fetchDeadline = now + settings.patienceSeconds
            return
        }
        let id = tiering?.nextFetch ?? 0
        tiering?.nextFetch += 1
        let fetch = TierFetch(
            id: id, sequence: sequence, namespace: sequence.namespace, tokens: Array(sequence.tokens[..<(end * size)]),
            firstPage: first, keys: Array(keys[first..<end]), now: now)
        tiering?.fetches[id] = fetch
        tiering?.orders.append(.probe(fetch: id, keys: fetch.keys))
        sequence.fetch = fetch
        sequence.fetchDeadline = now + settings.patienceSeconds
    }

    /// The answer to `TierOrder.probe`.
    /// - Parameters:
    ///   - tiers: for each leading page that is there, the tier that has it.
    ///   - seconds: how long finding out took.
    package func probed(fetch id: Int, tiers: [Int], seconds: Double, now: Double) {
        guard let fetch = tiering?.fetches[id], fetch.phase == .asked else { return }
        tiering?.speeds.learnAsking(seconds: seconds)
        guard fetch.sequence != nil else {
            tiering?.fetches[id] = nil
            return
        }
        fetch.tiers = worthReading(tiers)
        if fetch.tiers.isEmpty { drop(fetch, now: now) } else { fetch.phase = .found }
    }

    /// The leading pages that are read faster than they are computed.
    private func worthReading(_ tiers: [Int]) -> [Int] {
        var count = 0
        while count < tiers.count {
            let tier = tiers[count]
            let run = tiers[count...].prefix { $0 == tier }.count
            let computing = pacing.seconds(forPromptRows: run * configuration.pageSize)
            guard tiering?.speeds.pays(tier: tier, pages: run, computing: computing) == true else {
                tiering?.slowerPages[tier] += run
                break
            }
            count += run
        }
        return Array(tiers[..<count])
    }

    /// Starts the loading of what was found and has room now. Comes first in a plan: a page that is evicted for a load
    /// must not be the source of a copy of the same plan.
    func planLoads(now: Double) {
        guard tiering?.fetches.isEmpty == false else { return }
        var reserve = running.reduce(0) { $0 + pagesStillNeeded($1) }
        for sequence in queue.waiting {
            guard let fetch = sequence.fetch, fetch.phase == .found else { continue }
            if startLoad(fetch, of: sequence, reserve: reserve, now: now) {
                reserve += max(0, pages(for: sequence.tokens.count) - fetch.held.table.count)
            }
        }
        noteFreedPages()
    }

    private func startLoad(_ fetch: TierFetch, of sequence: SequenceState, reserve: Int, now: Double) -> Bool {
        let match = sequence.refreshMatch(in: cache)
        let first = match.length / configuration.pageSize
        guard first >= fetch.firstPage, first < fetch.firstPage + fetch.tiers.count else {
            // Meanwhile computed by another, or evicted: what was asked for no longer follows on what is here.
            drop(fetch, now: now)
            return false
        }
        let done = first - fetch.firstPage
        fetch.keys.removeFirst(done)
        fetch.tiers.removeFirst(done)
        fetch.firstPage = first
        if let other = tiering?.loading[fetch.keys[0]] {
            drop(fetch, now: now)
            sequence.awaitedFetch = other
            return false
        }
        let count = fetch.tiers.count
        let isAlone = running.isEmpty && tiering?.loading.isEmpty == true
        var held = HeldPages()
        let lease = cache.lease(match, held: &held, now: now)
        // The same room that admission will ask for, the loaded pages included.
        let fits = isAlone || availablePages >= reserve + pagesStillNeeded(sequence) - first
        guard fits, cache.allocate(count, for: &held, now: now) else {
            cache.release(lease, held: &held, now: now)
            // With nobody else to wait for, there will never be more room.
            if isAlone { drop(fetch, now: now) }
            return false
        }
        noteFreedPages()
        fetch.lease = consume lease
        fetch.held = held
        fetch.phase = .loading
        var wanted: [TierPage] = []
        for (index, tier) in fetch.tiers.enumerated() {
            wanted.append(TierPage(page: held.table[first + index], key: fetch.keys[index], tier: tier))
            tiering?.loading[fetch.keys[index]] = fetch.id
        }
        tiering?.orders.append(.load(fetch: fetch.id, pages: wanted))
        return true
    }

    /// The answer to `TierOrder.load`.
    /// - Parameters:
    ///   - count: leading pages that are filled and checked.
    ///   - seconds: for each tier, how long reading from it took.
    package func loaded(fetch id: Int, pages count: Int, seconds: [Double], now: Double) {
        requireNoStep("loaded")
        guard let fetch = tiering?.fetches[id], fetch.phase == .loading, let lease = fetch.lease.take() else { return }
        let size = configuration.pageSize
        for key in fetch.keys { tiering?.loading[key] = nil }
        let perTier = fetch.tiers[..<count].reduce(into: [Int](repeating: 0, count: seconds.count)) { $0[$1] += 1 }
        for (tier, pages) in perTier.enumerated() where pages > 0 {
            tiering?.loadedPages[tier] += pages
            tiering?.speeds.learnReading(tier: tier, seconds: seconds[tier], pages: pages)
        }
        if count > 0 {
            let published = cache.publish(
                fetch.tokens, count: (fetch.firstPage + count) * size, namespace: fetch.namespace, held: &fetch.held,
                lease: lease, now: now)
            for (index, key) in fetch.keys[..<count].enumerated() {
                let page = fetch.held.table[fetch.firstPage + index]
                tiering?.ledger.learn(page, key: key)
                _ = tiering?.ledger.markStored(page)
            }
            fetch.sequence?.loaded.append((fetch.firstPage, Array(fetch.tiers[..<count])))
            fetch.sequence?.expectedPages = fetch.firstPage + count
            cache.release(published, held: &fetch.held, now: now)
        } else {
            cache.release(lease, held: &fetch.held, now: now)
        }
        noteFreedPages()
        drop(fetch, now: now)
    }

    /// Whether a waiting request should be passed by for now, because pages are on their way.
    func mustAwaitTier(_ sequence: SequenceState, now: Double) -> Bool {
        guard tiering != nil else { return false }
        if sequence.fetch == nil, sequence.awaitedFetch == nil {
            // What it counted on may have been evicted since; not for ever, or it would never start.
            guard sequence.fetchesBegun < 4,
                sequence.refreshMatch(in: cache).length / configuration.pageSize < sequence.expectedPages
            else { return false }
            beginFetch(sequence, now: now)
            return sequence.fetch != nil || sequence.awaitedFetch != nil
        }
        if now < sequence.fetchDeadline { return true }
        abandonFetch(of: sequence)
        return false
    }

    /// Of the tokens a request was admitted with, those that were loaded for it.
    func tierHits(of sequence: SequenceState, matched: Int) -> [TierTokens] {
        guard let names = tiering?.settings.names, !sequence.loaded.isEmpty else { return [] }
        let size = configuration.pageSize
        var tokens = [Int](repeating: 0, count: names.count)
        for (firstPage, tiers) in sequence.loaded {
            for (index, tier) in tiers.enumerated() {
                tokens[tier] += min(size, max(0, matched - (firstPage + index) * size))
            }
        }
        // Pages that were loaded, evicted and loaded again count once.
        var left = matched
        for tier in tokens.indices {
            tokens[tier] = min(tokens[tier], left)
            left -= tokens[tier]
            tiering?.hitTokens[tier] += tokens[tier]
        }
        return zip(names, tokens).filter { $0.1 > 0 }.map { TierTokens(tier: $0, tokens: $1) }
    }

    /// The request computes for itself or has ended. Pages that are being filled stay taken until the answer comes.
    func abandonFetch(of sequence: SequenceState) {
        sequence.awaitedFetch = nil
        guard let fetch = sequence.fetch else { return }
        sequence.fetch = nil
        fetch.sequence = nil
        if fetch.phase == .loading {
            tiering?.orders.append(.cancel(fetch: fetch.id))
        } else {
            tiering?.fetches[fetch.id] = nil
        }
    }

    /// Ends a fetch; who waited for its pages looks again.
    private func drop(_ fetch: TierFetch, now: Double) {
        tiering?.fetches[fetch.id] = nil
        fetch.sequence?.fetch = nil
        fetch.sequence = nil
        for sequence in queue.waiting where sequence.awaitedFetch == fetch.id {
            sequence.awaitedFetch = nil
            beginFetch(sequence, now: now)
        }
    }

    var awaitsTiers: Bool { tiering?.fetches.isEmpty == false }

    /// When a request that waits for a tier loses patience; nil if none does. The next plan is due then.
    package var nextDeadline: Double? {
        guard tiering?.fetches.isEmpty == false else { return nil }
        return queue.waiting.lazy.filter { $0.fetch != nil || $0.awaitedFetch != nil }.map(\.fetchDeadline).min()
    }
}
