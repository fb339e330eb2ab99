/// The tokens below one trie node that one leaf state allows, whatever comes after the leaf, and the trie nodes at which
/// the leaf may end with more of a token to come. Only the latter depend on the context.
final class MaskFragment: Sendable {
    enum Tokens: Sendable {
        case few([Int32])
        /// A whole mask.
        case many([UInt64])
    }

    let tokens: Tokens
    /// Trie nodes, ascending.
    let exits: [Int32]

    init(tokens: Tokens, exits: [Int32]) {
        self.tokens = tokens
        self.exits = exits
    }

    var byteCount: Int {
        switch tokens {
        case .few(let list): 96 + list.count * 4 + exits.count * 4
        case .many(let words): 96 + words.count * 8 + exits.count * 4
        }
    }
}

/// Fragments by what they depend on, bounded in bytes: when it is full, the older half goes.
struct FragmentCache {
    struct Key: Hashable {
        var leaf: Int32
        var state: LeafAutomaton.State
        var node: Int32
        /// Exits are kept only where a child's byte is in one of these groups.
        var follow: UInt64
    }

    var limit = 4 << 20
    private var recent: [Key: MaskFragment] = [:]
    private var old: [Key: MaskFragment] = [:]
    private var recentBytes = 0
    private var oldBytes = 0

    var byteCount: Int { recentBytes + oldBytes }

    mutating func find(_ key: Key) -> MaskFragment? {
        if let found = recent[key] { return found }
        guard let found = old.removeValue(forKey: key) else { return nil }
        oldBytes -= found.byteCount + 64
        insert(key, found)
        return found
    }

    mutating func insert(_ key: Key, _ fragment: MaskFragment) {
        let size = fragment.byteCount + 64
        if recentBytes + size > limit / 2 {
            old = recent
            oldBytes = recentBytes
            recent = [:]
            recentBytes = 0
        }
        recent[key] = fragment
        recentBytes += size
    }
}
