/// The byte automaton of a regular language in an encoding, deterministic, its states made as they are reached. A value:
/// copying one prepared for a vocabulary into a grammar costs nothing until the copy grows.
struct LeafAutomaton {
    typealias State = Int32

    static let dead: State = -1

    /// What lets a mask builder take a whole trie subtree at once: while at most `capacity` scalars come, all of them
    /// with bytes in `groups`, the automaton stays alive.
    struct Run {
        var groups: UInt64 = 0
        var capacity: UInt8 = 0
        /// Whether it may also end after some of these scalars.
        var mayEnd = false
    }

    private(set) var pool: RegularPool
    let decoder: ScalarDecoder
    let classes: Int
    let byteClass: [UInt8]
    /// `transitions[state * classes + byteClass[byte]]`; valid for filled states.
    private(set) var transitions: [State] = []
    private(set) var isFilled: [Bool] = []
    private(set) var isFinal: [Bool] = []
    /// Whether any byte leads on; valid for filled states.
    private(set) var continues: [Bool] = []
    /// Groups of the bytes that lead on; valid for filled states.
    private(set) var nextGroups: [UInt64] = []
    private(set) var runs: [Run] = []
    /// Whether some final state continues, so that the end of the leaf is not told by its own bytes.
    private(set) var hasOpenEnds = false
    /// Set when a limit was reached: missing states count as dead.
    private(set) var exceeded = false
    let start: State

    private var terms: [RegularPool.ID] = []
    private var positions: [UInt16] = []
    private var known: [UInt64: State] = [:]
    private let budget: Int
    private let maximumStates: Int
    /// States that differ only in counters beyond this many scalars have the same tokens.
    private let horizon: Int32

    /// - Parameter horizon: no token has more scalars than this.
    init(_ leaf: GrammarBuilder.Leaf, limits: GrammarLimits, horizon: Int) throws(GrammarError) {
        pool = RegularPool(terms: [leaf.language.term], maximumNodes: limits.maximumPatternNodes)
        let root = pool.node(leaf.language.term)
        decoder = ScalarDecoder(pool.alphabet, leaf.encoding)
        classes = decoder.byteClassCount
        byteClass = decoder.byteClass
        budget = limits.maximumPatternStates
        maximumStates = limits.maximumPatternStates * 4
        self.horizon = Int32(clamping: horizon + 1)
        start = 0
        let live = pool.isLive(root, budget: budget)
        if pool.exceeded {
            throw GrammarError.limitExceeded(bound: "maximumPatternNodes", limit: limits.maximumPatternNodes)
        }
        guard let live else {
            throw GrammarError.limitExceeded(bound: "maximumPatternStates", limit: limits.maximumPatternStates)
        }
        if !live { throw GrammarError.unsatisfiable }
        _ = state(root, decoder.start)
    }

    /// An estimate of the memory it holds.
    var byteCount: Int {
        transitions.count * 4 + isFilled.count * 60 + decoder.rows.count * 2 + pool.nodes.count * 120
            + pool.nodes.count * pool.alphabet.classCount
    }

    private mutating func state(_ term: RegularPool.ID, _ position: UInt16) -> State {
        let key = UInt64(UInt32(bitPattern: term)) << 16 | UInt64(position)
        if let state = known[key] { return state }
        if terms.count >= maximumStates {
            exceeded = true
            return Self.dead
        }
        let state = State(terms.count)
        known[key] = state
        terms.append(term)
        positions.append(position)
        isFilled.append(false)
        // The end of a quoted leaf is its own state: the empty text between two scalars that can no longer come.
        let final =
            decoder.quoted
            ? position == ScalarDecoder.finish : position == decoder.boundary && pool.isNullable[Int(term)]
        isFinal.append(final)
        continues.append(false)
        nextGroups.append(0)
        runs.append(Run())
        transitions.append(contentsOf: repeatElement(Self.dead, count: classes))
        return state
    }

    private mutating func isLive(_ term: RegularPool.ID) -> Bool {
        if term == pool.nothing { return false }
        guard let live = pool.isLive(term, budget: budget), !pool.exceeded else {
            exceeded = true
            return false
        }
        return live
    }

