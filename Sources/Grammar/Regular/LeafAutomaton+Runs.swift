/// Finds what a state does for a whole run of scalars.
extension LeafAutomaton {
    mutating func run(of term: RegularPool.ID, _ row: [RegularPool.ID]) -> Run {
        let ends = !decoder.quoted && pool.isNullable[Int(term)]
        var best = Run(groups: groups(of: loops(of: term, row)), capacity: 255, mayEnd: ends)
        if best.groups == 0 { best.capacity = 0 }
        var total: UInt8 = pool.outlooks[Int(term)].isEndless ? 255 : 0
        if let (set, capacity, mayEnd) = counterRun(term) {
            let counted = Run(groups: groups(of: set), capacity: capacity, mayEnd: mayEnd && !decoder.quoted)
            if counted.groups.nonzeroBitCount > best.groups.nonzeroBitCount { best = counted }
            if pool.isEverything(set) { total = max(total, capacity) }
        }
        if best.groups == 0, let later = laterRun(of: row) { best = later }
        if admitsEscapes { best.total = total }
        return best
    }

    /// Where most scalars lead to a state that stays as it is on them.
    private mutating func laterRun(of row: [RegularPool.ID]) -> Run? {
        var counts: [RegularPool.ID: Int] = [:]
        for target in row where target != pool.nothing { counts[target, default: 0] += 1 }
        guard let target = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key, isLive(target) else {
            return nil
        }
        let stay = loops(of: target, pool.row(target))
        var set = ClassSet(count: pool.alphabet.classCount)
        for (number, next) in row.enumerated() where next == target && stay.contains(number) { set.insert(number) }
        let groups = groups(of: set)
        let mayEnd = !decoder.quoted && pool.isNullable[Int(target)]
        return groups == 0 ? nil : Run(groups: groups, capacity: 255, mayEnd: mayEnd)
    }

    private func loops(of term: RegularPool.ID, _ row: [RegularPool.ID]) -> ClassSet {
        var loops = ClassSet(count: pool.alphabet.classCount)
        for (number, target) in row.enumerated() where target == term { loops.insert(number) }
        return loops
    }

    /// The widest counted set at the head of `term` or of one of its alternatives.
    private mutating func counterRun(_ term: RegularPool.ID) -> (ClassSet, UInt8, mayEnd: Bool)? {
        switch pool.nodes[Int(term)] {
        case .repetition(let operand, _, let high):
            guard case .set(let set) = pool.nodes[Int(operand)] else { return nil }
            return (pool.sets[Int(set)], high < 0 ? 255 : UInt8(min(high, 254)), true)
        case .concatenation(let head, let rest):
            guard let (set, capacity, _) = counterRun(head), isLive(rest) else { return nil }
            // What follows the run can end inside of it only if it can be empty or start with the run's scalars.
            var mayEnd = pool.isNullable[Int(rest)]
            for (number, target) in pool.row(rest).enumerated() where target != pool.nothing {
                mayEnd = mayEnd || set.contains(number)
            }
            return (set, capacity, mayEnd)
        case .union(let parts):
            var best: (ClassSet, UInt8, mayEnd: Bool)?
            for part in parts {
                guard let candidate = counterRun(part) else { continue }
                if best == nil || candidate.1 > best?.1 ?? 0 { best = candidate }
            }
            // Other alternatives may end inside the run.
            return best.map { ($0.0, $0.1, true) }
        case .intersection(let parts): return intersectionRun(parts)
        default: return nil
        }
    }

    /// A counted set together with languages that stay as they are on some scalars and may end: on these scalars they
    /// can wait until the count is right, so that the intersection lives as long as the counter.
    private mutating func intersectionRun(_ parts: [RegularPool.ID]) -> (ClassSet, UInt8, mayEnd: Bool)? {
        var result: (ClassSet, UInt8, mayEnd: Bool)?
        var waiting: ClassSet?
        // What the languages that wait still need in the end.
        var needed: Int32 = 0
        var waiters = 0
        for part in parts {
            if case .repetition(let operand, _, _) = pool.nodes[Int(part)], case .set = pool.nodes[Int(operand)],
                result == nil
            {
                result = counterRun(part)
            } else {
                guard let least = pool.outlooks[Int(part)].shortest else { return nil }
                needed = max(needed, least)
                waiters += 1
                let loops = loops(of: part, pool.row(part))
                waiting = waiting?.intersection(loops) ?? loops
            }
        }
        guard let result, let waiting else { return nil }
        // An end that is not empty must be one that they have in common, and that the counter allows.
        guard needed == 0 || waiters == 1 && pool.isEverything(result.0) else { return nil }
        let set = result.0.intersection(waiting)
        let capacity = result.1 == 255 ? 255 : Int32(result.1) - needed
        return set.isEmpty || capacity <= 0 ? nil : (set, UInt8(capacity), true)
    }

    /// The groups all of whose bytes, as scalars, are in `set`; a lead byte's only if all
    /// scalars that it begins are. Continuation bytes are left to `isClean`.
    func groups(of set: ClassSet) -> UInt64 {
        var inside: UInt64 = 0
        var outside = summary.neverScalar
        for number in 0..<pool.alphabet.classCount {
            if set.contains(number) {
                inside |= summary.scalarGroups[number]
            } else {
                outside |= summary.scalarGroups[number]
            }
        }
        return inside & ~outside == 0 ? 0 : inside & ~outside | ByteGroups.continuation
    }
}
