import PrefixCache

/// Pages on their way from the lower tiers into the pool, for one waiting request.
final class TierFetch {
    enum Phase {
        /// The tiers have been asked what they have.
        case asked
        /// They have the pages; there was no room in the pool yet.
        case found
        /// Pages of the pool are being filled.
        case loading
    }

    let id: Int
    /// Nil once the request has ended or no longer waits.
    var sequence: SequenceState?
    let namespace: Namespace
    /// The tokens of the pages, from position 0.
    let tokens: [Int32]
    let askedAt: Double
    var phase = Phase.asked
    /// Number of the first page to load.
    var firstPage: Int
    /// Keys from `firstPage` on.
    var keys: [PageKey]
    /// Which tier has each of them; fewer than `keys` if the tiers lack some.
    var tiers: [Int] = []
    /// While loading.
    var lease: Lease?
    var held = HeldPages()

    init(
        id: Int, sequence: SequenceState, namespace: Namespace, tokens: [Int32], firstPage: Int, keys: [PageKey],
        now: Double
    ) {
        self.id = id
        self.sequence = sequence
        self.namespace = namespace
        self.tokens = tokens
        self.firstPage = firstPage
        self.keys = keys
        askedAt = now
    }
}

/// All that the scheduler keeps of the lower tiers.
struct Tiering {
    let settings: TierSettings
    var ledger: TierLedger
    var speeds: TierSpeeds
    var orders: [TierOrder] = []
    var fetches: [Int: TierFetch] = [:]
    /// Keys that are being loaded, and by which fetch.
    var loading: [PageKey: Int] = [:]
    var nextFetch = 0
    /// Sums since start.
    var hitTokens: [Int]
    var loadedPages: [Int]
    /// Pages that a tier had and that were computed because reading them is slower.
    var slowerPages: [Int]

    init(_ settings: TierSettings, pages: Int) {
        self.settings = settings
        ledger = TierLedger(pages: pages)
        let count = settings.names.count
        speeds = TierSpeeds(tiers: count)
        hitTokens = Array(repeating: 0, count: count)
        loadedPages = hitTokens
        slowerPages = hitTokens
    }

    mutating func takeOrders() -> [TierOrder] {
        if orders.isEmpty { return [] }
        defer { orders.removeAll(keepingCapacity: true) }
        return orders
    }
}