    /// Makes the transitions of `state`.
    mutating func fill(_ state: State) {
        let index = Int(state)
        if isFilled[index] { return }
        isFilled[index] = true
        let term = terms[index]
        let position = positions[index]
        if position == ScalarDecoder.finish { return }
        let row = pool.row(term)
        var liveClasses = ClassSet(count: pool.alphabet.classCount)
        for (number, target) in row.enumerated() where target != pool.nothing {
            if isLive(target) { liveClasses.insert(number) }
        }
        var leadsOn = [Bool](repeating: false, count: classes)
        for number in 0..<classes {
            let output = decoder.rows[Int(position) * classes + number]
            var target = Self.dead
            if output == ScalarDecoder.dead {
                continue
            } else if output == ScalarDecoder.finish {
                if pool.isNullable[Int(term)] { target = self.state(pool.emptyText, ScalarDecoder.finish) }
            } else if output & ScalarDecoder.outputBit != 0 {
                let scalarClass = Int(output & ~ScalarDecoder.outputBit)
                if liveClasses.contains(scalarClass) { target = self.state(row[scalarClass], decoder.boundary) }
            } else if position == decoder.start, decoder.quoted {
                target = self.state(term, output)
            } else if !decoder.reachable[Int(output)].intersection(liveClasses).isEmpty {
                target = self.state(term, output)
            }
            transitions[index * classes + number] = target
            leadsOn[number] = target != Self.dead
        }
        var groups: UInt64 = 0
        for byte in 0..<256 where leadsOn[Int(byteClass[byte])] { groups |= ByteGroups.bit(UInt8(byte)) }
        nextGroups[index] = groups
        continues[index] = groups != 0
        if isFinal[index], groups != 0 { hasOpenEnds = true }
        if position == decoder.boundary { runs[index] = run(of: term, row) }
    }

    @inline(__always)
    mutating func next(_ state: State, _ byte: UInt8) -> State {
        if !isFilled[Int(state)] { fill(state) }
        return transitions[Int(state) * classes + Int(byteClass[Int(byte)])]
    }

    // MARK: Runs

    private mutating func run(of term: RegularPool.ID, _ row: [RegularPool.ID]) -> Run {
        var loops = ClassSet(count: pool.alphabet.classCount)
        for (number, target) in row.enumerated() where target == term { loops.insert(number) }
        var best = Run(groups: groups(of: loops), capacity: 255, mayEnd: !decoder.quoted && pool.isNullable[Int(term)])
        if best.groups == 0 { best.capacity = 0 }
        if let (set, capacity, mayEnd) = counterRun(term) {
            let counted = Run(groups: groups(of: set), capacity: capacity, mayEnd: mayEnd && !decoder.quoted)
            if counted.groups.nonzeroBitCount > best.groups.nonzeroBitCount { best = counted }
        }
        return best
    }

    /// The widest counted set at the head of `term` or of one of its alternatives.
    private mutating func counterRun(_ term: RegularPool.ID) -> (ClassSet, UInt8, Bool)? {
        switch pool.nodes[Int(term)] {
        case .repetition(let operand, _, let high):
            guard case .set(let set) = pool.nodes[Int(operand)] else { return nil }
            return (pool.sets[Int(set)], high < 0 ? 255 : UInt8(min(high, 254)), true)
        case .concatenation(let head, let rest):
            guard let (set, capacity, _) = counterRun(head), isLive(rest) else { return nil }
            return (set, capacity, true)
        case .union(let parts):
            var best: (ClassSet, UInt8, Bool)?
            for part in parts {
                guard let candidate = counterRun(part) else { continue }
                if best == nil || candidate.1 > best?.1 ?? 0 { best = candidate }
            }
            // Other alternatives may end inside the run.
            return best.map { ($0.0, $0.1, true) }
        default: return nil
        }
    }

    /// The groups all of whose bytes, as scalars, are in `set`; the groups of non-ASCII bytes only if every non-ASCII
    /// scalar is.
    private func groups(of set: ClassSet) -> UInt64 {
        var result: UInt64 = 0
        var excluded: UInt64 = 0
        for byte in 0..<128 as Range<UInt8> {
            let output = decoder.rows[Int(byteClass[Int(byte)])]
            let inside =
                output != ScalarDecoder.dead && output & ScalarDecoder.outputBit != 0
                && set.contains(Int(output & ~ScalarDecoder.outputBit))
            if inside { result |= ByteGroups.bit(byte) } else { excluded |= ByteGroups.bit(byte) }
        }
        result &= ~excluded
        var all = true
        for (segment, scalarClass) in pool.alphabet.classes.enumerated()
        where scalarClass != Alphabet.none && pool.alphabet.end(ofSegment: segment) >= 0x80 {
            all = all && set.contains(Int(scalarClass))
        }
        return all ? result | ByteGroups.nonASCII : result
    }

    // MARK: Sharing

    /// A state with the same tokens as `state`, the same for all states that differ only beyond any token's reach.
    mutating func representative(of state: State) -> State {
        let position = positions[Int(state)]
        if position == ScalarDecoder.finish { return state }
        let clamped = pool.clamped(terms[Int(state)], to: horizon)
        return clamped == terms[Int(state)] ? state : self.state(clamped, position)
    }
}
