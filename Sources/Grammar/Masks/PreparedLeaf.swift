/// The automaton of a leaf that many grammars have, made together with the vocabulary, and its first masks: every grammar
/// starts with a copy, which costs nothing until it grows.
struct PreparedLeaf: Sendable {
    private(set) var automaton: LeafAutomaton
    /// What the states allow, below the trie's root.
    private(set) var fragments: [LeafAutomaton.State: MaskFragment] = [:]

    /// States whose masks are made ahead, those nearest to the start. The walks for them reach most states that the first
    /// tokens lead to.
    private static let masksMade = 8
    /// States whose transitions are made ahead.
    private static let statesMade = 400

    /// Nil for a leaf that cannot be made.
    init?(_ leaf: GrammarBuilder.Leaf, _ trie: VocabularyTrie, _ everyToken: [UInt64], _ tail: StringTail?) {
        guard let made = try? LeafAutomaton(leaf, limits: GrammarLimits(), horizon: trie.maximumDepth) else {
            return nil
        }
        automaton = made
        var order = [automaton.start]
        var seen = Set(order)
        var next = 0
        while next < order.count, next < Self.statesMade {
            let state = automaton.representative(of: order[next])
            next += 1
            if next <= Self.masksMade, fragments[state] == nil {
                var walk = FragmentBuilder(tail: tail, for: automaton, state, below: 0)
                fragments[state] = walk.build(&automaton, state, trie, everyToken, below: 0, follow: .max)
            }
            automaton.fill(state)
            for target in automaton.targets(of: state) where seen.insert(target).inserted { order.append(target) }
        }
    }
}
