extension GrammarStore {
    /// Finds the arena nodes reachable from `root`, without making lazy rules, that no text matches: a rule that can
    /// only go on for ever, or a leaf that is empty. A lazy rule counts as productive, as `RuleSource` promises.
    mutating func findDeadNodes(from root: Int32) {
        var order: [Int32] = []
        var seen: Set<Int32> = [root]
        var stack: [Int32] = [root]
        var needsSearch = false
        while let node = stack.popLast() {
            order.append(node)
            let children: [Int32]
            switch builder.nodes[Int(node)] {
            case .empty, .bytes: children = []
            case .never:
                needsSearch = true
                children = []
            case .regular(let leaf):
                // A term without booleans shows that it is empty, and `regular` dropped that already.
                if builder.leaves[Int(leaf)].mayHideEmptiness, prepareLeaf(Int(leaf)) == nil {
                    deadNodes.insert(node)
                    needsSearch = true
                }
                children = []
            case .sequence(let parts), .choice(let parts): children = parts
            case .repetition(let part, _, _): children = [part]
            case .rule(let rule):
                switch builder.rules[Int(rule)] {
                case .defined(let body):
                    needsSearch = true
                    children = [body]
                case .undefined:
                    needsSearch = true
                    children = []
                case .lazy: children = []
                }
            }
            for child in children where seen.insert(child).inserted { stack.append(child) }
        }
        guard needsSearch else { return }
        var productive: Set<Int32> = []
        var changed = true
        while changed {
            changed = false
            for node in order.reversed() where !productive.contains(node) && !deadNodes.contains(node) {
                if isProductive(node, productive) {
                    productive.insert(node)
                    changed = true
                }
            }
        }
        for node in order where !productive.contains(node) { deadNodes.insert(node) }
    }

    private func isProductive(_ node: Int32, _ productive: Set<Int32>) -> Bool {
        switch builder.nodes[Int(node)] {
        case .empty, .bytes, .regular: return true
        case .never: return false
        case .sequence(let parts): return parts.allSatisfy(productive.contains)
        case .choice(let parts): return parts.contains(where: productive.contains)
        case .repetition(let part, let low, _): return low == 0 || productive.contains(part)
        case .rule(let rule):
            switch builder.rules[Int(rule)] {
            case .defined(let body): return productive.contains(body)
            case .undefined: return false
            case .lazy: return true
            }
        }
    }
}

extension GrammarBuilder.Leaf {
    fileprivate var mayHideEmptiness: Bool {
        switch self {
        case .language(let language, _): language.mayHideEmptiness
        case .texts, .format: false
        }
    }
}

extension RegularLanguage {
    /// Whether the term contains an intersection or a complement.
    var mayHideEmptiness: Bool { Self.hasBoolean(term) }

    private static func hasBoolean(_ term: Term) -> Bool {
        switch term {
        case .set, .remainder: false
        case .concatenation(let parts), .union(let parts): parts.contains(where: hasBoolean)
        case .intersection, .complement: true
        case .repetition(let part, _, _): hasBoolean(part)
        }
    }
}
