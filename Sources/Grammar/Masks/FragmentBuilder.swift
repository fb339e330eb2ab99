/// Walks the vocabulary trie with a leaf's automaton.
struct FragmentBuilder {
    private var ranges: [(from: Int32, to: Int32)] = []
    private var open: (from: Int32, to: Int32) = (0, 0)
    private var exits: [Int32] = []
    private var accepted = 0
    /// What every state inside of an unconstrained JSON string allows; nil when it does not apply to this walk.
    private let tail: StringTail?

    /// A node on the way from the root to where the walk is.
    private struct Place {
        var state = LeafAutomaton.dead
        var node: Int32 = 0
    }

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
        if let tail, leaf.infos[Int(start)].isUniversal {
            return MaskFragment(tokens: .many(tail.words), exits: tail.exits)
        }
        var path = [Place](repeating: Place(), count: trie.maximumDepth + 2)
        path[Int(base.depth)] = Place(state: start, node: node)
        if Self.takesAll(leaf.infos[Int(start)], base, follow) {
            accept(trie.nodes[Int(node) + 1].rank, trie.nodes[Int(base.end)].rank)
        } else {
            var index = Int(node) + 1
            while index < Int(base.end) {
                let missing = walk(leaf, trie, &path, &index, to: Int(base.end), follow)
                if missing >= 0 { leaf.fill(missing) }
            }
        }
        close()
        return MaskFragment(tokens: tokens(trie, everyToken), exits: exits)
    }

    /// Goes on from trie node `index` until `end`, or until a state has to be filled; gives that state, or -1.
    private mutating func walk(
        _ leaf: borrowing LeafAutomaton, _ trie: VocabularyTrie, _ path: inout [Place], _ index: inout Int,
        to end: Int, _ follow: UInt64
    ) -> LeafAutomaton.State {
        let nodes = trie.nodes.span
        let childGroups = trie.childGroups.span
        let transitions = leaf.transitions.span
        let infos = leaf.infos.span
        let byteClass = leaf.byteClass.span
        let classes = leaf.classes
        var places = path.mutableSpan
        var next = index
        // The range that is being accepted, kept in registers: most nodes only make it longer.
        var from = open.from
        var to = open.to
        while next < end {
            let entry = nodes[unchecked: next]
            let before = places[unchecked: Int(entry.depth) - 1]
            let state = transitions[
                unchecked: Int(before.state) * classes + Int(byteClass[unchecked: Int(entry.byte)])]
            if state < 0 {
                next = Int(entry.end)
                // Of many children mostly few lead on.
                let parent = Int(before.node)
                if nodes[unchecked: parent].table > 0, nodes[unchecked: next].depth == entry.depth {
                    let bytes = infos[unchecked: Int(before.state)].next
                    next = Int(trie.child(of: parent, after: entry.byte, in: bytes))
                }
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
            if childGroups[unchecked: next] & info.nextGroups == 0 {
                after = Int(entry.end)
            } else if Self.takesAll(info, entry, follow) {
                after = Int(entry.end)
                last = nodes[unchecked: after].rank
            } else if let tail, info.isUniversal || Self.isAsTail(info, entry) {
                // As anywhere inside of a string; what no string has is sorted out in the end.
                after = Int(entry.end)
                last = nodes[unchecked: after].rank
                if entry.groups & Self.quote != 0 { takeExits(of: tail, next, after) }
            } else {
                places[unchecked: Int(entry.depth)] = Place(state: state, node: Int32(truncatingIfNeeded: next))
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

    private static let quote = ByteGroups.bit(UInt8(ascii: "\""))

    /// Whether a state allows below `entry` what every state inside of a string does: the string does not end, and none
    /// of the scalars that may come is one too many.
    @inline(__always)
    private static func isAsTail(_ info: LeafAutomaton.Info, _ entry: VocabularyTrie.Node) -> Bool {
        info.run.total > 0 && entry.groups & quote == 0 && entry.scalars <= info.run.total
    }

    /// Takes the exits that `tail` has below trie node `node`, before node `end`.
    private mutating func takeExits(of tail: StringTail, _ node: Int, _ end: Int) {
        var index = tail.firstExit(after: Int32(node))
        while index < tail.exits.count, tail.exits[index] < end {
            exits.append(tail.exits[index])
            index += 1
        }
    }

    /// The tail for `vocabulary`, from an automaton inside of an unconstrained JSON string.
    static func tail(
        _ leaf: inout LeafAutomaton, _ inside: LeafAutomaton.State, _ trie: VocabularyTrie, _ everyToken: [UInt64]
    ) -> StringTail? {
        var walk = FragmentBuilder()
        let fragment = walk.build(&leaf, inside, trie, everyToken, below: 0, follow: .max)
        guard case .many(let words) = fragment.tokens else { return nil }
        return StringTail(words: words, exits: fragment.exits)
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

    /// The tokens in the ranges that text of this kind can have.
    private func tokens(_ trie: VocabularyTrie, _ everyToken: [UInt64]) -> MaskFragment.Tokens {
        let ids = trie.tokens
        let base = tail?.words ?? everyToken
        if accepted * 32 <= everyToken.count * 64 {
            var list: [Int32] = []
            list.reserveCapacity(accepted)
            for range in ranges {
                for id in ids[Int(range.from)..<Int(range.to)] where base[Int(id) >> 6] >> UInt64(id & 63) & 1 != 0 {
                    list.append(id)
                }
            }
            return .few(list)
        }
        var words: [UInt64]
        if accepted * 2 <= ids.count {
            words = [UInt64](repeating: 0, count: everyToken.count)
            for range in ranges {
                for id in ids[Int(range.from)..<Int(range.to)] { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }
            }
            for index in words.indices { words[index] &= base[index] }
        } else {
            words = base
            var next: Int32 = 0
            for range in ranges + [(Int32(ids.count), Int32(ids.count))] {
                for id in ids[Int(next)..<Int(range.from)] { words[Int(id) >> 6] &= ~(1 << UInt64(id & 63)) }
                next = range.to
            }
        }
        return .many(words)
    }
}
