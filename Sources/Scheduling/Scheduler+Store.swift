import PrefixCache

// How pages go down to the lower tiers, by policy; see `TierWritePolicy`.
extension Scheduler {
    /// Orders for the tiers since the last call. Taken after each plan, answer and commit, before anything is written
    /// to the pool.
    package func takeTierOrders() -> [TierOrder] { tiering?.takeOrders() ?? [] }

    /// A `store` could not be carried out; the page may be offered again.
    package func notStored(page: Int32) { tiering?.ledger.unmarkStored(page) }

    func extendKeys(of sequence: SequenceState, to pages: Int) -> [PageKey] {
        if sequence.keys == nil, let fingerprint = tiering?.settings.fingerprint {
            sequence.keys = PageKeyChain(
                fingerprint: fingerprint, namespace: sequence.namespace, pageSize: configuration.pageSize)
        }
        sequence.keys?.extend(to: pages, tokens: sequence.tokens)
        return sequence.keys?.keys ?? []
    }

    /// Full pages of the sequence were published since the last call.
    func notePublished(_ sequence: SequenceState) {
        guard tiering != nil, cache.reuses else { return }
        let end = sequence.held.shared
        guard end > sequence.notedPages else { return }
        let keys = extendKeys(of: sequence, to: end)
        for number in sequence.notedPages..<end {
            let page = sequence.held.table[number]
            tiering?.ledger.learn(page, key: keys[number])
            if tiering?.settings.writePolicy == .writeThrough { store(page, keys[number]) }
        }
        sequence.notedPages = end
    }

    /// The sequence was admitted with these full pages from the pool.
    func noteReused(_ sequence: SequenceState) {
        guard tiering != nil, cache.reuses else { return }
        let end = sequence.held.shared
        sequence.notedPages = end
        guard end > 0 else { return }
        let keys = extendKeys(of: sequence, to: end)
        var used: [PageKey] = []
        for number in 0..<end {
            let page = sequence.held.table[number]
            tiering?.ledger.learn(page, key: keys[number])
            if tiering?.ledger.isStored(page) == true {
                used.append(keys[number])
            } else if tiering?.settings.writePolicy != .writeBack {
                store(page, keys[number])
            }
        }
        if !used.isEmpty { tiering?.orders.append(.touch(used)) }
    }

    private func store(_ page: Int32, _ key: PageKey) {
        if tiering?.ledger.markStored(page) == true { tiering?.orders.append(.store(page: page, key: key)) }
    }

    /// What only the pool has, and the policy would have written when it is evicted; for a server that ends. Pages that
    /// are handed out here count as stored unless `notStored` says otherwise.
    package func takeUnstoredPages(limit: Int) -> [TierOrder] {
        guard tiering?.settings.writePolicy == .writeBack else { return [] }
        var orders: [TierOrder] = []
        for page in 0..<Int32(configuration.totalPages) where orders.count < limit {
            guard let key = tiering?.ledger.key(of: page), tiering?.ledger.markStored(page) == true else { continue }
            orders.append(.store(page: page, key: key))
        }
        return orders
    }

    /// Pages that became free: their contents are still there until the next step, and go down if the policy waits for
    /// this moment.
    func noteFreedPages(keeping: Bool = true) {
        guard tiering != nil else { return }
        for page in cache.takeFreedPages() {
            guard let key = tiering?.ledger.forget(page), keeping, tiering?.settings.writePolicy == .writeBack else {
                continue
            }
            tiering?.orders.append(.store(page: page, key: key))
        }
    }
}
