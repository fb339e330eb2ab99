/// Byte groups by byte class and by alphabet class.
struct GroupSummary {
    /// Groups of the bytes of each byte class.
    var byteGroups: [UInt64]
    /// The bytes of each byte class.
    var bytes: [ByteSet]
    /// Groups that a scalar of each alphabet class can show.
    var scalarGroups: [UInt64]
    /// Groups of ASCII bytes that stand for no scalar by themselves.
    var neverScalar: UInt64 = 0

    init(_ alphabet: Alphabet, _ decoder: ScalarDecoder) {
        byteGroups = [UInt64](repeating: 0, count: decoder.byteClassCount)
        bytes = [ByteSet](repeating: ByteSet(), count: decoder.byteClassCount)
        for byte in 0...255 as ClosedRange<UInt8> {
            byteGroups[Int(decoder.byteClass[Int(byte)])] |= ByteGroups.bit(byte)
            bytes[Int(decoder.byteClass[Int(byte)])].insert(byte)
        }
        scalarGroups = [UInt64](repeating: 0, count: alphabet.classCount)
        for byte in 0..<128 as Range<UInt8> {
            let output = decoder.rows[Int(decoder.byteClass[Int(byte)])]
            if output != ScalarDecoder.dead, output & ScalarDecoder.outputBit != 0 {
                scalarGroups[Int(output & ~ScalarDecoder.outputBit)] |= ByteGroups.bit(byte)
            } else {
                neverScalar |= ByteGroups.bit(byte)
            }
        }
        for (segment, scalarClass) in alphabet.classes.enumerated()
        where scalarClass != Alphabet.none && alphabet.end(ofSegment: segment) >= 0x80 {
            scalarGroups[Int(scalarClass)] |= ByteGroups.leads(
                max(0x80, alphabet.starts[segment]), alphabet.end(ofSegment: segment))
        }
    }
}

/// The byte automaton of a regular language in an encoding, deterministic, its states made as they are reached. A value:
/// copying one prepared for a vocabulary into a grammar costs nothing until the copy grows.
struct LeafAutomaton: Sendable {
    typealias State = Int32

    static let dead: State = -1

    /// What lets a mask builder take a whole trie subtree at once: while at most `capacity` scalars come, all of them
    /// with bytes in `groups`, the automaton stays alive.
    struct Run {
        var groups: UInt64 = 0
        /// 255 for no bound.
        var capacity: UInt8 = 0
        /// Whether it may also end after some of these scalars.
        var mayEnd = false
        /// How many scalars may come, whichever they are and however spelled, before it can die; 255 for no bound.
        var total: UInt8 = 0
    }

    /// What a mask builder asks of each state, side by side in memory.
    struct Info {
        var run = Run()
        /// The bytes that lead on, and their groups; valid for filled states.
        var next = ByteSet()
        var nextGroups: UInt64 = 0
        var isFilled = false
        var isFinal = false
        /// Whether it is inside of a JSON string and any text may follow.
        var isUniversal = false

        /// Whether any byte leads on; valid for filled states.
        var continues: Bool { nextGroups != 0 }
    }

    var pool: RegularPool
    let decoder: ScalarDecoder
    let classes: Int
    let byteClass: [UInt8]
    /// `transitions[state * classes + byteClass[byte]]`; valid for filled states.
    private(set) var transitions: [State] = []
    private(set) var infos: [Info] = []
    /// Whether some final state continues, so that the end of the leaf is not told by its own bytes.
    private(set) var hasOpenEnds = false
    /// Set when a limit was reached: missing states count as dead.
    private(set) var exceeded = false
    let start: State
    let admitsEscapes: Bool

    let summary: GroupSummary
    private var terms: [RegularPool.ID] = []
    private var positions: [UInt16] = []
    private var known: [UInt64: State] = [:]
    private let budget: Int
    private let maximumStates: Int
    /// States that differ only in counters beyond this many scalars have the same tokens.
    private let horizon: Int32

    /// The texts of a leaf that lists them; nothing of the regular machinery is used then.
    private let list: TextList?
    /// By state: which of the texts are left, and how much of them was read.
    private var listed: [TextList.Place] = []

    /// - Parameter horizon: no token has more scalars than this.
    init(_ leaf: GrammarBuilder.Leaf, limits: GrammarLimits, horizon: Int) throws(GrammarError) {
        switch leaf {
        case .language(let language, let encoding):
            try self.init(language, encoding, limits: limits, horizon: horizon)
        case .format(let format): try self.init(format.language, .jsonString, limits: limits, horizon: horizon)
        case .texts(let texts): self.init(TextList(texts), limits: limits)
        }
    }

    private static let noPool = RegularPool(terms: [], maximumNodes: 8)
    private static let noDecoder = ScalarDecoder(noPool.alphabet, .utf8)

    private init(_ list: TextList, limits: GrammarLimits) {
        self.list = list
        pool = Self.noPool
        decoder = Self.noDecoder
        summary = GroupSummary(pool.alphabet, decoder)
        classes = list.classes
        byteClass = list.byteClass
        budget = 0
        maximumStates = limits.maximumPatternStates * 4
        horizon = 0
        start = 0
        admitsEscapes = false
        _ = state(at: list.start)
    }

