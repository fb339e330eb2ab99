/// Grammars written in EBNF (GBNF and XGrammar's dialect).
package enum EBNFGrammar {
    /// Appends the grammar to `builder` and gives the expression of its rule `root`.
    ///
    /// Parts without recursion become regular leaves, so that most of the text is matched by deterministic automata;
    /// direct left recursion becomes repetition; alternatives that begin alike share their beginning.
    /// - Throws: `invalidGrammar` with line and column, `limitExceeded`.
    package static func expression(
        _ source: String, root: String = "root", in builder: inout GrammarBuilder
    ) throws(GrammarError) -> GrammarBuilder.Expression {
        let rules = try EBNFReader.read(source, builder.limits)
        guard let start = rules.ids[root] else {
            throw .invalidGrammar(line: 1, column: 1, reason: "there is no rule named \(root)")
        }
        if rules.rules.count > builder.limits.maximumRules {
            throw .limitExceeded(bound: "maximumRules", limit: builder.limits.maximumRules)
        }
        for rule in rules.rules where rule.body == nil {
            throw .invalidGrammar(line: rule.line, column: rule.column, reason: "the rule \(rule.name) is not defined")
        }
        var lowering = EBNFLowering(rules, builder)
        let result = try lowering.lower(start)
        builder = lowering.builder
        return result
    }
}

/// Turns rules into arena expressions.
private struct EBNFLowering {
    private var rules: EBNFRules
    var builder: GrammarBuilder
    private var handles: [Int: GrammarBuilder.Rule] = [:]
    private var languages: [Int: (language: RegularLanguage, size: Int)?] = [:]
    private var recursive: Set<Int> = []

    /// A rule's language larger than this stays an automaton of its own where it is used.
    private static let maximumInlined = 200

    init(_ rules: EBNFRules, _ builder: GrammarBuilder) {
        self.rules = rules
        self.builder = builder
    }

    mutating func lower(_ start: Int) throws(GrammarError) -> GrammarBuilder.Expression {
        for index in rules.rules.indices { removeLeftRecursion(index) }
        try refuseLeftRecursion()
        findLanguages()
        let root = expression(of: start)
        while let (index, handle) = pending.popFirst() {
            let body = rules.rules[index].body ?? .sequence([])
            builder.define(handle, as: lowered(body))
        }
        if builder.exceedsLimit {
            throw .limitExceeded(bound: "maximumExpressions", limit: builder.limits.maximumExpressions)
        }
        return root
    }

    private var pending: [Int: GrammarBuilder.Rule] = [:]

    private mutating func expression(of rule: Int) -> GrammarBuilder.Expression {
        if let (language, _) = language(of: rule) { return leaf(language) }
        if let handle = handles[rule] { return builder.reference(handle) }
        let handle = builder.declareRule(rules.rules[rule].name)
        handles[rule] = handle
        pending[rule] = handle
        return builder.reference(handle)
    }

    // MARK: Left recursion

    /// `a ::= a x | y` matches what `a ::= y x*` does.
    private mutating func removeLeftRecursion(_ index: Int) {
        guard let body = rules.rules[index].body else { return }
        var tails: [EBNFNode] = []
        var others: [EBNFNode] = []
        for branch in Self.branches(body) {
            let parts = Self.parts(branch)
            if parts.first == .rule(index) {
                // `a ::= a` adds nothing.
                if parts.count > 1 { tails.append(.sequence(Array(parts.dropFirst()))) }
            } else {
                others.append(branch)
            }
        }
        if tails.isEmpty, others.count == Self.branches(body).count { return }
        let base = others.count == 1 ? others[0] : .choice(others)
        let tail = tails.count == 1 ? tails[0] : .choice(tails)
        rules.rules[index].body =
            tails.isEmpty ? base : .sequence([base, .repetition(tail, minimum: 0, maximum: nil)])
    }

