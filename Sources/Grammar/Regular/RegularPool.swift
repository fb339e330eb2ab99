/// Terms of regular languages over one alphabet, each kept once, so that a node id *is* a state of the automaton and
/// equal states are found by comparing ids. Terms are kept in a normal form in which a term has finitely many
/// derivatives.
struct RegularPool: Sendable {
    typealias ID = Int32

    enum Node: Hashable, Sendable {
        case emptyText
        /// Index into `sets`.
        case set(ID)
        /// The first is never itself a concatenation.
        case concatenation(ID, ID)
        /// Sorted, distinct, at least two, none of them a union.
        case union([ID])
        case intersection([ID])
        case complement(ID)
        /// The maximum is -1 for no end.
        case repetition(ID, Int32, Int32)
        /// Modulus and remainder so far.
        case remainder(Int32, Int32)
    }

    let alphabet: Alphabet
    /// No more nodes than this are made; `exceeded` tells that it happened, after which answers mean nothing.
    let maximumNodes: Int
    private(set) var exceeded = false
    private(set) var nodes: [Node] = []
    private(set) var sets: [ClassSet] = []
    private var nodeIDs: [Node: ID] = [:]
    private var setIDs: [ClassSet: ID] = [:]
    private(set) var isNullable: [Bool] = []
    /// Whether an intersection or a complement is inside, so that the language may be empty without the term showing it.
    private(set) var hasBoolean: [Bool] = []
    /// How deep the recursion of `row` goes.
    private var depths: [Int32] = []
    /// What the form of each node tells about its texts.
    private(set) var outlooks: [RegularOutlook] = []
    /// Derivatives by class, empty until asked for.
    private var rows: [[ID]] = []
    /// The largest counter at the head of a node without booleans, 0 for the others.
    private var counters: [Int32] = []
    private var clampings: [Int64: ID] = [:]
    /// What is known of a node with a boolean inside: 0 unknown, 1 has a text, 2 has none.
    var liveness: [UInt8] = []

    /// Derivatives recurse this deeply at most; beyond, the pool counts as exceeded.
    private static let maximumDepth = 1_500
    /// When questions give up, and what made one give up: the clock or the task's cancellation.
    var deadline: ContinuousClock.Instant?
    var maximumMilliseconds = 0
    var interruption: GrammarError?

    let nothing: ID = 0
    let emptyText: ID = 1
    let anyText: ID = 2
    let anyScalar: ID = 3

    init(alphabet: Alphabet, maximumNodes: Int) {
        self.alphabet = alphabet
        self.maximumNodes = maximumNodes
        _ = set(ClassSet(count: alphabet.classCount))
        _ = intern(.emptyText, nullable: true, boolean: false, depth: 0)
        let all = alphabet.classes(of: .all)
        // Node 2 must be the repetition, so its operand is made under its own id afterwards.
        setIDs[all] = ID(sets.count)
        sets.append(all)
        _ = intern(.repetition(anyScalar, 0, -1), nullable: true, boolean: false, depth: 2)
        _ = set(all)
    }

    private mutating func intern(_ node: Node, nullable: Bool, boolean: Bool, depth: Int32) -> ID {
        if let id = nodeIDs[node] { return id }
        if nodes.count >= maximumNodes || depth > Self.maximumDepth {
            exceeded = true
            return nothing
        }
        let id = ID(nodes.count)
        nodes.append(node)
        nodeIDs[node] = id
        isNullable.append(nullable)
        hasBoolean.append(boolean)
        depths.append(depth)
        outlooks.append(outlook(of: node, nullable: nullable))
        rows.append([])
        counters.append(boolean ? 0 : largestCounter(in: node))
        liveness.append(0)
        return id
    }

    private func largestCounter(in node: Node) -> Int32 {
        switch node {
        case .emptyText, .set, .complement, .intersection, .remainder: return 0
        case .concatenation(let head, let tail):
            return max(counters[Int(head)], nullable(head) ? counters[Int(tail)] : 0)
        case .union(let parts): return parts.reduce(0) { max($0, counters[Int($1)]) }
        case .repetition(let operand, let low, let high):
            // Node 2 is made before its operand.
            let inner = Int(operand) < counters.count ? counters[Int(operand)] : 0
            return max(inner, max(low, high))
        }
    }