    private init(
        _ language: RegularLanguage, _ encoding: RegularEncoding, limits: GrammarLimits, horizon: Int
    ) throws(GrammarError) {
        list = nil
        pool = RegularPool(terms: [language.term], maximumNodes: limits.maximumPatternNodes)
        let root = pool.node(language.term)
        decoder = ScalarDecoder(pool.alphabet, encoding)
        classes = decoder.byteClassCount
        byteClass = decoder.byteClass
        summary = GroupSummary(pool.alphabet, decoder)
        budget = limits.maximumPatternStates
        maximumStates = limits.maximumPatternStates * 4
        self.horizon = Int32(clamping: horizon + 1)
        start = 0
        admitsEscapes = encoding == .jsonString
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
        transitions.count * 4 + infos.count * 96 + decoder.rows.count * 2 + pool.nodes.count * 120
            + pool.nodes.count * pool.alphabet.classCount + (list?.byteCount ?? 0)
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
        // The end of a quoted leaf is its own state: the empty text between two scalars that can no longer come.
        let final =
            decoder.quoted
            ? position == ScalarDecoder.finish : position == decoder.boundary && pool.isNullable[Int(term)]
        var info = Info()
        info.isFinal = final
        infos.append(info)
        transitions.append(contentsOf: repeatElement(Self.dead, count: classes))
        return state
    }

    private mutating func state(at place: TextList.Place) -> State {
        guard listed.count < maximumStates, let list else {
            exceeded = true
            return Self.dead
        }
        let state = State(listed.count)
        listed.append(place)
        var info = Info()
        info.isFinal = list.isEnd(place)
        info.nextGroups = list.groups(after: place)
        info.isFilled = !info.continues
        if info.isFinal, info.continues { hasOpenEnds = true }
        infos.append(info)
        transitions.append(contentsOf: repeatElement(Self.dead, count: classes))
        return state
    }

    mutating func isLive(_ term: RegularPool.ID) -> Bool {
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
        if infos[index].isFilled { return }
        infos[index].isFilled = true
        if let list {
            for (byte, place) in list.next(listed[index]) {
                transitions[index * classes + Int(byteClass[Int(byte)])] = self.state(at: place)
                infos[index].next.insert(byte)
            }
            return
        }
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
        var bytes = ByteSet()
        for number in 0..<classes where leadsOn[number] {
            groups |= summary.byteGroups[number]
            bytes.formUnion(summary.bytes[number])
        }
        infos[index].next = bytes
        infos[index].nextGroups = groups
        if infos[index].isFinal, groups != 0 { hasOpenEnds = true }
        infos[index].isUniversal = admitsEscapes && term == pool.anyText && position == decoder.boundary
        if position == decoder.boundary { infos[index].run = run(of: term, row) }
    }

    /// Where the bytes of each class lead from `state`, which is filled.
    func targets(of state: State) -> [State] {
        transitions[Int(state) * classes..<(Int(state) + 1) * classes].filter { $0 >= 0 }
    }

    @inline(__always)
    mutating func next(_ state: State, _ byte: UInt8) -> State {
        if !infos[Int(state)].isFilled { fill(state) }
        return transitions[Int(state) * classes + Int(byteClass[Int(byte)])]
    }

    // MARK: Sharing

    /// A state that counts the scalars of one set, no more than `high`, and tells by the next scalar where the run ends:
    /// the state without that bound allows the same tokens, except those that go beyond it.
    struct CountedRun {
        var high: Int
        var unbounded: State
        var groups: UInt64
        /// Whether it counts all scalars, however spelled.
        var isTotal: Bool
    }

    /// Nil when `state` is no such state.
    mutating func countedRun(_ state: State) -> CountedRun? {
        guard list == nil, positions[Int(state)] == decoder.boundary else { return nil }
        let term = terms[Int(state)]
        let head: RegularPool.ID
        var rest = pool.emptyText
        switch pool.nodes[Int(term)] {
        case .repetition: head = term
        case .concatenation(let first, let second): (head, rest) = (first, second)
        default: return nil
        }
        guard case .repetition(let operand, let low, let high) = pool.nodes[Int(head)], high >= 0,
            case .set(let set) = pool.nodes[Int(operand)]
        else { return nil }
        for (number, target) in pool.row(rest).enumerated()
        where target != pool.nothing && pool.sets[Int(set)].contains(number) { return nil }
        let groups = groups(of: pool.sets[Int(set)])
        let isTotal = admitsEscapes && pool.isEverything(pool.sets[Int(set)])
        let endless = pool.repetition(operand, low, -1)
        let joined = pool.concatenation(endless, rest)
        let free = self.state(joined, decoder.boundary)
        return free < 0 ? nil : CountedRun(high: Int(high), unbounded: free, groups: groups, isTotal: isTotal)
    }

    /// Whether `state` is inside of a quoted leaf and between two scalars.
    func isBetweenScalars(_ state: State) -> Bool {
        list == nil && decoder.quoted && positions[Int(state)] == decoder.boundary
    }

    /// The state after all of `bytes`, `dead` when they are not allowed.
    mutating func next(_ state: State, all bytes: ArraySlice<UInt8>) -> State {
        var state = state
        for byte in bytes {
            state = next(state, byte)
            if state < 0 { return state }
        }
        return state
    }

    /// A state with the same tokens as `state`, the same for all states that differ only beyond any token's reach.
    mutating func representative(of state: State) -> State {
        if list != nil { return state }
        let position = positions[Int(state)]
        if position == ScalarDecoder.finish { return state }
        let clamped = pool.clamped(terms[Int(state)], to: horizon)
        return clamped == terms[Int(state)] ? state : self.state(clamped, position)
    }
}
