/// What of the pool is also in a lower tier: for each page its key, and whether it was handed down already. Ids only.
package struct TierLedger: Sendable {
    private var keys: [PageKey?]
    private var isStored: [Bool]

    package init(pages: Int) {
        keys = Array(repeating: nil, count: pages)
        isStored = Array(repeating: false, count: pages)
    }

    /// The page is full and published, and this is its key. What was known of other contents is forgotten.
    package mutating func learn(_ page: Int32, key: PageKey) {
        if keys[Int(page)] == key { return }
        keys[Int(page)] = key
        isStored[Int(page)] = false
    }

    package func key(of page: Int32) -> PageKey? { keys[Int(page)] }

    /// Notes that the page is in a tier, or on its way there.
    /// - Returns: false if that was known.
    package mutating func markStored(_ page: Int32) -> Bool {
        if isStored[Int(page)] { return false }
        isStored[Int(page)] = true
        return true
    }

    /// It was on its way and did not get there.
    package mutating func unmarkStored(_ page: Int32) { isStored[Int(page)] = false }

    package func isStored(_ page: Int32) -> Bool { isStored[Int(page)] }

    /// The page is free, its contents are nobody's any more.
    /// - Returns: its key if it is in no tier.
    package mutating func forget(_ page: Int32) -> PageKey? {
        defer {
            keys[Int(page)] = nil
            isStored[Int(page)] = false
        }
        return isStored[Int(page)] ? nil : keys[Int(page)]
    }
}