    /// The term with every lower counter at its head beyond `bound` set to `bound` and every upper one beyond it to no end. Until
    /// `bound` scalars have come, the two terms accept, end and die alike. Terms with booleans stay as they are: whether they die depends on exact counts.
    mutating func clamped(_ id: ID, to bound: Int32) -> ID {
        if counters[Int(id)] <= bound { return id }
        let key = Int64(id) << 32 | Int64(bound)
        if let known = clampings[key] { return known }
        let result: ID
        switch nodes[Int(id)] {
        case .emptyText, .set, .complement, .intersection, .remainder: result = id
        case .concatenation(let head, let tail):
            let first = clamped(head, to: bound)
            let rest = nullable(head) ? clamped(tail, to: bound) : tail
            result = concatenation(first, rest)
        case .union(let parts):
            let members = parts.map { clamped($0, to: bound) }
            result = union(members)
        case .repetition(let operand, let low, let high):
            let inner = clamped(operand, to: bound)
            result = repetition(inner, min(low, bound), high > bound ? -1 : high)
        }
        clampings[key] = result
        return result
    }

    private func nullable(_ id: ID) -> Bool { isNullable[Int(id)] }

    /// Whether `classes` are those of all scalars.
    func isEverything(_ classes: ClassSet) -> Bool { classes == sets[1] }

    mutating func set(_ classes: ClassSet) -> ID {
        let index: ID
        if let known = setIDs[classes] {
            index = known
        } else {
            index = ID(sets.count)
            sets.append(classes)
            setIDs[classes] = index
        }
        return intern(.set(index), nullable: false, boolean: false, depth: 1)
    }

    mutating func concatenation(_ first: ID, _ second: ID) -> ID {
        if first == nothing || second == nothing { return nothing }
        if first == emptyText { return second }
        if second == emptyText { return first }
        if case .concatenation(let head, let tail) = nodes[Int(first)] {
            // Walked with a list of heads: a long text must not recurse as deeply as it is long.
            var heads = [head]
            var rest = tail
            while case .concatenation(let next, let after) = nodes[Int(rest)] {
                heads.append(next)
                rest = after
            }
            var result = concatenation(rest, second)
            for head in heads.reversed() { result = concatenation(head, result) }
            return result
        }
        if first == anyText, case .concatenation(let head, _) = nodes[Int(second)], head == anyText { return second }
        if first == anyText, second == anyText { return anyText }
        let bothNullable = nullable(first) && nullable(second)
        let depth = 1 + max(depths[Int(first)], nullable(first) ? depths[Int(second)] : 0)
        return intern(
            .concatenation(first, second), nullable: bothNullable,
            boolean: hasBoolean[Int(first)] || hasBoolean[Int(second)], depth: depth)
    }

    mutating func union(_ parts: [ID]) -> ID {
        var flat: [ID] = []
        var classes: ClassSet?
        for part in parts where part != nothing {
            if part == anyText { return anyText }
            switch nodes[Int(part)] {
            case .union(let inner): flat += inner
            default: flat.append(part)
            }
        }
        if flat.count == 1 { return flat[0] }
        var others: [ID] = []
        for part in flat {
            if case .set(let index) = nodes[Int(part)] {
                classes = classes.map { $0.union(sets[Int(index)]) } ?? sets[Int(index)]
            } else {
                others.append(part)
            }
        }
        if let classes { others.append(set(classes)) }
        others = mergedCounters(sortedDistinct(others))
        if others.contains(where: { $0 != emptyText && nullable($0) }) { others.removeAll { $0 == emptyText } }
        if others.isEmpty { return nothing }
        if others.count == 1 { return others[0] }
        return intern(
            .union(others), nullable: others.contains { nullable($0) },
            boolean: others.contains { hasBoolean[Int($0)] }, depth: 1 + (others.map { depths[Int($0)] }.max() ?? 0))
    }

