/// What may come inside of a JSON string that is not constrained (any more), computed once for a vocabulary. Every
/// automaton of quoted texts comes to states that allow just this below a trie node, for example where a name differs from
/// all known names: there a walk need not go.
struct StringTail: Sendable {
    /// The allowed tokens, as a mask.
    let words: [UInt64]
    /// Trie nodes at which the string may end with more of a token to come, ascending.
    let exits: [Int32]

    /// The first exit beyond trie node `node`.
    func firstExit(after node: Int32) -> Int {
        var low = 0
        var high = exits.count
        while low < high {
            let middle = (low + high) / 2
            if exits[middle] <= node { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
