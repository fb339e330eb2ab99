import PrefixCache

/// Drives a cache as a scheduler and a runner would, over a memory that remembers in every slot which prefix the slot
/// belongs to. Every rule of page ownership is checked where it could be broken; the first breach is kept.
struct TreeDriver {
    /// One sequence that holds pages.
    final class Holder {
        let namespace: Namespace
        var tokens: [Int32]
        var fed: Int
        var held = HeldPages()
        var lease: Lease?

        init(namespace: Namespace, tokens: [Int32], fed: Int) {
            self.namespace = namespace
            self.tokens = tokens
            self.fed = fed
        }
    }

    var tree: RadixTree
    let pageSize: Int
    /// Digest of the prefix that ends in the slot: keys and values depend on all tokens before.
    private var memory: [[UInt64]]
    var holders: [Holder] = []
    /// Every prefix that was ever published, as the naive model of the tree.
    var published: [(namespace: Namespace, tokens: [Int32])] = []
    var time = 0.0
    var copies = 0
    private(set) var breach: String?

    init(pageSize: Int, totalPages: Int, policy: EvictionPolicyName = .lru) {
        tree = RadixTree(pageSize: pageSize, totalPages: totalPages, policy: policy.policy)
        self.pageSize = pageSize
        memory = Array(repeating: Array(repeating: 0, count: pageSize), count: totalPages)
    }

    mutating func fail(_ text: String) { if breach == nil { breach = text } }

    /// Starts a sequence on the longest cached prefix.
    /// - Returns: nil if the copy of the half page found no room.
    @discardableResult
    mutating func begin(_ tokens: [Int32], _ namespace: Namespace = .shared) -> Holder? {
        time += 1
        let match = tree.match(tokens, limit: tokens.count, namespace: namespace, after: nil)
        let holder = Holder(namespace: namespace, tokens: tokens, fed: match.length)
        let lease = tree.lease(match, held: &holder.held, now: time)
        if let tail = tree.tail(of: match) {
            guard tree.allocate(1, for: &holder.held, now: time), let own = holder.held.table.last else {
                tree.release(lease, held: &holder.held, now: time)
                return nil
            }
            for slot in 0..<tail.tokens { memory[Int(own)][slot] = memory[Int(tail.page)][slot] }
            copies += 1
        } else if match.length % pageSize != 0 {
            fail("a match of \(match.length) tokens has no source for its half page")
        }
        holder.lease = consume lease
        holders.append(holder)
        check(holder)
        return holder
    }

    /// Feeds and publishes the next tokens.
    /// - Returns: false if there was no room.
    @discardableResult
    mutating func feed(_ holder: Holder, _ count: Int, publishing: Bool = true) -> Bool {
        time += 1
        let end = holder.fed + count
        let missing = (end + pageSize - 1) / pageSize - holder.held.table.count
        if missing > 0, !tree.allocate(missing, for: &holder.held, now: time) { return false }
        let readable = tree.publishedSlots()
        let digests = digests(holder, upTo: end)
        for position in holder.fed..<end {
            let page = holder.held.table[position / pageSize]
            if position % pageSize < readable[page, default: 0] {
                fail("position \(position) overwrites a published slot of page \(page)")
            }
            memory[Int(page)][position % pageSize] = digests[position]
        }
        holder.fed = end
        if publishing { publish(holder) }
        check(holder)
        return true
    }

    mutating func publish(_ holder: Holder) {
        guard let lease = holder.lease.take() else { return }
        holder.lease = tree.publish(
            holder.tokens, count: holder.fed, namespace: holder.namespace, held: &holder.held, lease: lease, now: time)
        published.append((holder.namespace, Array(holder.tokens[..<holder.fed])))
    }

    mutating func end(_ holder: Holder) {
        time += 1
        guard let lease = holder.lease.take() else { return }
        tree.release(lease, held: &holder.held, now: time)
        holders.removeAll { $0 === holder }
    }

    /// What a cache that stores every prefix would find.
    func naiveMatch(_ tokens: [Int32], _ namespace: Namespace) -> Int {
        var longest = 0
        for entry in published where entry.namespace == namespace {
            longest = max(longest, zip(entry.tokens, tokens).prefix { $0 == $1 }.count)
        }
        return longest
    }

    /// Every slot that a sequence reads holds the keys and values of its own prefix.
    mutating func check(_ holder: Holder) {
        let digests = digests(holder, upTo: holder.fed)
        for position in 0..<holder.fed {
            let page = Int(holder.held.table[position / pageSize])
            if memory[page][position % pageSize] != digests[position] {
                fail("position \(position) of \(holder.tokens) is wrong in page \(page)")
                return
            }
        }
    }

    mutating func checkAll() {
        for holder in holders { check(holder) }
        for text in tree.violations() { fail(text) }
        let pool = tree.pool
        if pool.free + pool.cached + pool.leased != pool.total { fail("accounting") }
        if Set(holders.flatMap(\.held.table)).count != pool.leased {
            fail("\(pool.leased) pages are leased, page tables hold \(Set(holders.flatMap(\.held.table)).count)")
        }
    }

    private func digests(_ holder: Holder, upTo count: Int) -> [UInt64] {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in holder.namespace.salt.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return holder.tokens[..<count].map { token in
            value = (value ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01B3
            value ^= value >> 29
            return value
        }
    }
}