    /// `x{a,b}y | x{c,d}y` is `x{min,max}y` where the ranges touch: without it, the states of `x{0,m}x{0,n}` would be
    /// sets of counters.
    private mutating func mergedCounters(_ parts: [ID]) -> [ID] {
        struct Key: Hashable {
            var operand: ID
            var rest: ID
        }
        var counters: [Key: [(Int32, Int32)]] = [:]
        var found = false
        for part in parts {
            guard let (operand, low, high, rest) = counter(part) else { continue }
            found = found || counters[Key(operand: operand, rest: rest)] != nil
            counters[Key(operand: operand, rest: rest), default: []].append((low, high))
        }
        guard found else { return parts }
        var result: [ID] = []
        for part in parts {
            guard let (operand, _, _, rest) = counter(part) else {
                result.append(part)
                continue
            }
            guard let ranges = counters.removeValue(forKey: Key(operand: operand, rest: rest)) else { continue }
            var merged: [(Int32, Int32)] = []
            for (low, high) in ranges.sorted(by: { $0.0 < $1.0 }) {
                if let last = merged.last, last.1 < 0 || low <= last.1 &+ 1 {
                    merged[merged.count - 1].1 = last.1 < 0 || high < 0 ? -1 : max(last.1, high)
                } else {
                    merged.append((low, high))
                }
            }
            for (low, high) in merged {
                let counted = repetition(operand, low, high)
                result.append(concatenation(counted, rest))
            }
        }
        return sortedDistinct(result)
    }

    private func counter(_ id: ID) -> (operand: ID, low: Int32, high: Int32, rest: ID)? {
        switch nodes[Int(id)] {
        case .repetition(let operand, let low, let high): return (operand, low, high, emptyText)
        case .concatenation(let head, let rest):
            guard case .repetition(let operand, let low, let high) = nodes[Int(head)] else { return nil }
            return (operand, low, high, rest)
        default: return nil
        }
    }

    private func sortedDistinct(_ parts: [ID]) -> [ID] {
        let sorted = parts.sorted()
        var result: [ID] = []
        for part in sorted where result.last != part { result.append(part) }
        return result
    }

    mutating func intersection(_ parts: [ID]) -> ID {
        var flat: [ID] = []
        for part in parts where part != anyText {
            if part == nothing { return nothing }
            if case .intersection(let inner) = nodes[Int(part)] { flat += inner } else { flat.append(part) }
        }
        flat = sortedDistinct(flat)
        flat = sortedDistinct(mergedRuns(flat))
        if flat.contains(emptyText) { return flat.allSatisfy { nullable($0) } ? emptyText : nothing }
        if flat.contains(nothing) { return nothing }
        if flat.isEmpty { return anyText }
        if flat.count == 1 { return flat[0] }
        return intern(
            .intersection(flat), nullable: flat.allSatisfy { nullable($0) }, boolean: true,
            depth: 1 + (flat.map { depths[Int($0)] }.max() ?? 0))
    }

    /// Joins the members of an intersection that count single scalars: `[a-z]+` and `.{3,20}` are `[a-z]{3,20}`.
    private mutating func mergedRuns(_ parts: [ID]) -> [ID] {
        var result: [ID] = []
        var run: (classes: ClassSet, low: Int32, high: Int32)?
        for part in parts {
            guard let (classes, low, high) = scalarRun(part) else {
                result.append(part)
                continue
            }
            guard let known = run else {
                run = (classes, low, high)
                continue
            }
            let top = known.high < 0 ? high : high < 0 ? known.high : min(known.high, high)
            run = (known.classes.intersection(classes), max(known.low, low), top)
        }
        if let run {
            if run.high >= 0, run.low > run.high { return [nothing] }
            let operand = set(run.classes)
            result.append(repetition(operand, run.low, run.high))
        }
        return result
    }

    private func scalarRun(_ id: ID) -> (ClassSet, Int32, Int32)? {
        switch nodes[Int(id)] {
        case .set(let index): return (sets[Int(index)], 1, 1)
        case .repetition(let operand, let low, let high):
            guard case .set(let index) = nodes[Int(operand)] else { return nil }
            return (sets[Int(index)], low, high)
        default: return nil
        }
    }

    mutating func complement(_ part: ID) -> ID {
        if part == nothing { return anyText }
        if part == anyText { return nothing }
        if case .complement(let inner) = nodes[Int(part)] { return inner }
        return intern(.complement(part), nullable: !nullable(part), boolean: true, depth: 1 + depths[Int(part)])
    }

