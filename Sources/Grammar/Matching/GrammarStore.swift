/// Everything that a compiled grammar makes while it is used: automata of leaves, continuations, states, pieces of
/// masks. All of it is derived from the arena and kept only once; `CompiledGrammar` guards it with a lock.
///
/// Text is matched as by a nondeterministic pushdown automaton. A *configuration* is a terminal (a place in a literal,
/// or a state of a leaf's automaton) and a continuation: what comes after it. A continuation is an item (a place in the
/// arena) and the continuation after that; equal ones have one id. A *state* is a set of configurations, nearly always
/// of one.
struct GrammarStore {
    /// A place in a literal or in a leaf's automaton.
    struct Terminal: Hashable {
        /// Bit 63: a leaf. Bits 32 to 62: where the literal ends in `literals`, or the leaf's place in `leaves`. The
        /// rest: the next byte's place in `literals`, or the automaton's state.
        var bits: UInt64

        static func literal(_ next: Int, end: Int) -> Terminal { Terminal(bits: UInt64(end) << 32 | UInt64(next)) }

        static func leaf(_ leaf: Int, _ state: LeafAutomaton.State) -> Terminal {
            Terminal(bits: 1 << 63 | UInt64(leaf) << 32 | UInt64(UInt32(bitPattern: state)))
        }

        var isLeaf: Bool { bits >> 63 != 0 }
        var index: Int { Int(bits >> 32 & 0x7FFF_FFFF) }
        var position: Int { Int(bits & 0xFFFF_FFFF) }
    }

    struct Configuration: Hashable {
        var terminal: Terminal
        var continuation: Int32
    }

    /// A place in the arena that is not a terminal.
    struct Item: Hashable {
        enum Kind: UInt8 { case expression, sequence, repetition }
        var kind: Kind
        var node: Int32
        /// Index of the next child, or how often the operand has been matched.
        var count: Int32
    }

    struct Continuation: Hashable {
        var item: Item
        var parent: Int32
    }

    /// What follows once a continuation's turn comes.
    struct Resumption {
        var configurations: [Configuration]
        /// Whether the whole text may end here.
        var finishes: Bool
    }

    struct StateKey: Hashable {
        var configurations: [Configuration]
        var finishes: Bool
    }

    let vocabulary: TokenVocabulary
    var builder: GrammarBuilder
    var leaves: [LeafAutomaton] = []
    /// Place in `leaves` of each leaf of the arena: -1 not made yet, -2 matches nothing.
    private var leafPlaces: [Int32] = []
    /// The bytes of all literals met so far.
    private(set) var literals: [UInt8] = []
    /// Place in `literals` of each literal of the arena, -1 not met yet.
    private var literalPlaces: [Int32] = []
    /// Nodes of the arena that no text matches.
    var deadNodes: Set<Int32> = []
    var nullability: [Int32: Bool] = [:]
    /// What went wrong while a lazy part was made; the part then counts as matching nothing.
    var failure: GrammarError?

    /// Entry 0 is the end of the text.
    var continuations: [Continuation] = [Continuation(item: Item(kind: .expression, node: 0, count: 0), parent: -1)]
    var continuationIDs: [Continuation: Int32] = [:]
    /// How many continuations each has below itself.
    private(set) var depths: [Int32] = [0]
    var resumptions: [Resumption?] = [Resumption(configurations: [], finishes: true)]
    /// Groups of the bytes that a continuation can start with, 0 until asked for.
    var followGroups: [UInt64] = [0]

    var states: [StateKey] = []
    var stateIDs: [StateKey: Int32] = [:]
    var fragments = FragmentCache()
    /// Fragments below the trie's root that came with the vocabulary, by place in `leaves`.
    private(set) var preparedFragments: [Int32: [LeafAutomaton.State: MaskFragment]] = [:]
    var endings = TerminalEndings()

    init(_ ir: GrammarIR, _ vocabulary: TokenVocabulary) {
        self.vocabulary = vocabulary
        builder = ir.builder
        fragments.limit = ir.builder.limits.maximumCacheBytes
    }

    // MARK: Parts made on first use

