/// A place below the KV pool that keeps pages: larger, slower, and alive when the server is not.
///
/// All calls may block and are made from tier threads, never from the engine's: one that asks (`find`), one that reads
/// (`load`) and one that writes (`store`, `touch`, `maintain`), at the same time. A tier is a cache, so nothing here throws: what does
/// not work is reported through `TierReport` and counts as not there. A page is either given back bit for bit or not
/// at all.
package protocol CacheTier: Sendable {
    /// For notices: `disk`, `redis`.
    var name: String { get }
    /// Whether it is on another machine, or may be.
    var isRemote: Bool { get }

    /// How many of the keys, from the first one on without gap, are there.
    func find(_ keys: ArraySlice<PageKey>) -> Int

    /// Fills the buffers in order until one cannot be filled.
    /// - Parameter goOn: asked between pages; false ends the loading early.
    /// - Returns: leading buffers that are filled and checked. What is in the others is undefined.
    func load(_ pages: ArraySlice<PageBuffer>, while goOn: () -> Bool) -> Int

    /// Keeps copies of the pages.
    /// - Returns: how many are there now.
    func store(_ pages: [PageBuffer]) -> Int

    /// Somebody used these pages in the pool: whoever forgets by age must not forget them first.
    func touch(_ keys: [PageKey])

    /// Called now and then on the writing thread, first right after the start.
    func maintain()

    var statistics: TierStorage { get }
}

/// A key and the memory of one page.
///
/// - Note: `@unchecked Sendable` because whoever makes one owns the memory exclusively until the tier has answered:
///   for `load` the pages are allocated to the fetch and nobody else's, for `store` they are copies.
package struct PageBuffer: @unchecked Sendable {
    package let key: PageKey
    package let bytes: UnsafeMutableRawBufferPointer

    package init(key: PageKey, bytes: UnsafeMutableRawBufferPointer) {
        self.key = key
        self.bytes = bytes
    }
}

/// What a tier holds, as far as it knows.
package struct TierStorage: Sendable, Equatable {
    package var pages = 0
    package var bytes = 0
    /// Pages that were found damaged or foreign, and not used.
    package var refusedPages = 0
    package var evictedPages = 0

    package init() {}
}

/// What a tier has to say to the operator.
package struct TierNotice: Sendable, Equatable {
    package enum Level: Sendable { case info, warning }
    package var level: Level
    package var tier: String
    package var text: String

    package init(_ level: Level, tier: String, _ text: String) {
        self.level = level
        self.tier = tier
        self.text = text
    }
}

/// Where notices go. Called from any thread.
package typealias TierReport = @Sendable (TierNotice) -> Void

/// When pages are written to the lower tiers; the names are SGLang's.
package enum TierWritePolicy: String, Sendable, CaseIterable {
    /// As soon as they are computed, so that they survive even a killed process.
    case writeThrough = "write_through"
    /// Once another request has used them.
    case writeThroughSelective = "write_through_selective"
    /// When they are evicted from the pool.
    case writeBack = "write_back"
}