    mutating func repetition(_ operand: ID, _ minimum: Int32, _ maximum: Int32) -> ID {
        if maximum == 0 || operand == emptyText { return emptyText }
        if operand == nothing { return minimum == 0 ? emptyText : nothing }
        let low = nullable(operand) ? 0 : minimum
        if low == 1, maximum == 1 { return operand }
        if case .repetition(let inner, let innerLow, -1) = nodes[Int(operand)], innerLow <= 1 {
            // (x*){m,n} and (x+)* are x* or x+.
            if innerLow == 0 { return operand }
            if low <= 1 { return repetition(inner, low, -1) }
        }
        if case .set(let index) = nodes[Int(operand)], low == 0, maximum < 0, sets[Int(index)] == sets[1] {
            return anyText
        }
        return intern(
            .repetition(operand, low, maximum), nullable: low == 0, boolean: hasBoolean[Int(operand)],
            depth: 1 + depths[Int(operand)])
    }

    mutating func remainder(_ modulus: Int32, _ state: Int32) -> ID {
        intern(.remainder(modulus, state), nullable: state == 0, boolean: false, depth: 1)
    }

    /// The derivative of `id` by each class: what may follow after one scalar of the class.
    /// - Complexity: amortized O(classes × alternatives) once per node.
    mutating func row(_ id: ID) -> [ID] {
        if !rows[Int(id)].isEmpty { return rows[Int(id)] }
        let row = makeRow(id)
        rows[Int(id)] = row
        return row
    }

    private mutating func makeRow(_ id: ID) -> [ID] {
        let count = alphabet.classCount
        var result = [ID](repeating: nothing, count: count)
        switch nodes[Int(id)] {
        case .emptyText: break
        case .set(let index): sets[Int(index)].forEach { result[$0] = emptyText }
        case .concatenation(let head, let tail):
            if case .set(let index) = nodes[Int(head)] {
                sets[Int(index)].forEach { result[$0] = tail }
                break
            }
            let first = row(head)
            let second = nullable(head) ? row(tail) : []
            var memo = PairMemo()
            for index in 0..<count {
                let other = second.isEmpty ? nothing : second[index]
                if first[index] == nothing, other == nothing { continue }
                result[index] = memo.value(first[index], other) {
                    let left = concatenation($0, tail)
                    return $1 == nothing ? left : union([left, $1])
                }
            }
        case .union(let parts): combine(parts, into: &result, isUnion: true) { $0.union($1) }
        case .intersection(let parts): combine(parts, into: &result, isUnion: false) { $0.intersection($1) }
        case .complement(let part):
            let inner = row(part)
            for index in 0..<count { result[index] = complement(inner[index]) }
        case .repetition(let operand, let low, let high):
            let rest = repetition(operand, max(0, low - 1), high < 0 ? -1 : high - 1)
            let inner = row(operand)
            var memo = PairMemo()
            for index in 0..<count where inner[index] != nothing {
                result[index] = memo.value(inner[index], 0) { part, _ in concatenation(part, rest) }
            }
        case .remainder(let modulus, let state):
            for index in 0..<count { result[index] = id }
            for digit in 0...9 as ClosedRange<Int32> {
                let next = Int32((Int64(state) * 10 + Int64(digit)) % Int64(modulus))
                result[Int(alphabet.classOf(48 + UInt32(digit)))] = remainder(modulus, next)
            }
        }
        return result
    }

    /// Joins the derivatives of `parts` class by class; classes with the same derivatives share one join.
    private mutating func combine(
        _ parts: [ID], into result: inout [ID], isUnion: Bool, _ join: (inout RegularPool, [ID]) -> ID
    ) {
        let all = parts.map { row($0) }
        // Of many texts, few go on with any one class.
        var dead = [Int32](repeating: 0, count: result.count)
        for row in all { for index in dead.indices where row[index] == nothing { dead[index] += 1 } }
        var known: [[ID]: ID] = [:]
        for index in result.indices where isUnion ? dead[index] < all.count : dead[index] == 0 {
            let column = all.map { $0[index] }
            if let id = known[column] {
                result[index] = id
            } else {
                let id = join(&self, column)
                known[column] = id
                result[index] = id
            }
        }
    }

    /// Remembers the last pair, since neighbouring classes mostly share it.
    private struct PairMemo {
        private var last: (ID, ID, ID)?

        mutating func value(_ first: ID, _ second: ID, _ make: (ID, ID) -> ID) -> ID {
            if let last, last.0 == first, last.1 == second { return last.2 }
            let id = make(first, second)
            last = (first, second, id)
            return id
        }
    }
}
