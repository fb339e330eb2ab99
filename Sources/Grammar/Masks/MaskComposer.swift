extension GrammarStore {
    private static let everything = UInt64.max

    /// Sets the bits of the tokens that may come in `state`, and of the end tokens where the text may end.
    mutating func fill(_ words: inout [UInt64], _ state: Int32) {
        let key = states[Int(state)]
        for index in words.indices { words[index] = 0 }
        for configuration in key.configurations { add(configuration, below: 0, &words) }
        if key.finishes {
            for id in vocabulary.endTokens { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }
        }
    }

    /// Adds the tokens below trie node `node` that `configuration` allows.
    mutating func add(_ configuration: Configuration, below node: Int32, _ words: inout [UInt64]) {
        let terminal = configuration.terminal
        if !terminal.isLeaf {
            addLiteral(terminal, configuration.continuation, below: node, &words)
            return
        }
        let follow =
            leaves[terminal.index].hasOpenEnds ? follow(configuration.continuation) : Self.everything
        let fragment = fragment(terminal, below: node, follow: follow)
        switch fragment.tokens {
        case .few(let ids): for id in ids { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }
        case .many(let mask): for index in mask.indices { words[index] |= mask[index] }
        }
        if configuration.continuation == 0 || fragment.exits.isEmpty { return }
        let wanted = self.follow(configuration.continuation)
        for exit in fragment.exits where vocabulary.trie.childGroups[Int(exit)] & wanted != 0 {
            resume(configuration.continuation, below: exit, &words)
        }
    }

    private mutating func resume(_ continuation: Int32, below node: Int32, _ words: inout [UInt64]) {
        for next in resumption(continuation).configurations { add(next, below: node, &words) }
    }

    private mutating func addLiteral(
        _ terminal: Terminal, _ continuation: Int32, below node: Int32, _ words: inout [UInt64]
    ) {
        var node = node
        for place in terminal.position..<terminal.index {
            node = vocabulary.trie.child(of: node, literals[place])
            if node == 0 { return }
            for rank in vocabulary.trie.nodes[Int(node)].rank..<vocabulary.trie.nodes[Int(node) + 1].rank {
                let id = vocabulary.trie.tokens[Int(rank)]
                words[Int(id) >> 6] |= 1 << UInt64(id & 63)
            }
        }
        if continuation != 0, vocabulary.trie.childGroups[Int(node)] & follow(continuation) != 0 {
            resume(continuation, below: node, &words)
        }
    }

    private mutating func fragment(_ terminal: Terminal, below node: Int32, follow: UInt64) -> MaskFragment {
        let state = leaves[terminal.index].representative(of: LeafAutomaton.State(terminal.position))
        return fragment(terminal.index, state, below: node, follow: follow)
    }

    private mutating func fragment(
        _ place: Int, _ state: LeafAutomaton.State, below node: Int32, follow: UInt64
    ) -> MaskFragment {
        let key = FragmentCache.Key(leaf: Int32(place), state: state, node: node, follow: follow)
        if let known = fragments.find(key) { return known }
        if node == 0, let known = preparedFragments[Int32(place)]?[state] { return known }
        let fragment: MaskFragment
        if node == 0, let run = leaves[place].countedRun(state), run.high > 2 {
            let base = self.fragment(place, run.unbounded, below: node, follow: follow)
            fragment = base.bounded(by: run, &leaves[place], state, vocabulary)
        } else {
            var walk = FragmentBuilder(tail: vocabulary.stringTail, for: leaves[place], state, below: node)
            fragment = walk.build(
                &leaves[place], state, vocabulary.trie, vocabulary.everyToken, below: node, follow: follow)
        }
        fragments.insert(key, fragment)
        return fragment
    }

    /// Groups of the bytes that can come when the turn of `continuation` comes.
    mutating func follow(_ continuation: Int32) -> UInt64 {
        if followGroups[Int(continuation)] != 0 || continuation == 0 { return followGroups[Int(continuation)] }
        var groups: UInt64 = 0
        for next in resumption(continuation).configurations { groups |= firstGroups(next.terminal) }
        followGroups[Int(continuation)] = groups
        return groups
    }

    private mutating func firstGroups(_ terminal: Terminal) -> UInt64 {
        if terminal.isLeaf {
            leaves[terminal.index].fill(LeafAutomaton.State(terminal.position))
            return leaves[terminal.index].infos[terminal.position].nextGroups
        }
        return ByteGroups.bit(literals[terminal.position])
    }
}
