package import EngineInterface
import PrefixCache

/// The prefixes that are kept: each holds a lease like a running request's, so nothing of it is evicted.
struct PinTable {
    final class Pin {
        let id: String
        let namespace: Namespace
        let tokens: [Int32]
        let createdAt: Double
        var expiresAt: Double?
        var held = HeldPages()
        /// Nil once given back.
        var lease: Lease?

        init(id: String, namespace: Namespace, tokens: [Int32], createdAt: Double, expiresAt: Double?) {
            self.id = id
            self.namespace = namespace
            self.tokens = tokens
            self.createdAt = createdAt
            self.expiresAt = expiresAt
        }
    }

    /// In order of creation.
    private(set) var pins: [Pin] = []
    /// Pages that may be kept in all.
    let budget: Int

    init(budget: Int) { self.budget = budget }

    var isEmpty: Bool { pins.isEmpty }
    /// Pins may share pages.
    var pages: Set<Int32> { Set(pins.flatMap(\.held.table)) }

    /// Keeps `tokens`, as far as they are cached, or renews the pin that already does. Refuses what the budget has no
    /// room for.
    /// - Returns: whether the prefix is kept now.
    mutating func add(
        _ tokens: [Int32], id: String, namespace: Namespace, timeToLive: Double?, in cache: inout any PageCache,
        now: Double
    ) -> Bool {
        let expiresAt = timeToLive.map { now + $0 }
        if let same = pins.first(where: { $0.tokens == tokens && $0.namespace == namespace }) {
            same.expiresAt = expiresAt
            return true
        }
        remove(id: id, in: &cache, now: now)
        let match = cache.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
        let pin = Pin(id: id, namespace: namespace, tokens: tokens, createdAt: now, expiresAt: expiresAt)
        let lease = cache.protect(match, held: &pin.held, now: now)
        guard !pin.held.table.isEmpty, pages.union(pin.held.table).count <= budget else {
            cache.release(lease, held: &pin.held, now: now)
            return false
        }
        pin.lease = consume lease
        pins.append(pin)
        return true
    }

    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(id: String, in cache: inout any PageCache, now: Double) -> Bool {
        guard let index = pins.firstIndex(where: { $0.id == id }) else { return false }
        release(pins.remove(at: index), in: &cache, now: now)
        return true
    }

    mutating func removeExpired(in cache: inout any PageCache, now: Double) {
        guard pins.contains(where: { ($0.expiresAt ?? .infinity) <= now }) else { return }
        for pin in pins where (pin.expiresAt ?? .infinity) <= now { release(pin, in: &cache, now: now) }
        pins.removeAll { $0.lease == nil }
    }

    /// Gives up the pin that would have expired first, of those without end the oldest.
    /// - Returns: false if there is none.
    mutating func giveWay(in cache: inout any PageCache, now: Double) -> Bool {
        let order = pins.indices.min { (pins[$0].expiresAt ?? .infinity) < (pins[$1].expiresAt ?? .infinity) }
        guard let index = order else { return false }
        release(pins.remove(at: index), in: &cache, now: now)
        return true
    }

    private func release(_ pin: Pin, in cache: inout any PageCache, now: Double) {
        guard let lease = pin.lease.take() else { return }
        cache.release(lease, held: &pin.held, now: now)
    }
}

extension Scheduler {
    /// The prefixes that are kept.
    package func pinned(now: Double) -> [PinnedPrefix] {
        requireNoStep("pinned")
        pins.removeExpired(in: &cache, now: now)
        return pins.pins.map { pin in
            PinnedPrefix(
                id: pin.id, cacheNamespace: pin.namespace.salt, tokens: pin.tokens.count,
                pinnedTokens: pin.held.table.count * configuration.pageSize, pages: pin.held.table.count,
                ageSeconds: now - pin.createdAt, expiresInSeconds: pin.expiresAt.map { $0 - now },
                head: Array(pin.tokens.prefix(64)))
        }
    }

    /// Ends a pin.
    /// - Returns: false if there is none of that name.
    package func unpin(id: String, now: Double) -> Bool {
        requireNoStep("unpin")
        return pins.remove(id: id, in: &cache, now: now)
    }

    /// Keeps what a request asked to have kept, once it has been fed.
    func pinIfWanted(_ sequence: SequenceState, now: Double) {
        guard let pin = sequence.pin else { return }
        let count = min(pin.tokens ?? sequence.prompt.count, sequence.prompt.count)
        guard sequence.fed >= count, count > 0 else { return }
        sequence.pin = nil
        _ = pins.add(
            Array(sequence.prompt[..<count]), id: pin.id, namespace: sequence.namespace,
            timeToLive: pin.timeToLive, in: &cache, now: now)
    }
}
