/// What a regular expression has to match.
package enum RegexAnchoring: Sendable {
    /// Some part of the text, as JSON Schema's `pattern`.
    case search
    /// The whole text, as `guided_regex`.
    case whole
}

extension RegularLanguage {
    /// The language of a regular expression in the syntax that ECMA-262 and Python's `re` share. `\d`, `\w` and `\b` are
    /// ASCII, `\s` is Unicode, `.` is anything but a line end, as in ECMA-262. Lookaheads and word boundaries are
    /// decided by intersection; back-references, lookbehinds, and anchors inside unbounded repetitions are refused.
    ///
    /// - Throws: `invalidPattern`, `unsupportedPattern` with the offset, `limitExceeded`.
    package init(
        pattern: String, anchoring: RegexAnchoring, limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) {
        let node = try RegexParser.parse(pattern, limits)
        var translation = RegexTranslation(pattern: pattern, node)
        let language: RegularLanguage
        switch anchoring {
        case .whole:
            language = try translation.translate(node, .start, RegexTranslation.Rest(.emptyText))
        case .search:
            let rest = RegexTranslation.Rest(.anyText)
            if !node.dependsOnContext {
                language = .concatenation([.anyText, RegexTranslation.plain(node), .anyText])
            } else if !node.hasStartOfText, !node.hasWordBoundary {
                let found = try translation.translate(node, .other, rest)
                language = .anyText.then(found)
            } else {
                var branches = [try translation.translate(node, .start, rest)]
                for (before, context) in translation.prefixes {
                    branches.append(before.then(try translation.translate(node, context, rest)))
                }
                language = .union(branches)
            }
        }
        self = language
    }
}

/// Turns a regular expression with anchors and lookaheads into a plain language, by translating every part together
/// with all that follows it up to the end of the text: then `$` means "what follows is empty", and a lookahead is an
/// intersection with what follows.
struct RegexTranslation {
    /// What is known of the scalar before.
    enum Context: Int {
        case start, word, other
    }

    /// The language of all that follows a part, by what comes before it; computed at most once for each context.
    final class Rest {
        private let make: (inout RegexTranslation, Context) throws(GrammarError) -> RegularLanguage
        private var known: [RegularLanguage?] = [nil, nil, nil]

        init(_ language: RegularLanguage) { make = { (_, _) throws(GrammarError) in language } }

        init(_ make: @escaping (inout RegexTranslation, Context) throws(GrammarError) -> RegularLanguage) {
            self.make = make
        }

        func callAsFunction(
            _ translation: inout RegexTranslation, _ context: Context
        ) throws(GrammarError) -> RegularLanguage {
            if let language = known[context.rawValue] { return language }
            let language = try make(&translation, context)
            known[context.rawValue] = language
            return language
        }
    }

    let pattern: String
    let hasWordBoundary: Bool
    let hasNegatedLookahead: Bool
    /// Translating one part at several places multiplies; a pattern that needs more than this is refused.
    private var budget = 20_000

    init(pattern: String, _ node: RegexNode) {
        self.pattern = pattern
        hasWordBoundary = node.hasWordBoundary
        hasNegatedLookahead = node.hasNegatedLookahead
    }

    private static let word = RegularLanguage.set(CharacterClasses.word)
    private static let notWord = RegularLanguage.set(CharacterClasses.word.inverted)

    /// All nonempty texts that may come before a match, by the context that they leave.
    var prefixes: [(RegularLanguage, Context)] {
        hasWordBoundary
            ? [(.anyText.then(Self.word), .word), (.anyText.then(Self.notWord), .other)]
            : [(.length(1), .other)]
    }

    /// The language of a part that does not depend on its surroundings.
    static func plain(_ node: RegexNode) -> RegularLanguage {
        switch node {
        case .set(let set): .set(set)
        case .sequence(let parts): .concatenation(parts.map(plain))
        case .choice(let parts): .union(parts.map(plain))
        case .repetition(let part, let minimum, let maximum): plain(part).repeated(minimum, maximum)
        case .startOfText, .endOfText, .wordBoundary, .lookahead: .nothing
        }
    }

