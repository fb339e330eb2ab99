extension MaskFragment {
    /// The fragment of the counting state `state`, made from this one of the same run without its upper bound: only
    /// tokens with more scalars than the bound can differ, and of these only those that leave the run need a walk.
    func bounded(
        by run: LeafAutomaton.CountedRun, _ leaf: inout LeafAutomaton, _ state: LeafAutomaton.State,
        _ vocabulary: TokenVocabulary
    ) -> MaskFragment {
        let trie = vocabulary.trie
        var kept = exits
        kept.removeAll { exit in
            let node = trie.nodes[Int(exit)]
            let path = vocabulary.bytes(of: trie.tokens[Int(node.rank)]).prefix(Int(node.depth))
            let end = leaf.next(state, all: path)
            return end < 0 || !leaf.infos[Int(end)].isFinal
        }
        switch tokens {
        case .few(let ids):
            return MaskFragment(
                tokens: .few(ids.filter { leaf.next(state, all: vocabulary.bytes(of: $0)) >= 0 }), exits: kept)
        case .many(var words) where run.isTotal && run.high < vocabulary.lengths.longer.count:
            let longer = vocabulary.lengths.longer[run.high]
            for index in words.indices {
                var marked = words[index] & longer[index] & vocabulary.lengths.marked[index]
                words[index] &= ~longer[index]
                while marked != 0 {
                    let id = Int32(index * 64 + marked.trailingZeroBitCount)
                    if leaf.next(state, all: vocabulary.bytes(of: id)) >= 0 { words[index] |= marked & ~(marked - 1) }
                    marked &= marked - 1
                }
            }
            return MaskFragment(tokens: .many(words), exits: kept)
        case .many(var words):
            let count = run.high < trie.longerCount.count ? Int(trie.longerCount[run.high]) : 0
            for rank in trie.longestFirst[..<count] {
                let id = trie.tokens[Int(rank)]
                let bit: UInt64 = 1 << UInt64(id & 63)
                if words[Int(id) >> 6] & bit == 0 { continue }
                if trie.tokenGroups[Int(rank)] & ~run.groups != 0,
                    leaf.next(state, all: vocabulary.bytes(of: id)) >= 0
                {
                    continue
                }
                words[Int(id) >> 6] &= ~bit
            }
            return MaskFragment(tokens: .many(words), exits: kept)
        }
    }
}
