/// A set of texts (strings of Unicode scalars) that a finite automaton can decide, as an immutable term: regular
/// expressions closed under union, intersection and complement. Questions about it (`isEmpty`, `contains`,
/// `enumerated`, `lengthBounds`) and its automaton come from its derivatives, so that no operation multiplies automata
/// ahead of need and a bounded repetition is a counter, not a copy.
///
/// Brzozowski, "Derivatives of Regular Expressions", JACM 1964; Owens, Reppy, Turon, "Regular-expression derivatives
/// re-examined", JFP 2009.
package struct RegularLanguage: Hashable, Sendable {
    /// The term. Build it with the functions of `RegularLanguage`, which simplify as they go.
    package indirect enum Term: Hashable, Sendable {
        /// One scalar of the set; the empty set is the language without texts.
        case set(CodePointSet)
        /// All in order; no members is the empty text.
        case concatenation([Term])
        /// Any of them.
        case union([Term])
        /// All of them at once.
        case intersection([Term])
        /// Every text that is not in it.
        case complement(Term)
        /// `minimum` to `maximum` times, without end when `maximum` is nil.
        case repetition(Term, minimum: Int, maximum: Int?)
        /// Texts whose decimal digits, read as one number after the number `state`, are divisible by `modulus`; other
        /// scalars do not count.
        case remainder(modulus: Int32, state: Int32)
    }

    package let term: Term

    package init(_ term: Term) { self.term = term }

    /// No text at all.
    package static let nothing = RegularLanguage(.set(.empty))
    /// The empty text only.
    package static let emptyText = RegularLanguage(.concatenation([]))
    /// Every text of one scalar.
    package static let anyScalar = RegularLanguage(.set(.all))
    /// Every text.
    package static let anyText = RegularLanguage(.repetition(.set(.all), minimum: 0, maximum: nil))

    /// Every text of one scalar of `set`.
    package static func set(_ set: CodePointSet) -> RegularLanguage { RegularLanguage(.set(set)) }

    /// `text` only.
    package static func text(_ text: String) -> RegularLanguage {
        .concatenation(text.unicodeScalars.map { .set(CodePointSet($0.value, $0.value)) })
    }

    /// Exactly these texts, common beginnings shared.
    /// - Complexity: O(total length × log count).
    package static func texts(_ texts: [String]) -> RegularLanguage {
        let scalars = texts.map { Array($0.unicodeScalars.map(\.value)) }
            .sorted { $0.lexicographicallyPrecedes($1) }
        return RegularLanguage(shared(scalars[...], depth: 0))
    }

    /// Terms are put together here as they are: branches that begin differently need no comparison.
    private static func shared(_ texts: ArraySlice<[UInt32]>, depth: Int) -> Term {
        guard let first = texts.first, let last = texts.last else { return Self.nothing.term }
        var depth = depth
        var common: [Term] = []
        // A run that all share is walked without recursion, so that one long text does not nest deeply. They are sorted:
        // what the first and the last share, all do.
        while first.count > depth, last.count > depth, first[depth] == last[depth] {
            common.append(.set(CodePointSet(first[depth], first[depth])))
            depth += 1
        }
        var branches: [Term] = []
        var start = texts.startIndex
        if first.count == depth { branches.append(Self.emptyText.term) }
        while start < texts.endIndex, texts[start].count == depth { start += 1 }
        while start < texts.endIndex {
            let scalar = texts[start][depth]
            var end = start
            while end < texts.endIndex, texts[end][depth] == scalar { end += 1 }
            branches.append(shared(texts[start..<end], depth: depth))
            start = end
        }
        if branches.count > 1 {
            common.append(.union(branches))
        } else if branches[0] != Self.emptyText.term {
            common.append(branches[0])
        }
        return common.count == 1 ? common[0] : .concatenation(common)
    }

    package static func concatenation(_ parts: [RegularLanguage]) -> RegularLanguage {
        var flat: [Term] = []
        for part in parts {
            if part == .nothing { return .nothing }
            if case .concatenation(let inner) = part.term { flat += inner } else { flat.append(part.term) }
        }
        return RegularLanguage(flat.count == 1 ? flat[0] : .concatenation(flat))
    }

    package static func union(_ parts: [RegularLanguage]) -> RegularLanguage {
        var flat: [Term] = []
        var seen: Set<Term> = []
        func add(_ term: Term) {
            if case .union(let inner) = term {
                inner.forEach(add)
            } else if seen.insert(term).inserted {
                flat.append(term)
            }
        }
        for part in parts where part != .nothing { add(part.term) }
        if flat.isEmpty { return .nothing }
        return RegularLanguage(flat.count == 1 ? flat[0] : .union(flat))
    }

    package static func intersection(_ parts: [RegularLanguage]) -> RegularLanguage {
        var flat: [Term] = []
        for part in parts where part != .anyText {
            if part == .nothing { return .nothing }
            if case .intersection(let inner) = part.term { flat += inner } else { flat.append(part.term) }
        }
        if flat.isEmpty { return .anyText }
        return RegularLanguage(flat.count == 1 ? flat[0] : .intersection(flat))
    }

    package var complement: RegularLanguage {
        if case .complement(let inner) = term { return RegularLanguage(inner) }
        if self == .nothing { return .anyText }
        if self == .anyText { return .nothing }
        return RegularLanguage(.complement(term))
    }

    package func union(_ other: RegularLanguage) -> RegularLanguage { .union([self, other]) }
    package func intersection(_ other: RegularLanguage) -> RegularLanguage { .intersection([self, other]) }
    package func subtracting(_ other: RegularLanguage) -> RegularLanguage { intersection(other.complement) }
    package func then(_ other: RegularLanguage) -> RegularLanguage { .concatenation([self, other]) }

    /// `minimum` to `maximum` times, without end when `maximum` is nil.
    package func repeated(_ minimum: Int = 0, _ maximum: Int? = nil) -> RegularLanguage {
        if maximum == 0 || self == .emptyText { return .emptyText }
        if self == .nothing { return minimum == 0 ? .emptyText : .nothing }
        if minimum == 1, maximum == 1 { return self }
        return RegularLanguage(.repetition(term, minimum: minimum, maximum: maximum))
    }

    /// Every text of `minimum` to `maximum` scalars.
    package static func length(_ minimum: Int, _ maximum: Int? = nil) -> RegularLanguage {
        RegularLanguage.anyScalar.repeated(minimum, maximum)
    }

    /// Texts whose decimal digits, read as one number, are divisible by `modulus`, which must be positive.
    package static func remainder(modulus: Int) -> RegularLanguage {
        RegularLanguage(.remainder(modulus: Int32(clamping: modulus), state: 0))
    }
}
