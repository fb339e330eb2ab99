import Compute
import Dispatch
import EngineInterface
import PrefixCache
import Scheduling
import Synchronization

/// Carries out the scheduler's orders on threads of its own; answers come back through the mailbox. On the engine
/// thread it does no more than copy pages that go down.
///
/// Three threads, so that a question is not kept waiting by a load, nor a load by a write.
final class TierDriver {
    private let tiers: [any CacheTier]
    private let cache: KVCache
    private let mailbox: Mailbox
    private let staging: StagingMemory
    private let asking = DispatchQueue(label: "radish.tiers.asking", qos: .userInitiated)
    private let reading = DispatchQueue(label: "radish.tiers.reading", qos: .userInitiated)
    private let writing = DispatchQueue(label: "radish.tiers.writing", qos: .utility)
    private var flags: [Int: CancelFlag] = [:]
    private let counters: TierCounters
    /// Memory for pages on their way down.
    private static let stagingBytes = 256 << 20

    init(tiers: [any CacheTier], cache: KVCache, mailbox: Mailbox) {
        self.tiers = tiers
        self.cache = cache
        self.mailbox = mailbox
        staging = StagingMemory(pageBytes: cache.layout.bytesPerPage, bytes: Self.stagingBytes)
        counters = TierCounters(tiers: tiers.count)
        writing.async { for tier in tiers { tier.maintain() } }
    }

    func carryOut(_ orders: [TierOrder], _ scheduler: Scheduler) {
        var copies: [PageBuffer] = []
        for order in orders {
            switch order {
            case .store(let page, let key):
                if let bytes = cache.hostBytes(ofPage: page),
                    let copy = staging.copy(of: UnsafeRawBufferPointer(bytes), key: key)
                {
                    copies.append(copy)
                } else {
                    scheduler.notStored(page: page)
                    counters.add(unstored: 1)
                }
            case .probe(let fetch, let keys): ask(fetch, keys)
            case .load(let fetch, let pages): load(fetch, pages)
            case .cancel(let fetch): flags[fetch]?.raise()
            case .touch(let keys):
                writing.async { [tiers] in for tier in tiers { tier.touch(keys) } }
            }
        }
        if !copies.isEmpty { store(copies) }
    }

    /// The answer to a load has been read.
    func forget(fetch: Int) { flags[fetch] = nil }

    /// Hands down what the pool alone has, and returns when nothing is on its way any more: from now on the pool's
    /// memory is nobody else's.
    func finish(_ scheduler: Scheduler) {
        for flag in flags.values { flag.raise() }
        while true {
            let orders = scheduler.takeUnstoredPages(limit: staging.limit)
            if orders.isEmpty { break }
            writing.sync {}
            carryOut(orders, scheduler)
        }
        asking.sync {}
        reading.sync {}
        writing.sync {}
    }

    /// What only the threads know, added to the scheduler's numbers.
    func complete(_ statistics: inout EngineStatistics) {
        for (index, tier) in tiers.enumerated() where index < statistics.tiers.count {
            let storage = tier.statistics
            statistics.tiers[index].pages = storage.pages
            statistics.tiers[index].bytes = storage.bytes
            statistics.tiers[index].refusedPages = storage.refusedPages
            statistics.tiers[index].evictedPages = storage.evictedPages
            (statistics.tiers[index].storedPages, statistics.tiers[index].unstoredPages) = counters.of(index)
        }
    }

    private func ask(_ fetch: Int, _ keys: [PageKey]) {
        asking.async { [tiers, mailbox] in
            let start = ContinuousClock.now
            var found: [Int] = []
            for (index, tier) in tiers.enumerated() where found.count < keys.count {
                // The next tier may go on where this one ends.
                found += Array(repeating: index, count: tier.find(keys[found.count...]))
            }
            _ = mailbox.post(.probed(fetch: fetch, tiers: found, seconds: seconds(since: start)))
        }
    }

    private func load(_ fetch: Int, _ pages: [TierPage]) {
        let flag = CancelFlag()
        flags[fetch] = flag
        let buffers = pages.compactMap { page in
            cache.hostBytes(ofPage: page.page).map { PageBuffer(key: page.key, bytes: $0) }
        }
        let sources = pages.map(\.tier)
        reading.async { [tiers, mailbox] in
            var times = [Double](repeating: 0, count: tiers.count)
            var done = 0
            while done < buffers.count {
                let tier = sources[done]
                let end = sources[done...].firstIndex { $0 != tier } ?? buffers.count
                let start = ContinuousClock.now
                let count = tiers[tier].load(buffers[done..<end], while: { !flag.isRaised })
                times[tier] += seconds(since: start)
                done += count
                if done < end { break }
            }
            _ = mailbox.post(.loaded(fetch: fetch, pages: done, seconds: times))
        }
    }

    private func store(_ copies: [PageBuffer]) {
        writing.async { [tiers, staging, counters] in
            for (index, tier) in tiers.enumerated() {
                let count = tier.store(copies)
                counters.add(tier: index, stored: count, unstored: copies.count - count)
            }
            staging.giveBack(copies)
        }
    }
}

private func seconds(since start: ContinuousClock.Instant) -> Double {
    start.duration(to: ContinuousClock.now) / .seconds(1)
}

/// Set by the engine thread, read by the one that loads.
private final class CancelFlag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}

private final class TierCounters: Sendable {
    private let values: Mutex<[(stored: Int, unstored: Int)]>

    init(tiers: Int) { values = Mutex(Array(repeating: (0, 0), count: tiers)) }

    func add(tier: Int, stored: Int, unstored: Int) {
        values.withLock { values in
            values[tier].stored += stored
            values[tier].unstored += unstored
        }
    }

    /// In all tiers.
    func add(unstored: Int) {
        values.withLock { values in for tier in values.indices { values[tier].unstored += unstored } }
    }

    func of(_ tier: Int) -> (stored: Int, unstored: Int) { values.withLock { $0[tier] } }
}
