/// Decision procedures. Each throws `limitExceeded` when it would visit more states than `GrammarLimits` allows.
extension RegularLanguage {
    /// Whether no text is in the language.
    package func isEmpty(_ limits: GrammarLimits = GrammarLimits()) throws(GrammarError) -> Bool {
        var (pool, root) = try makePool(limits)
        return try !live(&pool, root, limits)
    }

    /// Whether no text is in both.
    package func isDisjoint(
        with other: RegularLanguage, _ limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) -> Bool {
        try intersection(other).isEmpty(limits)
    }

    /// Whether every text of this language is in `other`.
    package func isSubset(
        of other: RegularLanguage, _ limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) -> Bool {
        try subtracting(other).isEmpty(limits)
    }

    /// Whether `text` is in the language.
    package func contains(_ text: String) -> Bool {
        let limits = GrammarLimits()
        var pool = RegularPool(terms: [term], maximumNodes: limits.maximumPatternNodes)
        var node = pool.node(term)
        for scalar in text.unicodeScalars where node != pool.nothing {
            node = pool.row(node)[Int(pool.alphabet.classOf(scalar.value))]
        }
        return !pool.exceeded && pool.isNullable[Int(node)]
    }

    /// All texts, shortest first, or nil when there are more than `limit`.
    package func enumerated(
        limit: Int, _ limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) -> [String]? {
        var (pool, root) = try makePool(limits)
        guard try live(&pool, root, limits) else { return [] }
        var found: [String] = []
        var frontier: [(String, RegularPool.ID)] = [("", root)]
        while !frontier.isEmpty {
            var next: [(String, RegularPool.ID)] = []
            for (text, node) in frontier {
                if pool.isNullable[Int(node)] { found.append(text) }
                if found.count > limit { return nil }
                let row = pool.row(node)
                for (index, target) in row.enumerated() where target != pool.nothing {
                    guard try live(&pool, target, limits) else { continue }
                    for value in pool.alphabet.scalars(ofClass: index, limit: limit + 1) {
                        guard let scalar = Unicode.Scalar(value) else { continue }
                        var longer = text
                        longer.unicodeScalars.append(scalar)
                        next.append((longer, target))
                    }
                    // Every live entry leads to a text of its own, so too many entries are too many texts.
                    if next.count > limit { return nil }
                }
            }
            frontier = next
        }
        return found
    }

    /// The fewest and the most scalars of a text; the most is nil when there is no bound. Nil for the empty language.
    package func lengthBounds(
        _ limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) -> (minimum: Int, maximum: Int?)? {
        if let bounds = Self.plainBounds(term) { return bounds.minimum == Int.max ? nil : bounds }
        var (pool, root) = try makePool(limits)
        guard try live(&pool, root, limits) else { return nil }
        var order: [RegularPool.ID] = []
        var state: [RegularPool.ID: (distance: Int, open: Bool)] = [:]
        var unbounded = false
        // Depth first with an explicit stack; a state met while it is open closes a cycle of live states.
        var stack: [(node: RegularPool.ID, targets: [RegularPool.ID], next: Int)] = []
        func push(_ node: RegularPool.ID) throws(GrammarError) {
            state[node] = (0, true)
            var targets: Set<RegularPool.ID> = []
            for target in pool.row(node) where target != pool.nothing {
                if try live(&pool, target, limits) { targets.insert(target) }
            }
            if state.count > limits.maximumPatternStates {
                throw GrammarError.limitExceeded(bound: "maximumPatternStates", limit: limits.maximumPatternStates)
            }
            stack.append((node, Array(targets), 0))
        }
        try push(root)
        while let top = stack.last {
            if top.next == top.targets.count {
                stack.removeLast()
                state[top.node]?.open = false
                order.append(top.node)
                continue
            }
            stack[stack.count - 1].next += 1
            let target = top.targets[top.next]
            if let known = state[target] { unbounded = unbounded || known.open } else { try push(target) }
        }
        var longest: [RegularPool.ID: Int] = [:]
        if !unbounded {
            for node in order {
                var best = pool.isNullable[Int(node)] ? 0 : -1
                for target in pool.row(node) { if let length = longest[target] { best = max(best, length + 1) } }
                longest[node] = best
            }
        }
        return (shortest(&pool, root), unbounded ? nil : longest[root])
    }

    private func shortest(_ pool: inout RegularPool, _ root: RegularPool.ID) -> Int {
        var seen: Set<RegularPool.ID> = [root]
        var frontier = [root]
        var length = 0
        while !frontier.isEmpty {
            if frontier.contains(where: { pool.isNullable[Int($0)] }) { return length }
            var next: [RegularPool.ID] = []
            for node in frontier {
                for target in pool.row(node) where target != pool.nothing && seen.insert(target).inserted {
                    next.append(target)
                }
            }
            frontier = next
            length += 1
        }
        return length
    }

    /// Bounds of a term without intersection and complement, nil otherwise; the minimum is `Int.max` for no text.
    private static func plainBounds(_ term: Term) -> (minimum: Int, maximum: Int?)? {
        switch term {
        case .set(let set): return set.isEmpty ? (Int.max, 0) : (1, 1)
        case .concatenation(let parts):
            var low = 0
            var high: Int? = 0
            for part in parts {
                guard let bounds = plainBounds(part) else { return nil }
                if bounds.minimum == Int.max { return (Int.max, 0) }
                low += bounds.minimum
                high = high.flatMap { sum in bounds.maximum.map { sum + $0 } }
            }
            return (low, high)
        case .union(let parts):
            var low = Int.max
            var high: Int? = 0
            for part in parts {
                guard let bounds = plainBounds(part) else { return nil }
                if bounds.minimum == Int.max { continue }
                low = min(low, bounds.minimum)
                high = high.flatMap { most in bounds.maximum.map { max(most, $0) } }
            }
            return (low, high)
        case .repetition(let part, let minimum, let maximum):
            guard let bounds = plainBounds(part) else { return nil }
            if bounds.minimum == Int.max { return minimum == 0 ? (0, 0) : (Int.max, 0) }
            let low = bounds.minimum.multipliedReportingOverflow(by: minimum)
            if bounds.maximum == 0 { return (0, 0) }
            let high = bounds.maximum.flatMap { each in maximum.map { each.multipliedReportingOverflow(by: $0) } }
            if low.overflow || high?.overflow == true { return nil }
            return (low.partialValue, high?.partialValue)
        case .intersection, .complement, .remainder: return nil
        }
    }

    private func makePool(_ limits: GrammarLimits) throws(GrammarError) -> (RegularPool, RegularPool.ID) {
        var pool = RegularPool(terms: [term], maximumNodes: limits.maximumPatternNodes)
        pool.maximumMilliseconds = limits.maximumMilliseconds
        pool.deadline = .now + .milliseconds(limits.maximumMilliseconds)
        let root = pool.node(term)
        if pool.exceeded {
            throw GrammarError.limitExceeded(bound: "maximumPatternNodes", limit: limits.maximumPatternNodes)
        }
        return (pool, root)
    }

    private func live(
        _ pool: inout RegularPool, _ node: RegularPool.ID, _ limits: GrammarLimits
    ) throws(GrammarError) -> Bool {
        let answer = pool.isLive(node, budget: limits.maximumPatternStates)
        if pool.exceeded {
            throw GrammarError.limitExceeded(bound: "maximumPatternNodes", limit: limits.maximumPatternNodes)
        }
        if let interruption = pool.interruption { throw interruption }
        guard let answer else {
            throw GrammarError.limitExceeded(bound: "maximumPatternStates", limit: limits.maximumPatternStates)
        }
        return answer
    }
}