    /// The place of the automaton of leaf `index`, nil when the leaf matches nothing.
    mutating func prepareLeaf(_ index: Int) -> Int? {
        while leafPlaces.count < builder.leaves.count { leafPlaces.append(-1) }
        if leafPlaces[index] != -1 { return leafPlaces[index] < 0 ? nil : Int(leafPlaces[index]) }
        leafPlaces[index] = -2
        let leaf = builder.leaves[index]
        do throws(GrammarError) {
            if let prepared = vocabulary.preparedLeaf(leaf) {
                leaves.append(prepared.automaton)
                preparedFragments[Int32(leaves.count - 1)] = prepared.fragments
            } else {
                leaves.append(
                    try LeafAutomaton(leaf, limits: builder.limits, horizon: vocabulary.trie.maximumDepth))
            }
        } catch {
            if error != .unsatisfiable, failure == nil { failure = error }
            return nil
        }
        leafPlaces[index] = Int32(leaves.count - 1)
        return leaves.count - 1
    }

    private mutating func terminal(ofLiteral node: Int32, _ bytes: [UInt8]) -> Terminal {
        while literalPlaces.count < builder.nodes.count { literalPlaces.append(-1) }
        if literalPlaces[Int(node)] < 0 {
            literalPlaces[Int(node)] = Int32(literals.count)
            literals += bytes
        }
        let start = Int(literalPlaces[Int(node)])
        return .literal(start, end: start + bytes.count)
    }

    mutating func body(ofRule rule: Int32) -> Int32 {
        do throws(GrammarError) {
            if builder.exceedsLimit {
                throw .limitExceeded(bound: "maximumExpressions", limit: builder.limits.maximumExpressions)
            }
            return try builder.body(ofRule: rule)
        } catch {
            if failure == nil { failure = error }
            return GrammarBuilder.never.id
        }
    }

    /// Whether `node` matches the empty text.
    mutating func isNullable(_ node: Int32) -> Bool {
        var open: Set<Int32> = []
        return isNullable(node, &open)
    }

    private mutating func isNullable(_ node: Int32, _ open: inout Set<Int32>) -> Bool {
        if let known = nullability[node] { return known }
        if !open.insert(node).inserted { return false }
        defer { open.remove(node) }
        let result: Bool
        switch builder.nodes[Int(node)] {
        case .empty: result = true
        case .never, .bytes: result = false
        case .regular(let leaf):
            result = prepareLeaf(Int(leaf)).map { leaves[$0].infos[Int(leaves[$0].start)].isFinal } ?? false
        case .sequence(let parts): result = parts.allSatisfy { isNullable($0, &open) }
        case .choice(let parts): result = parts.contains { isNullable($0, &open) }
        case .repetition(let part, let low, _): result = low == 0 || isNullable(part, &open)
        case .rule(let rule): result = isNullable(body(ofRule: rule), &open)
        }
        // An answer found inside a cycle may rest on the guess above; only a yes is certain then.
        if result || open.count == 1 { nullability[node] = result }
        return result
    }

    // MARK: Continuations

    mutating func continuation(_ item: Item, _ parent: Int32) -> Int32 {
        let key = Continuation(item: item, parent: parent)
        if let id = continuationIDs[key] { return id }
        let id = Int32(continuations.count)
        continuations.append(key)
        continuationIDs[key] = id
        depths.append(depths[Int(parent)] + 1)
        resumptions.append(nil)
        followGroups.append(0)
        return id
    }

    /// What follows when the turn of `continuation` comes.
    mutating func resumption(_ continuation: Int32) -> Resumption {
        if let known = resumptions[Int(continuation)] { return known }
        let entry = continuations[Int(continuation)]
        let result = expand(entry.item, entry.parent)
        resumptions[Int(continuation)] = result
        return result
    }

    private struct Work: Hashable {
        var item: Item
        var parent: Int32
    }

    private static let maximumSteps = 200_000