    private static func branches(_ node: EBNFNode) -> [EBNFNode] {
        if case .choice(let branches) = node { return branches.flatMap(Self.branches) }
        return [node]
    }

    private static func parts(_ node: EBNFNode) -> [EBNFNode] {
        if case .sequence(let parts) = node { return parts.flatMap(Self.parts) }
        return [node]
    }

    private func refuseLeftRecursion() throws(GrammarError) {
        var nullable = [Bool](repeating: false, count: rules.rules.count)
        var changed = true
        while changed {
            changed = false
            for (index, rule) in rules.rules.enumerated() where !nullable[index] {
                if let body = rule.body, Self.isNullable(body, nullable) {
                    nullable[index] = true
                    changed = true
                }
            }
        }
        // 0 new, 1 open, 2 done.
        var marks = [UInt8](repeating: 0, count: rules.rules.count)
        for start in rules.rules.indices where marks[start] == 0 {
            var stack: [(rule: Int, next: [Int])] = [(start, leftCalls(start, nullable))]
            marks[start] = 1
            while let top = stack.last {
                guard let callee = top.next.last else {
                    marks[top.rule] = 2
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next.removeLast()
                if marks[callee] == 1 {
                    let rule = rules.rules[callee]
                    throw .invalidGrammar(
                        line: rule.line, column: rule.column,
                        reason: "the rule \(rule.name) is left-recursive through \(rules.rules[top.rule].name); "
                            + "write it with a repetition")
                }
                if marks[callee] == 0 {
                    marks[callee] = 1
                    stack.append((callee, leftCalls(callee, nullable)))
                }
            }
        }
    }

    private static func isNullable(_ node: EBNFNode, _ rules: [Bool]) -> Bool {
        switch node {
        case .text(let bytes): bytes.isEmpty
        case .set, .token: false
        case .rule(let index): rules[index]
        case .sequence(let parts): parts.allSatisfy { isNullable($0, rules) }
        case .choice(let parts): parts.contains { isNullable($0, rules) }
        case .repetition(let part, let minimum, _): minimum == 0 || isNullable(part, rules)
        }
    }

    private func leftCalls(_ index: Int, _ nullable: [Bool]) -> [Int] {
        var found: [Int] = []
        func visit(_ node: EBNFNode) {
            switch node {
            case .text, .set, .token: break
            case .rule(let callee): found.append(callee)
            case .sequence(let parts):
                for part in parts {
                    visit(part)
                    if !Self.isNullable(part, nullable) { break }
                }
            case .choice(let parts): parts.forEach(visit)
            case .repetition(let part, _, _): visit(part)
            }
        }
        if let body = rules.rules[index].body { visit(body) }
        return found
    }

    // MARK: Regular parts

    /// Finds the rules that reach a recursive one, which have no regular language, and the languages of all others,
    /// callees first, so that a long chain of rules is no deep recursion.
    private mutating func findLanguages() {
        var callers: [[Int]] = rules.rules.map { _ in [] }
        var missing = [Int](repeating: 0, count: rules.rules.count)
        for (index, rule) in rules.rules.enumerated() {
            var calls: Set<Int> = []
            func visit(_ node: EBNFNode) {
                switch node {
                case .text, .set, .token: break
                case .rule(let callee): calls.insert(callee)
                case .sequence(let parts), .choice(let parts): parts.forEach(visit)
                case .repetition(let part, _, _): visit(part)
                }
            }
            if let body = rule.body { visit(body) }
            missing[index] = calls.count
            for callee in calls { callers[callee].append(index) }
        }
        recursive = Set(rules.rules.indices)
        var ready = rules.rules.indices.filter { missing[$0] == 0 }
        while let index = ready.popLast() {
            recursive.remove(index)
            languages[index] = .some(rules.rules[index].body.flatMap { language($0) })
            for caller in callers[index] {
                missing[caller] -= 1
                if missing[caller] == 0 { ready.append(caller) }
            }
        }
    }

    private func language(of rule: Int) -> (language: RegularLanguage, size: Int)? { languages[rule] ?? nil }

    /// The language of a node that reaches no recursive rule, no special token and no large rule.
    private mutating func language(_ node: EBNFNode) -> (language: RegularLanguage, size: Int)? {
        switch node {
        case .text(let bytes): return (.text(String(decoding: bytes, as: UTF8.self)), bytes.count)
        case .set(let set): return (.set(set), 1)
        case .token: return nil
        case .rule(let rule):
            guard let found = language(of: rule), found.size <= Self.maximumInlined else { return nil }
            return found
        case .sequence(let parts), .choice(let parts):
            var members: [RegularLanguage] = []
            var size = 0
            for part in parts {
                guard let member = language(part) else { return nil }
                members.append(member.language)
                size += member.size
            }
            if case .choice = node { return (.union(members), size) }
            return (.concatenation(members), size)
        case .repetition(let part, let minimum, let maximum):
            guard let inner = language(part) else { return nil }
            return (inner.language.repeated(minimum, maximum), inner.size + 1)
        }
    }

    private mutating func leaf(_ language: RegularLanguage) -> GrammarBuilder.Expression {
        if let text = language.onlyText { return builder.text(text) }
        return builder.regular(language)
    }

    private mutating func lowered(_ node: EBNFNode) -> GrammarBuilder.Expression {
        if let (language, _) = language(node) { return leaf(language) }
        switch node {
        case .text(let bytes): return builder.bytes(bytes)
        case .set(let set): return builder.regular(.set(set))
        case .token(let id): return builder.token(id)
        case .rule(let rule): return expression(of: rule)
        case .sequence: return builder.sequence(loweredParts(node))
        case .choice: return factored(Self.branches(node).map { loweredParts($0) })
        case .repetition(let part, let minimum, let maximum):
            return builder.repetition(lowered(part), minimum: minimum, maximum: maximum)
        }
    }

    /// The members of a sequence, neighbouring regular ones joined.
    private mutating func loweredParts(_ node: EBNFNode) -> [GrammarBuilder.Expression] {
        var result: [GrammarBuilder.Expression] = []
        var run: [RegularLanguage] = []
        for part in Self.parts(node) {
            if let (language, _) = language(part) {
                run.append(language)
                continue
            }
            if !run.isEmpty { result.append(leaf(.concatenation(run))) }
            run = []
            result.append(lowered(part))
        }
        if !run.isEmpty { result.append(leaf(.concatenation(run))) }
        return result
    }

    /// `x a | x b` is `x (a | b)`: without it, every level of nesting would double the states.
    private mutating func factored(_ branches: [[GrammarBuilder.Expression]]) -> GrammarBuilder.Expression {
        var order: [GrammarBuilder.Expression] = []
        var groups: [GrammarBuilder.Expression: [[GrammarBuilder.Expression]]] = [:]
        var alternatives: [GrammarBuilder.Expression] = []
        for branch in branches {
            guard let first = branch.first else {
                alternatives.append(GrammarBuilder.empty)
                continue
            }
            if groups[first] == nil { order.append(first) }
            groups[first, default: []].append(Array(branch.dropFirst()))
        }
        for first in order {
            let rests = groups[first] ?? []
            alternatives.append(
                builder.sequence([first, rests.count == 1 ? builder.sequence(rests[0]) : factored(rests)]))
        }
        return builder.choice(alternatives)
    }
}

extension RegularLanguage {
    /// The text when the term plainly is one text, else nil.
    var onlyText: String? {
        let parts: [Term]
        switch term {
        case .set: parts = [term]
        case .concatenation(let members): parts = members
        default: return nil
        }
        var text = ""
        for part in parts {
            guard case .set(let set) = part, let only = set.intervals.first, set.intervals.count == 1,
                only.lower == only.upper, let scalar = Unicode.Scalar(only.lower)
            else { return nil }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
