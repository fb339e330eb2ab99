package import EngineInterface
package import PrefixCache

/// What the engine has to do with the lower tiers, in the order given and before the next step writes to any page.
package enum TierOrder: Sendable, Equatable {
    /// Find out which leading ones of these pages a tier has; answered with `Scheduler.probed`.
    case probe(fetch: Int, keys: [PageKey])
    /// Fill these pages of the pool from the tiers; answered with `Scheduler.loaded`. Until then nobody else touches
    /// them.
    case load(fetch: Int, pages: [TierPage])
    /// Nobody waits for this fetch any more: answer soon, with what is there.
    case cancel(fetch: Int)
    /// Copy the page now and hand the copy to the tiers; if that cannot be done, say so with `Scheduler.notStored`.
    case store(page: Int32, key: PageKey)
    /// These pages were used from the pool.
    case touch([PageKey])
}

package struct TierPage: Sendable, Equatable {
    package var page: Int32
    package var key: PageKey
    /// Index of the tier that has it.
    package var tier: Int

    package init(page: Int32, key: PageKey, tier: Int) {
        self.page = page
        self.key = key
        self.tier = tier
    }
}

/// What the scheduler has to know of the lower tiers.
package struct TierSettings: Sendable {
    package var fingerprint: TierFingerprint
    /// The tiers, fastest first.
    package var names: [CacheTierName]
    package var writePolicy = TierWritePolicy.writeThrough
    /// A request waits for its pages at most so long; then it computes them.
    package var patienceSeconds = 5.0
    /// Fewer missing pages than this are computed without asking.
    package var minimumPages = 1

    package init(fingerprint: TierFingerprint, names: [CacheTierName]) {
        self.fingerprint = fingerprint
        self.names = names
    }
}
