extension RegularPool {
    /// A pool over the alphabet of `terms`.
    init(terms: [RegularLanguage.Term], maximumNodes: Int) {
        var sets: Set<CodePointSet> = []
        for term in terms { Self.collect(term, into: &sets) }
        self.init(alphabet: Alphabet(sets), maximumNodes: maximumNodes)
    }

    private static func collect(_ term: RegularLanguage.Term, into sets: inout Set<CodePointSet>) {
        switch term {
        case .set(let set): sets.insert(set)
        case .concatenation(let parts), .union(let parts), .intersection(let parts):
            for part in parts { collect(part, into: &sets) }
        case .complement(let part), .repetition(let part, _, _): collect(part, into: &sets)
        case .remainder: for digit in 48...57 as ClosedRange<UInt32> { sets.insert(CodePointSet(digit, digit)) }
        }
    }

    /// The node of `term`, whose sets must be among those the alphabet was made from.
    mutating func node(_ term: RegularLanguage.Term) -> ID {
        switch term {
        case .set(let classes): return set(alphabet.classes(of: classes))
        case .concatenation(let parts):
            var result = emptyText
            for part in parts.reversed() { result = concatenation(node(part), result) }
            return result
        case .union(let parts):
            let members = parts.map { node($0) }
            return union(members)
        case .intersection(let parts):
            let members = parts.map { node($0) }
            return intersection(members)
        case .complement(let part):
            let inner = node(part)
            return complement(inner)
        case .repetition(let part, let minimum, let maximum):
            let inner = node(part)
            let most = Int(Int32.max) - 1
            return repetition(inner, Int32(min(minimum, most)), maximum.map { Int32(min($0, most)) } ?? -1)
        case .remainder(let modulus, let state): return remainder(modulus, state)
        }
    }

    /// Whether any text matches `id`. Nodes without booleans are normalized so that only `nothing` is empty; the others
    /// are searched, nearest first, and what the search learns is kept for every node that it decided.
    /// - Parameter budget: how many nodes may be visited; at its end the node counts as live, and `exceeded` is false.
    mutating func isLive(_ id: ID, budget: Int) -> Bool? {
        if id == nothing { return false }
        if !hasBoolean[Int(id)] || isNullable[Int(id)] { return true }
        if liveness[Int(id)] != 0 { return liveness[Int(id)] == 1 }
        var parents: [ID: ID] = [id: -1]
        var stack: [ID] = [id]
        while let next = stack.popLast() {
            var last: ID = -1
            for target in row(next) where target != nothing && target != last {
                last = target
                if !hasBoolean[Int(target)] || isNullable[Int(target)] || liveness[Int(target)] == 1 {
                    var alive = next
                    while alive >= 0 {
                        liveness[Int(alive)] = 1
                        alive = parents[alive] ?? -1
                    }
                    return true
                }
                if liveness[Int(target)] == 2 || parents[target] != nil { continue }
                if parents.count >= budget || exceeded { return nil }
                if parents.count & 63 == 0, isInterrupted { return nil }
                parents[target] = next
                stack.append(target)
            }
        }
        for dead in parents.keys { liveness[Int(dead)] = 2 }
        return false
    }

    /// Whether the deadline has passed or the task was cancelled; asked now and then by long searches.
    private var isInterrupted: Bool {
        mutating get {
            if Task.isCancelled {
                interruption = .cancelled
            } else if let deadline, ContinuousClock.now > deadline {
                interruption = .limitExceeded(bound: "maximumMilliseconds", limit: maximumMilliseconds)
            }
            return interruption != nil
        }
    }
}
