import PrefixCache
import Scheduling
import TestSupport

/// Lower tiers that answer late, forget pages at any time and fail in the middle of a load.
struct SimulatedTiers {
    private struct Answer {
        var fetch: Int
        /// Of a probe: the tier of each page. Of a load: the pages to fill, and how many really get there.
        var found: [Int]
        var pages: [TierPage] = []
        var contents: [[UInt64]] = []
        var isLoad: Bool
    }
    private var stores: [[PageKey: [UInt64]]]
    private var pending: [Answer] = []
    private var random: SeededGenerator
    /// Of a hundred pages so many are lost on the way to or from a tier.
    var losses = 10
    private(set) var stored = 0
    private(set) var loaded = 0
    private(set) var failedLoads = 0
    private(set) var cancelled = 0

    init(tiers: Int, seed: UInt64) {
        stores = Array(repeating: [:], count: tiers)
        random = SeededGenerator(seed: seed)
    }

    var isBusy: Bool { !pending.isEmpty }

    /// A new server finds what the one before left.
    mutating func forgetRequests() { pending = [] }

    private mutating func isLost() -> Bool { Int.random(in: 0..<100, using: &random) < losses }

    /// Takes orders; `memory` has `size` slots for each page.
    mutating func take(_ orders: [TierOrder], memory: inout [UInt64], size: Int, from scheduler: Scheduler) -> String? {
        for order in orders {
            switch order {
            case .store(let page, let key):
                let contents = Array(memory[Int(page) * size..<(Int(page) + 1) * size])
                if contents.contains(0) { return "a page that was never filled is stored" }
                if isLost() {
                    scheduler.notStored(page: page)
                } else {
                    for tier in stores.indices {
                        if let other = stores[tier][key], other != contents { return "one key, two contents" }
                        if !isLost() { stores[tier][key] = contents }
                    }
                    stored += 1
                }
            case .probe(let fetch, let keys):
                let found = keys.map { key in stores.firstIndex { $0[key] != nil } }
                pending.append(
                    Answer(fetch: fetch, found: found.prefix { $0 != nil }.compactMap { $0 }, isLoad: false))
            case .load(let fetch, let pages):
                var contents: [[UInt64]] = []
                for page in pages {
                    // From now on the memory is the tier's.
                    for slot in 0..<size { memory[Int(page.page) * size + slot] = UInt64.max }
                    guard contents.count == pages.firstIndex(of: page), !isLost(),
                        let stored = stores[page.tier][page.key]
                    else { continue }
                    contents.append(stored)
                }
                if contents.count < pages.count { failedLoads += 1 }
                pending.append(Answer(fetch: fetch, found: [], pages: pages, contents: contents, isLoad: true))
            case .cancel(let fetch):
                cancelled += 1
                for index in pending.indices where pending[index].fetch == fetch && pending[index].isLoad {
                    pending[index].contents = Array(pending[index].contents.prefix(1))
                }
            case .touch: break
            }
        }
        if isLost() {
            for tier in stores.indices {
                if let victim = stores[tier].keys.sorted(by: { $0.text < $1.text }).randomElement(using: &random) {
                    stores[tier][victim] = nil
                }
            }
        }
        return nil
    }

    /// Gives one of the outstanding answers, in any order.
    mutating func answer(_ scheduler: Scheduler, memory: inout [UInt64], size: Int, now: Double) {
        guard let index = pending.indices.randomElement(using: &random) else { return }
        let answer = pending.remove(at: index)
        guard answer.isLoad else {
            scheduler.probed(fetch: answer.fetch, tiers: answer.found, seconds: 0.001, now: now)
            return
        }
        for (page, contents) in zip(answer.pages, answer.contents) {
            for slot in 0..<size { memory[Int(page.page) * size + slot] = contents[slot] }
        }
        loaded += answer.contents.count
        scheduler.loaded(
            fetch: answer.fetch, pages: answer.contents.count,
            seconds: Array(repeating: 0.001, count: stores.count), now: now)
    }

    /// By a number from 0 on, for tests that decide by dice.
    mutating func dice(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }
}
