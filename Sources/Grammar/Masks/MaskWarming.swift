import Synchronization

extension CompiledGrammar {
    /// Builds ahead what the first masks need, nearest to the start first, until `time` is over or nothing is left.
    ///
    /// A mask's first use makes automaton states and lazy rules and walks the vocabulary, up to a millisecond in bad
    /// cases; afterwards it is microseconds. Called where the grammar was compiled, off the engine's thread; the lock is
    /// taken for one place of the grammar at a time, so a matcher that is in use meanwhile does not wait long.
    package func warm(for time: Duration) {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: time)
        var words = [UInt64](repeating: 0, count: (vocabulary.size + 63) / 64)
        var queue = store.withLock { $0.states[Int(start)].configurations }
        var seen: Set<GrammarStore.Terminal> = []
        var next = 0
        while next < queue.count, clock.now < deadline, !Task.isCancelled {
            let configuration = queue[next]
            next += 1
            if !seen.insert(configuration.terminal).inserted { continue }
            queue += store.withLock { $0.warm(configuration, &words) }
        }
    }
}

extension GrammarStore {
    /// Makes what a mask with `configuration` needs, and gives configurations that can come after it.
    mutating func warm(_ configuration: Configuration, _ words: inout [UInt64]) -> [Configuration] {
        add(configuration, below: 0, &words)
        let terminal = configuration.terminal
        if !terminal.isLeaf { return resumption(configuration.continuation).configurations }
        let place = terminal.index
        var found: [Configuration] = []
        var ends = false
        for number in 0..<leaves[place].classes {
            let target = leaves[place].transitions[terminal.position * leaves[place].classes + number]
            if target < 0 { continue }
            leaves[place].fill(target)
            let info = leaves[place].infos[Int(target)]
            ends = ends || info.isFinal
            let follower = Configuration(terminal: .leaf(place, target), continuation: configuration.continuation)
            if info.continues, !found.contains(follower) { found.append(follower) }
        }
        // What follows the leaf is met by every text, most of its inner states by few.
        return (ends ? resumption(configuration.continuation).configurations : []) + found
    }
}
