package import EngineInterface
import PrefixCache

/// The prefixes that are kept: each holds a lease like a running request's, so nothing of it is evicted.
struct PinTable {
    final class Pin {
        let id: String
        let namespace: Namespace
        /// Of full pages.
        let tokens: [Int32]
        /// Tokens that were asked for.
        var wanted: Int
        let createdAt: Double
        var expiresAt: Double?
        var yields: Bool
        var held = HeldPages()
        /// Nil once given back.
        var lease: Lease?

        init(_ request: PinRequest, namespace: Namespace, tokens: [Int32], wanted: Int, now: Double) {
            id = request.id
            self.namespace = namespace
            self.tokens = tokens
            self.wanted = wanted
            createdAt = now
            expiresAt = request.timeToLive.map { now + $0 }
            yields = request.yields
        }

        /// The order in which pins give way.
        static func < (a: Pin, b: Pin) -> Bool {
            if a.yields != b.yields { return a.yields }
            return (a.expiresAt ?? .infinity) < (b.expiresAt ?? .infinity)
        }
    }

    /// In order of creation.
    private(set) var pins: [Pin] = []
    /// How many pins keep a page: they may share some.
    private var uses: [Int32: Int] = [:]
    /// Pages that may be kept in all.
    let budget: Int

    init(budget: Int) { self.budget = budget }

    var isEmpty: Bool { pins.isEmpty }
    var pageCount: Int { uses.count }
    var pages: some Collection<Int32> { uses.keys }

    /// Keeps the full pages of `tokens`, as far as they are cached, or renews the pin that already does. Refuses what the
    /// budget has no room for.
    mutating func add(
        _ tokens: ArraySlice<Int32>, _ request: PinRequest, namespace: Namespace, in cache: inout any PageCache,
        now: Double
    ) {
        let wanted = tokens.count
        let tokens = Array(tokens.prefix(wanted / cache.pageSize * cache.pageSize))
        if tokens.isEmpty { return }
        if let same = pins.first(where: { $0.tokens == tokens && $0.namespace == namespace }) {
            return renew(same, request, wanted: wanted, now: now)
        }
        remove(id: request.id, in: &cache, now: now)
        let pin = Pin(request, namespace: namespace, tokens: tokens, wanted: wanted, now: now)
        let match = cache.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
        let lease = cache.protect(match, held: &pin.held, now: now)
        while !request.yields, !hasRoom(for: pin), let index = next(), pins[index].yields {
            release(pins.remove(at: index), in: &cache, now: now)
        }
        guard !pin.held.table.isEmpty, hasRoom(for: pin) else {
            cache.release(lease, held: &pin.held, now: now)
            return
        }
        pin.lease = consume lease
        for page in pin.held.table { uses[page, default: 0] += 1 }
        pins.append(pin)
    }

    private func hasRoom(for pin: Pin) -> Bool {
        uses.count + pin.held.table.count { uses[$0] == nil } <= budget
    }

    private func renew(_ pin: Pin, _ request: PinRequest, wanted: Int, now: Double) {
        let expiresAt = request.timeToLive.map { now + $0 }
        pin.wanted = wanted
        if request.yields {
            pin.expiresAt = pin.expiresAt.flatMap { old in expiresAt.map { max(old, $0) } }
        } else {
            pin.expiresAt = expiresAt
            pin.yields = false
        }
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

    /// Gives up the pin that would have expired first, of those without end the oldest; clients' wishes before others.
    /// - Returns: false if there is none.
    mutating func giveWay(in cache: inout any PageCache, now: Double) -> Bool {
        guard let index = next() else { return false }
        release(pins.remove(at: index), in: &cache, now: now)
        return true
    }

    private func next() -> Int? { pins.indices.min { pins[$0] < pins[$1] } }

    private mutating func release(_ pin: Pin, in cache: inout any PageCache, now: Double) {
        guard let lease = pin.lease.take() else { return }
        for page in pin.held.table {
            guard let count = uses[page] else { continue }
            uses[page] = count > 1 ? count - 1 : nil
        }
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
                id: pin.id, cacheNamespace: pin.namespace.salt, tokens: pin.wanted,
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
    func pinWhatIsWanted(_ sequence: SequenceState, now: Double) {
        if sequence.pins.isEmpty { return }
        func end(_ pin: PinRequest) -> Int { min(pin.tokens ?? .max, sequence.prompt.count) }
        for pin in sequence.pins where end(pin) <= sequence.fed {
            pins.add(sequence.prompt[..<end(pin)], pin, namespace: sequence.namespace, in: &cache, now: now)
        }
        sequence.pins.removeAll { end($0) <= sequence.fed }
    }
}
