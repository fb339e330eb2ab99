/// Walks the vocabulary trie with a leaf's automaton.
struct FragmentBuilder {
    private var ranges: [(from: Int32, to: Int32)] = []
    private var open: (from: Int32, to: Int32) = (0, 0)
    private var exits: [Int32] = []
    private var accepted = 0
    /// What every state inside of an unconstrained JSON string allows; nil when it does not apply to this walk.
    private let tail: StringTail?

    init() { tail = nil }

    /// For a walk from `state` below trie node `node`. The tail was walked from the root, inside of a quoted leaf and
    /// between two scalars: a walk that starts elsewhere reads the same bytes otherwise, and does without.
    init(tail: StringTail?, for leaf: LeafAutomaton, _ state: LeafAutomaton.State, below node: Int32) {
        self.tail = node == 0 && leaf.isBetweenScalars(state) ? tail : nil
    }

    /// The fragment of `start` below trie node `node`.
    /// - Complexity: O(nodes reached); a subtree that a run of the state takes whole counts as one.
    mutating func build(
        _ leaf: inout LeafAutomaton, _ start: LeafAutomaton.State, _ trie: VocabularyTrie, _ everyToken: [UInt64],
        below node: Int32, follow: UInt64
    ) -> MaskFragment {
        let base = trie.nodes[Int(node)]
        leaf.fill(start)
        if let tail, leaf.infos[Int(start)].isUniversal { return tail.fragment }
        var states = [LeafAutomaton.State](repeating: LeafAutomaton.dead, count: trie.maximumDepth + 2)
        states[Int(base.depth)] = start
        if Self.takesAll(leaf.infos[Int(start)], base, follow) {
            accept(trie.nodes[Int(node) + 1].rank, trie.nodes[Int(base.end)].rank)
        } else {
            var index = Int(node) + 1
            while index < Int(base.end) {
                let missing = walk(leaf, trie, &states, &index, to: Int(base.end), follow)
                if missing >= 0 { leaf.fill(missing) }
            }
        }
        close()
        return MaskFragment(tokens: tokens(trie, everyToken), exits: exits)
    }

    /// Goes on from trie node `index` until `end`, or until a state has to be filled; gives that state, or -1.
    private mutating func walk(
        _ leaf: borrowing LeafAutomaton, _ trie: VocabularyTrie, _ path: inout [LeafAutomaton.State],
        _ index: inout Int, to end: Int, _ follow: UInt64
    ) -> LeafAutomaton.State {
        let nodes = trie.nodes.span
        let childGroups = trie.childGroups.span
        let transitions = leaf.transitions.span
        let infos = leaf.infos.span
        let byteClass = leaf.byteClass.span
        let classes = leaf.classes
        var states = path.mutableSpan
        var next = index
        // The range that is being accepted, kept in registers: most nodes only make it longer.
        var from = open.from
        var to = open.to
        while next < end {
            let entry = nodes[unchecked: next]
            let before = Int(states[unchecked: Int(entry.depth) - 1])
            let state = transitions[unchecked: before * classes + Int(byteClass[unchecked: Int(entry.byte)])]
            if state < 0 {
                next = Int(entry.end)
                continue
            }
            if Int(entry.end) == next + 1 {
                // Nothing below: the token is allowed, and nobody has to know what its last state does.
                next += 1
                let last = nodes[unchecked: next].rank
                if to == entry.rank {
                    to = last
                } else {
                    open = (from, to)
                    close()
                    (from, to) = (entry.rank, last)
                }
                continue
            }
            let info = infos[unchecked: Int(state)]
            if !info.isFilled {
                open = (from, to)
                index = next
                return state
            }
            if info.isFinal, childGroups[unchecked: next] & follow != 0 { exits.append(Int32(next)) }
            let below = nodes[unchecked: next + 1].rank
            var last = below
            var after = next + 1
            if !info.continues {
                after = Int(entry.end)
            } else if Self.takesAll(info, entry, follow) {
                after = Int(entry.end)
                last = nodes[unchecked: after].rank
            } else if info.isUniversal, let tail {
                after = Int(entry.end)
                open = (from, to)
                accept(entry.rank, below)
                take(tail, below, nodes[unchecked: after].rank, next, after)
                (from, to) = open
                next = after
                continue
            } else {
                states[unchecked: Int(entry.depth)] = state
            }
            next = after
            if to == entry.rank {
                to = last
            } else if entry.rank < last {
                open = (from, to)
                close()
                (from, to) = (entry.rank, last)
            }
        }
        open = (from, to)
        index = next
        return LeafAutomaton.dead
    }

    /// Whether everything below `entry` is allowed and nothing below it is an exit that matters.
    @inline(__always)
    private static func takesAll(_ info: LeafAutomaton.Info, _ entry: VocabularyTrie.Node, _ follow: UInt64) -> Bool {
        info.run.groups != 0 && entry.groups & ~info.run.groups == 0 && entry.isClean
            && entry.scalars <= info.run.capacity && (!info.run.mayEnd || entry.groups & follow == 0)
    }

    /// Takes what `tail` has below trie node `node`, of ranks `from ..< to` and nodes before `end`.
    private mutating func take(_ tail: StringTail, _ from: Int32, _ to: Int32, _ node: Int, _ end: Int) {
        var index = tail.firstRange(endingAfter: from)
        while index < tail.ranges.count, tail.ranges[index].from < to {
            accept(max(from, tail.ranges[index].from), min(to, tail.ranges[index].to))
            index += 1
        }
        index = tail.firstExit(after: Int32(node))
        while index < tail.fragment.exits.count, tail.fragment.exits[index] < end {
            exits.append(tail.fragment.exits[index])
            index += 1
        }
    }

    /// The tail for `vocabulary`, from an automaton inside of an unconstrained JSON string.
    static func tail(
        _ leaf: inout LeafAutomaton, _ inside: LeafAutomaton.State, _ trie: VocabularyTrie, _ everyToken: [UInt64]
    ) -> StringTail {
        var walk = FragmentBuilder()
        let fragment = walk.build(&leaf, inside, trie, everyToken, below: 0, follow: .max)
        return StringTail(fragment: fragment, ranges: walk.ranges)
    }

    @inline(__always)
    private mutating func accept(_ from: Int32, _ to: Int32) {
        if open.to == from {
            open.to = to
        } else if from < to {
            close()
            open = (from, to)
        }
    }

    /// Puts the open range away.
    private mutating func close() {
        if open.from == open.to { return }
        accepted += Int(open.to - open.from)
        ranges.append(open)
        open.from = open.to
    }

    private func tokens(_ trie: VocabularyTrie, _ everyToken: [UInt64]) -> MaskFragment.Tokens {
        let ids = trie.tokens
        if accepted * 32 <= everyToken.count * 64 {
            var list: [Int32] = []
            list.reserveCapacity(accepted)
            for range in ranges { list += ids[Int(range.from)..<Int(range.to)] }
            return .few(list)
        }
        var words: [UInt64]
        if accepted * 2 <= ids.count {
            words = [UInt64](repeating: 0, count: everyToken.count)
            for range in ranges {
                for id in ids[Int(range.from)..<Int(range.to)] { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }
            }
        } else {
            words = everyToken
            var next: Int32 = 0
            for range in ranges + [(Int32(ids.count), Int32(ids.count))] {
                for id in ids[Int(next)..<Int(range.from)] { words[Int(id) >> 6] &= ~(1 << UInt64(id & 63)) }
                next = range.to
            }
        }
        return .many(words)
    }
}
