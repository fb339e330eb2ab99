/// What may come inside of a JSON string that is not constrained (any more), computed once for a vocabulary. Every
/// automaton of quoted texts comes to such states, for example where a name differs from all known names, and takes what
/// is below a trie node from here instead of walking it.
struct StringTail: Sendable {
    let fragment: MaskFragment
    /// The allowed tokens as ranges of ranks, ascending.
    let ranges: [(from: Int32, to: Int32)]

    /// The first range that ends beyond `rank`.
    func firstRange(endingAfter rank: Int32) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].to <= rank { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first exit beyond trie node `node`.
    func firstExit(after node: Int32) -> Int {
        var low = 0
        var high = fragment.exits.count
        while low < high {
            let middle = (low + high) / 2
            if fragment.exits[middle] <= node { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
