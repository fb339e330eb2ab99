/// A regular expression as written.
indirect enum RegexNode {
    case set(CodePointSet)
    case sequence([RegexNode])
    case choice([RegexNode])
    case repetition(RegexNode, minimum: Int, maximum: Int?)
    /// `^`
    case startOfText
    /// `$`
    case endOfText
    /// `\b`, or `\B` when negated.
    case wordBoundary(negated: Bool)
    /// `(?=…)`, or `(?!…)` when negated.
    case lookahead(RegexNode, negated: Bool)

    static var empty: RegexNode { .sequence([]) }

    /// Whether it says something of its surroundings, so that it is no language by itself.
    var dependsOnContext: Bool {
        switch self {
        case .set: false
        case .sequence(let parts), .choice(let parts): parts.contains { $0.dependsOnContext }
        case .repetition(let part, _, _): part.dependsOnContext
        case .startOfText, .endOfText, .wordBoundary, .lookahead: true
        }
    }

    var hasWordBoundary: Bool {
        switch self {
        case .set, .startOfText, .endOfText: false
        case .sequence(let parts), .choice(let parts): parts.contains { $0.hasWordBoundary }
        case .repetition(let part, _, _), .lookahead(let part, _): part.hasWordBoundary
        case .wordBoundary: true
        }
    }

    var hasNegatedLookahead: Bool {
        switch self {
        case .set, .startOfText, .endOfText, .wordBoundary: false
        case .sequence(let parts), .choice(let parts): parts.contains { $0.hasNegatedLookahead }
        case .repetition(let part, _, _): part.hasNegatedLookahead
        case .lookahead(let part, let negated): negated || part.hasNegatedLookahead
        }
    }

    var hasStartOfText: Bool {
        switch self {
        case .set, .endOfText, .wordBoundary: false
        case .sequence(let parts), .choice(let parts): parts.contains { $0.hasStartOfText }
        case .repetition(let part, _, _), .lookahead(let part, _): part.hasStartOfText
        case .startOfText: true
        }
    }
}