    mutating func translate(
        _ node: RegexNode, _ context: Context, _ rest: Rest
    ) throws(GrammarError) -> RegularLanguage {
        budget -= 1
        if budget < 0 { throw .limitExceeded(bound: "maximumPatternNodes", limit: 20_000) }
        if !node.dependsOnContext { return try before(rest, Self.plain(node), context) }
        switch node {
        case .set: return .nothing
        case .sequence(let parts): return try sequence(parts[...], context, rest)
        case .choice(let parts):
            var branches: [RegularLanguage] = []
            for part in parts { branches.append(try translate(part, context, rest)) }
            return .union(branches)
        case .startOfText: return context == .start ? try rest(&self, .start) : .nothing
        case .endOfText: return try rest(&self, context).isNullable ? .emptyText : .nothing
        case .wordBoundary(let negated):
            let after = try rest(&self, context)
            let wantsWord = (context == .word) == negated
            return after.intersection(
                wantsWord ? Self.word.then(.anyText) : .union([.emptyText, Self.notWord.then(.anyText)]))
        case .lookahead(let part, let negated):
            let seen = try translate(part, context, Rest(.anyText))
            let after = try rest(&self, context)
            return after.intersection(negated ? seen.complement : seen)
        case .repetition(let part, let minimum, let maximum):
            return try repetition(part, minimum, maximum, context, rest)
        }
    }

    private mutating func sequence(
        _ parts: ArraySlice<RegexNode>, _ context: Context, _ rest: Rest
    ) throws(GrammarError) -> RegularLanguage {
        guard var first = parts.first else { return try rest(&self, context) }
        var after = parts.dropFirst()
        let plain = parts.prefix { !$0.dependsOnContext }
        if plain.count > 1 {
            first = .sequence(Array(plain))
            after = parts[plain.endIndex...]
        }
        return try translate(
            first, context,
            Rest { (translation: inout RegexTranslation, context: Context) throws(GrammarError) in
                try translation.sequence(after, context, rest)
            })
    }

    /// `language`, then `rest` in each context that a text of `language` can leave.
    private mutating func before(
        _ rest: Rest, _ language: RegularLanguage, _ context: Context
    ) throws(GrammarError) -> RegularLanguage {
        if language == .emptyText { return try rest(&self, context) }
        if context == .other, !hasWordBoundary { return language.then(try rest(&self, .other)) }
        let nullable = language.isNullable
        if !hasWordBoundary {
            let after = try rest(&self, .other)
            if !nullable { return language.then(after) }
            let here = try rest(&self, context)
            if here == after { return language.then(after) }
            // Where the part is empty, the start is still the start. Counting that text as not at the start as well
            // adds nothing, since an anchor only ever refuses; but not so below a negation.
            let some = hasNegatedLookahead ? language.intersection(.length(1)) : language
            return .union([some.then(after), here])
        }
        var branches: [RegularLanguage] = []
        for (ending, left) in prefixes {
            branches.append(language.intersection(ending).then(try rest(&self, left)))
        }
        if nullable { branches.append(try rest(&self, context)) }
        return .union(branches)
    }

    private mutating func repetition(
        _ part: RegexNode, _ minimum: Int, _ maximum: Int?, _ context: Context, _ rest: Rest
    ) throws(GrammarError) -> RegularLanguage {
        guard let maximum, maximum <= 16 else {
            throw .unsupportedPattern(
                pattern: pattern, offset: 0, construct: "an anchor or lookaround inside an unbounded repetition")
        }
        if maximum == 0 { return try rest(&self, context) }
        let once = Rest { (translation: inout RegexTranslation, context: Context) throws(GrammarError) in
            try translation.repetition(part, max(0, minimum - 1), maximum - 1, context, rest)
        }
        let more = try translate(part, context, once)
        return minimum > 0 ? more : .union([more, try rest(&self, context)])
    }
}

extension RegularLanguage {
    /// Whether the empty text is in the language.
    package var isNullable: Bool { Self.isNullable(term) }

    private static func isNullable(_ term: Term) -> Bool {
        switch term {
        case .set: false
        case .remainder(_, let state): state == 0
        case .concatenation(let parts), .intersection(let parts): parts.allSatisfy(isNullable)
        case .union(let parts): parts.contains(where: isNullable)
        case .complement(let part): !isNullable(part)
        case .repetition(let part, let minimum, _): minimum == 0 || isNullable(part)
        }
    }
}
