/// Walks the vocabulary trie with a leaf's automaton.
struct FragmentBuilder {
    private var states: [LeafAutomaton.State]
    private var ranges: [(from: Int32, to: Int32)] = []
    private var accepted = 0

    init(maximumDepth: Int) {
        states = [LeafAutomaton.State](repeating: LeafAutomaton.dead, count: maximumDepth + 2)
    }

    /// The fragment of `start` below trie node `node`.
    /// - Complexity: O(nodes reached); a subtree that a run of the state takes whole counts as one.
    mutating func build(
        _ leaf: inout LeafAutomaton, _ start: LeafAutomaton.State, _ vocabulary: TokenVocabulary, below node: Int32,
        follow: UInt64
    ) -> MaskFragment {
        let trie = vocabulary.trie
        ranges.removeAll(keepingCapacity: true)
        accepted = 0
        var exits: [Int32] = []
        leaf.fill(start)
        let base = trie.nodes[Int(node)]
        states[Int(base.depth)] = start
        if let run = swallowed(leaf, start, base, follow), run {
            accept(trie.nodes[Int(node) + 1].rank, trie.nodes[Int(base.end)].rank)
        } else {
            var index = Int(node) + 1
            let end = Int(base.end)
            while index < end {
                let entry = trie.nodes[index]
                let state = leaf.next(states[Int(entry.depth) - 1], entry.byte)
                if state < 0 {
                    index = Int(entry.end)
                    continue
                }
                leaf.fill(state)
                if leaf.isFinal[Int(state)], trie.childGroups[index] & follow != 0 { exits.append(Int32(index)) }
                if !leaf.continues[Int(state)] {
                    accept(entry.rank, trie.nodes[index + 1].rank)
                    index = Int(entry.end)
                } else if swallowed(leaf, state, entry, follow) == true {
                    accept(entry.rank, trie.nodes[Int(entry.end)].rank)
                    index = Int(entry.end)
                } else {
                    accept(entry.rank, trie.nodes[index + 1].rank)
                    states[Int(entry.depth)] = state
                    index += 1
                }
            }
        }
        return MaskFragment(tokens: tokens(vocabulary), exits: exits)
    }

    /// Whether everything below `entry` is allowed and nothing below it is an exit that matters.
    @inline(__always)
    private func swallowed(
        _ leaf: borrowing LeafAutomaton, _ state: LeafAutomaton.State, _ entry: VocabularyTrie.Node, _ follow: UInt64
    ) -> Bool? {
        let run = leaf.runs[Int(state)]
        return run.groups != 0 && entry.groups & ~run.groups == 0 && entry.isClean && entry.scalars <= run.capacity
            && (!run.mayEnd || entry.groups & follow == 0)
    }

    @inline(__always)
    private mutating func accept(_ from: Int32, _ to: Int32) {
        if from == to { return }
        accepted += Int(to - from)
        if let last = ranges.last, last.to == from {
            ranges[ranges.count - 1].to = to
        } else {
            ranges.append((from, to))
        }
    }

    private func tokens(_ vocabulary: TokenVocabulary) -> MaskFragment.Tokens {
        let ids = vocabulary.trie.tokens
        if accepted * 32 <= vocabulary.size {
            var list: [Int32] = []
            list.reserveCapacity(accepted)
            for range in ranges { list += ids[Int(range.from)..<Int(range.to)] }
            return .few(list)
        }
        var words: [UInt64]
        if accepted * 2 <= ids.count {
            words = [UInt64](repeating: 0, count: (vocabulary.size + 63) / 64)
            for range in ranges {
                for id in ids[Int(range.from)..<Int(range.to)] { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }
            }
        } else {
            words = vocabulary.everyToken
            var next: Int32 = 0
            for range in ranges + [(Int32(ids.count), Int32(ids.count))] {
                for id in ids[Int(next)..<Int(range.from)] { words[Int(id) >> 6] &= ~(1 << UInt64(id & 63)) }
                next = range.to
            }
        }
        return .many(words)
    }
}
