import Synchronization

/// One text being matched against a grammar. A value: copying it forks the text.
package struct GrammarMatcher: Sendable {
    package let grammar: CompiledGrammar
    /// The state after each accepted step, the start first.
    private var states: [Int32]
    /// Stands for "ended by an end token" in `states`.
    private static let ended: Int32 = -1

    init(_ grammar: CompiledGrammar) {
        self.grammar = grammar
        states = [grammar.start]
    }

    var state: Int32 { states[states.count - 1] }

    /// How many steps (accepted tokens and byte runs) can be rolled back.
    package var stepCount: Int { states.count - 1 }

    /// Whether an end token has been accepted; nothing is allowed after it.
    package var isTerminated: Bool { state == Self.ended }

    /// Whether the text may end here, that is, whether end tokens are allowed.
    package var canEnd: Bool {
        if isTerminated { return false }
        return grammar.store.withLock { $0.states[Int(state)].finishes }
    }

    /// Whether nothing but the end can follow.
    package var mustEnd: Bool {
        if isTerminated { return true }
        return grammar.store.withLock { $0.states[Int(state)].configurations.isEmpty }
    }

    /// Takes one token. False, and nothing changes, when the grammar does not allow it here.
    package mutating func accept(_ token: Int32) -> Bool {
        if isTerminated { return false }
        if grammar.vocabulary.isEnd(token) {
            if canEnd {
                states.append(Self.ended)
                return true
            }
        }
        let bytes = grammar.vocabulary.bytes(of: token)
        return bytes.isEmpty ? false : accept(bytes: bytes)
    }

    /// Takes bytes of text as one step, of any length. False, and nothing changes, when the grammar does not allow them.
    package mutating func accept(bytes: some Sequence<UInt8>) -> Bool {
        if isTerminated { return false }
        let from = state
        let next: Int32? = grammar.store.withLock { store in
            var key = store.states[Int(from)]
            for byte in bytes {
                key = store.step(key, byte)
                if key.configurations.isEmpty, !key.finishes { return nil }
            }
            return store.intern(key.configurations, finishes: key.finishes)
        }
        guard let next else { return false }
        states.append(next)
        return true
    }

    /// How many of `tokens`, in order, the grammar allows from here; nothing changes.
    package func acceptedPrefix(of tokens: some Sequence<Int32>) -> Int {
        var copy = self
        var count = 0
        for token in tokens {
            if !copy.accept(token) { break }
            count += 1
        }
        return count
    }

    /// Takes back the last `count` steps.
    package mutating func rollback(_ count: Int) { states.removeLast(min(count, states.count - 1)) }

    /// Starts over.
    package mutating func reset() { states = [grammar.start] }

    /// Sets exactly the bits of the tokens that may come next. After the end no token may.
    package func fill(_ mask: inout TokenMask) { fill(&mask.words) }

    /// As `fill(_:)`, into a caller's words: bit `id & 63` of word `id >> 6`, at least `vocabulary.size` bits.
    package func fill(_ words: inout [UInt64]) {
        if isTerminated {
            for index in words.indices { words[index] = 0 }
            return
        }
        grammar.store.withLock { $0.fill(&words, state) }
    }

    /// The bytes that must come next because the grammar leaves no choice, at most `limit`; empty where it leaves one,
    /// and where the text may end. A forced special token shows as no bytes; see `forcedToken`.
    package func forcedBytes(limit: Int = 1_024) -> [UInt8] {
        if isTerminated { return [] }
        return grammar.store.withLock { $0.forcedBytes(state, limit: limit) }
    }

    /// The special token that must come next, nil when none must.
    package var forcedToken: Int32? {
        if isTerminated { return nil }
        let spelling = grammar.store.withLock { $0.forcedRun(state, limit: 5) }
        return SpecialTokenBytes.id(from: spelling)
    }
}

extension GrammarStore {
    mutating func forcedBytes(_ state: Int32, limit: Int) -> [UInt8] {
        let run = forcedRun(state, limit: limit)
        return run.firstIndex(of: 0xFF).map { Array(run[..<$0]) } ?? run
    }

    mutating func forcedRun(_ state: Int32, limit: Int) -> [UInt8] {
        var key = states[Int(state)]
        var run: [UInt8] = []
        while run.count < limit, !key.finishes, let byte = onlyByte(key) {
            run.append(byte)
            key = step(key, byte)
        }
        return run
    }

    private mutating func onlyByte(_ key: StateKey) -> UInt8? {
        var only: UInt8?
        for configuration in key.configurations {
            let terminal = configuration.terminal
            if terminal.isLeaf {
                let state = LeafAutomaton.State(terminal.position)
                leaves[terminal.index].fill(state)
                guard leaves[terminal.index].infos[Int(state)].nextGroups.nonzeroBitCount == 1 else { return nil }
                for byte in 0...255 as ClosedRange<UInt8> where leaves[terminal.index].next(state, byte) >= 0 {
                    if let only, only != byte { return nil }
                    only = byte
                }
            } else {
                let byte = literals[terminal.position]
                if let only, only != byte { return nil }
                only = byte
            }
        }
        return only
    }
}
