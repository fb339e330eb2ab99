/// Syntax tree of a pattern.
indirect enum PatternNode {
    /// Matches the empty text.
    case empty
    /// One code point of the set.
    case set(CodePointSet)
    case sequence([PatternNode])
    /// The first alternative that leads to a match wins.
    case alternatives([PatternNode])
    /// `max` nil: no upper bound.
    case repetition(PatternNode, min: Int, max: Int?, greed: PatternGreed)
    /// `(?>…)`: once matched, never entered again.
    case atomic(PatternNode)
    case lookahead(PatternNode, negative: Bool)
    case lookbehind(PatternNode, negative: Bool)
    case assertion(PatternAssertion)
}

/// In which order a repetition tries its counts.
enum PatternGreed {
    case greedy
    case lazy
    /// As greedy, but gives nothing back.
    case possessive
}

/// Conditions on a position, with the meaning that Oniguruma gives them.
enum PatternAssertion {
    /// `\A`
    case textStart
    /// `\z`
    case textEnd
    /// `\Z`: at the end, or before a newline that ends the text.
    case textEndOrFinalNewline
    /// `^`: at the start, or behind a newline that does not end the text.
    case lineStart
    /// `$`: at the end, or before a newline.
    case lineEnd
    /// `\b`
    case wordBoundary
    /// `\B`
    case notWordBoundary
}

/// Syntax that the matcher does not have.
struct PatternError: Error, Equatable {
    /// The construct, such as `back reference \1`.
    var syntax: String
    /// Unicode scalars from the start of the pattern.
    var offset: Int
}

extension PatternNode {
    /// Whether the node can match the empty text. Assertions count as empty.
    var isNullable: Bool {
        switch self {
        case .empty, .lookahead, .lookbehind, .assertion: true
        case .set: false
        case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
        case .alternatives(let nodes): nodes.contains(where: \.isNullable)
        case .repetition(let node, let min, _, _): min == 0 || node.isNullable
        case .atomic(let node): node.isNullable
        }
    }

    /// Code points with which a match can start; nil where the node can match without reading one.
    var firstSet: CodePointSet? {
        switch self {
        case .empty, .lookahead, .lookbehind, .assertion: return nil
        case .set(let set): return set
        case .atomic(let node): return node.firstSet
        case .repetition(let node, let min, _, _): return min == 0 ? nil : node.firstSet
        case .alternatives(let nodes):
            var union = CodePointSet.empty
            for node in nodes {
                guard let set = node.firstSet else { return nil }
                union = union.union(set)
            }
            return union
        case .sequence(let nodes):
            var union = CodePointSet.empty
            for node in nodes {
                if let set = node.firstSet { return union.union(set) }
                // An optional part widens the set; a condition on the position might too, so it ends the search.
                guard case .repetition(let body, _, _, _) = node, let set = body.firstSet else { return nil }
                union = union.union(set)
            }
            return nil
        }
    }

    /// Whether the node matches at every position, possibly the empty text.
    var alwaysMatches: Bool {
        switch self {
        case .empty: true
        case .set, .lookahead, .lookbehind, .assertion: false
        case .sequence(let nodes): nodes.allSatisfy(\.alwaysMatches)
        case .alternatives(let nodes): nodes.contains(where: \.alwaysMatches)
        case .repetition(let node, let min, _, _): min == 0 || node.alwaysMatches
        case .atomic(let node): node.alwaysMatches
        }
    }

    /// Code points that the node reads, where all its matches read the same number; nil otherwise.
    var fixedLength: Int? {
        switch self {
        case .empty, .lookahead, .lookbehind, .assertion: return 0
        case .set: return 1
        case .atomic(let node): return node.fixedLength
        case .repetition(let node, let min, let max, _):
            guard min == max, let length = node.fixedLength else { return nil }
            return min * length
        case .sequence(let nodes):
            var sum = 0
            for node in nodes {
                guard let length = node.fixedLength else { return nil }
                sum += length
            }
            return sum
        case .alternatives(let nodes):
            let lengths = nodes.map(\.fixedLength)
            guard let first = lengths.first, lengths.allSatisfy({ $0 == first }) else { return nil }
            return first
        }
    }
}