    /// All terminals at which `item`, followed by `parent`, can start.
    mutating func expand(_ item: Item, _ parent: Int32) -> Resumption {
        var result = Resumption(configurations: [], finishes: false)
        var work = [Work(item: item, parent: parent)]
        // Repetitions of something that may be empty, begun at this very place: going round once more adds nothing.
        var begun: Set<Int32> = []
        var seen: Set<Work> = []
        var seenConfigurations: Set<Configuration> = []
        var steps = 0
        func complete(_ continuation: Int32) {
            if continuation == 0 {
                result.finishes = true
            } else if !begun.contains(continuation) {
                let entry = continuations[Int(continuation)]
                work.append(Work(item: entry.item, parent: entry.parent))
            }
        }
        func emit(_ terminal: Terminal, _ continuation: Int32) {
            let configuration = Configuration(terminal: terminal, continuation: continuation)
            let count = result.configurations.count
            if count < 12 {
                if !result.configurations.contains(configuration) { result.configurations.append(configuration) }
                return
            }
            if count == 12 { seenConfigurations = Set(result.configurations) }
            if seenConfigurations.insert(configuration).inserted { result.configurations.append(configuration) }
        }
        while let next = work.popLast() {
            steps += 1
            if steps > 16, !seen.insert(next).inserted { continue }
            if steps > Self.maximumSteps {
                if failure == nil { failure = .limitExceeded(bound: "maximumAlternatives", limit: Self.maximumSteps) }
                break
            }
            let node = next.item.node
            if deadNodes.contains(node) { continue }
            switch builder.nodes[Int(node)] {
            case .empty: complete(next.parent)
            case .never: break
            case .bytes(let bytes): emit(terminal(ofLiteral: node, bytes), next.parent)
            case .regular(let index):
                guard let place = prepareLeaf(Int(index)) else { continue }
                let start = leaves[place].start
                leaves[place].fill(start)
                let info = leaves[place].infos[Int(start)]
                if info.continues { emit(.leaf(place, start), next.parent) }
                if info.isFinal { complete(next.parent) }
            case .sequence(let parts):
                let place = Int(next.item.kind == .sequence ? next.item.count : 0)
                let after =
                    place + 1 < parts.count
                    ? continuation(Item(kind: .sequence, node: node, count: Int32(place + 1)), next.parent)
                    : next.parent
                work.append(Work(item: Item(kind: .expression, node: parts[place], count: 0), parent: after))
            case .choice(let parts):
                for part in parts.reversed() {
                    work.append(Work(item: Item(kind: .expression, node: part, count: 0), parent: next.parent))
                }
            case .repetition(let part, let minimum, let high):
                let count = next.item.kind == .repetition ? next.item.count : 0
                let mayBeEmpty = isNullable(part)
                let low = mayBeEmpty ? 0 : minimum
                if count >= low { complete(next.parent) }
                if high >= 0, count >= high { continue }
                var after = next.parent
                if high < 0 || count + 1 < high {
                    let reached = high < 0 ? min(count + 1, low) : count + 1
                    after = continuation(Item(kind: .repetition, node: node, count: reached), next.parent)
                    if mayBeEmpty { begun.insert(after) }
                }
                work.append(Work(item: Item(kind: .expression, node: part, count: 0), parent: after))
            case .rule(let rule):
                work.append(
                    Work(item: Item(kind: .expression, node: body(ofRule: rule), count: 0), parent: next.parent))
            }
        }
        return result
    }

    // MARK: States

    mutating func intern(_ configurations: [Configuration], finishes: Bool) -> Int32 {
        let key = StateKey(configurations: configurations, finishes: finishes)
        if let id = stateIDs[key] { return id }
        let id = Int32(states.count)
        states.append(key)
        stateIDs[key] = id
        return id
    }

    /// The configurations after `byte`; none when the byte is not allowed.
    mutating func step(_ key: StateKey, _ byte: UInt8) -> StateKey {
        var result = StateKey(configurations: [], finishes: false)
        for configuration in key.configurations { advance(configuration, byte, &result) }
        if result.configurations.count > 1 { Self.removeDuplicates(&result.configurations) }
        return result
    }

    private mutating func advance(_ configuration: Configuration, _ byte: UInt8, _ result: inout StateKey) {
        let terminal = configuration.terminal
        var ends = false
        if terminal.isLeaf {
            let place = terminal.index
            let state = leaves[place].next(LeafAutomaton.State(terminal.position), byte)
            if state < 0 { return }
            leaves[place].fill(state)
            let info = leaves[place].infos[Int(state)]
            if info.continues {
                result.configurations.append(
                    Configuration(terminal: .leaf(place, state), continuation: configuration.continuation))
            }
            ends = info.isFinal
        } else {
            if literals[terminal.position] != byte { return }
            ends = terminal.position + 1 == terminal.index
            if !ends {
                result.configurations.append(
                    Configuration(
                        terminal: .literal(terminal.position + 1, end: terminal.index),
                        continuation: configuration.continuation))
            }
        }
        if ends {
            let resumed = resumption(configuration.continuation)
            result.configurations += resumed.configurations
            result.finishes = result.finishes || resumed.finishes
        }
    }

    private static func removeDuplicates(_ configurations: inout [Configuration]) {
        if configurations.count <= 8 {
            var kept: [Configuration] = []
            for configuration in configurations where !kept.contains(configuration) { kept.append(configuration) }
            configurations = kept
        } else {
            var seen: Set<Configuration> = []
            configurations = configurations.filter { seen.insert($0).inserted }
        }
    }
}
