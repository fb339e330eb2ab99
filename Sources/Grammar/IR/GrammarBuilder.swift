/// How the scalars of a regular language are spelled in the output.
package enum RegularEncoding: UInt8, Hashable, Sendable {
    /// As their UTF-8 bytes.
    case utf8
    /// As a JSON string *with both quotes*: every spelling that RFC 8259 allows for each scalar, raw or escaped
    /// (`\n`, `\u000a`, surrogate pairs for scalars beyond U+FFFF). A lone surrogate is never a member.
    case jsonString
    /// As a JSON string with both quotes in which every scalar has one spelling: raw where JSON allows it, else the
    /// two-character escape, else `\u00xx` in lower case.
    case canonicalJSONString
}

/// Makes rule bodies on first use. A rule is named by a key of integers whose meaning is the source's own, for example
/// (place in the schema, set of keys already seen), so that a grammar with a huge or endless number of rules costs only
/// those that the text reaches.
///
/// `body(of:in:)` is called at most once per key, with the grammar locked, possibly on the engine's thread: it must be
/// quick (tens of microseconds) and must not block. The body must match at least one text; a source that cannot rule
/// out an empty rule has to decide that before it hands out the key.
package protocol RuleSource: AnyObject, Sendable {
    func body(of key: [Int32], in builder: inout GrammarBuilder) throws(GrammarError) -> GrammarBuilder.Expression
}

/// An arena of grammar expressions. Frontends append to it; a compiled grammar keeps it, so that lazy rules can append
/// while text is matched. Equal expressions get one id.
package struct GrammarBuilder: Sendable {
    /// A handle on an expression of the builder that made it.
    package struct Expression: Hashable, Sendable {
        let id: Int32
    }

    /// A handle on a declared rule.
    package struct Rule: Hashable, Sendable {
        let id: Int32
    }

    /// A handle on a registered `RuleSource`.
    package struct Source: Hashable, Sendable {
        let id: Int32
    }

    enum Node: Hashable, Sendable {
        /// The empty text.
        case empty
        /// No text.
        case never
        /// Exactly these bytes, at least one.
        case bytes([UInt8])
        /// Index into `leaves`.
        case regular(Int32)
        /// At least two.
        case sequence([Int32])
        /// At least two.
        case choice([Int32])
        /// The maximum is -1 for no end.
        case repetition(Int32, Int32, Int32)
        /// Index into `rules`.
        case rule(Int32)
    }

    enum Leaf: Hashable, Sendable {
        case language(RegularLanguage, RegularEncoding)
        /// A JSON string of a format: its automaton is made with the vocabulary.
        case format(StringFormat)
        /// Ascending, distinct, at least two, none of them empty.
        case texts([[UInt8]])
    }

    enum RuleBody: Sendable {
        case undefined(name: String)
        case defined(Int32)
        case lazy(source: Int32, key: [Int32])
    }

    private struct LazyKey: Hashable, Sendable {
        var source: Int32
        var key: [Int32]
    }

    package let limits: GrammarLimits
    private(set) var nodes: [Node] = []
    private(set) var leaves: [Leaf] = []
    private(set) var rules: [RuleBody] = []
    private(set) var sources: [any RuleSource] = []
    private var nodeIDs: [Node: Int32] = [:]
    private var leafIDs: [Leaf: Int32] = [:]
    private var lazyIDs: [LazyKey: Int32] = [:]

    package init(limits: GrammarLimits = GrammarLimits()) {
        self.limits = limits
        _ = intern(.empty)
        _ = intern(.never)
    }

    private mutating func intern(_ node: Node) -> Expression {
        if let id = nodeIDs[node] { return Expression(id: id) }
        let id = Int32(nodes.count)
        nodes.append(node)
        nodeIDs[node] = id
        return Expression(id: id)
    }

    /// The empty text.
    package static let empty = Expression(id: 0)
    /// No text: an alternative that is `never` is dropped, a sequence with one is `never`.
    package static let never = Expression(id: 1)

    /// Whether more expressions exist than `GrammarLimits.maximumExpressions` allows.
    package var exceedsLimit: Bool { nodes.count > limits.maximumExpressions }

    /// Exactly these bytes.
    package mutating func bytes(_ bytes: some Sequence<UInt8>) -> Expression {
        let array = Array(bytes)
        return array.isEmpty ? Self.empty : intern(.bytes(array))
    }

    /// Exactly the UTF-8 bytes of `text`.
    package mutating func text(_ text: String) -> Expression { bytes(text.utf8) }

    /// The special token `id`, which no text can spell.
    package mutating func token(_ id: Int32) -> Expression { bytes(SpecialTokenBytes.spelling(of: id)) }

    /// The texts of `language`, spelled as `encoding` says. The language must not be empty; ask `isEmpty` before.
    /// One leaf is one deterministic automaton, shared by all its uses and made state by state as it is reached: prefer
    /// one leaf to a choice of many.
    package mutating func regular(_ language: RegularLanguage, _ encoding: RegularEncoding = .utf8) -> Expression {
        if language == .nothing { return Self.never }
        if language == .emptyText, encoding == .utf8 { return Self.empty }
        return self.leaf(.language(language, encoding))
    }

    /// Exactly one of these texts, each as it stands: one leaf, however many there are, that costs little until it is
    /// reached, and then what the texts have in common.
    package mutating func literals(_ texts: [[UInt8]]) -> Expression {
        var kept: [[UInt8]] = []
        for text in texts.sorted(by: { $0.lexicographicallyPrecedes($1) }) where kept.last != text { kept.append(text) }
        let isOptional = kept.first?.isEmpty == true
        if isOptional { kept.removeFirst() }
        let one: Expression
        switch kept.count {
        case 0: one = isOptional ? Self.empty : Self.never
        case 1: one = bytes(kept[0])
        default: one = leaf(.texts(kept))
        }
        return isOptional ? optional(one) : one
    }

    /// The JSON strings of a format, in any spelling.
    mutating func strings(of format: StringFormat) -> Expression { leaf(.format(format)) }

    private mutating func leaf(_ leaf: Leaf) -> Expression {
        if let id = leafIDs[leaf] { return intern(.regular(id)) }
        let id = Int32(leaves.count)
        leaves.append(leaf)
        leafIDs[leaf] = id
        return intern(.regular(id))
    }

    /// All parts in order.
    package mutating func sequence(_ parts: [Expression]) -> Expression {
        var flat: [Int32] = []
        for part in parts {
            if part == Self.never { return Self.never }
            if part == Self.empty { continue }
            switch nodes[Int(part.id)] {
            case .sequence(let inner): flat += inner
            case .bytes(let tail):
                // Neighbouring literals become one, which keeps stacks flat.
                if let last = flat.last, case .bytes(let head) = nodes[Int(last)] {
                    flat[flat.count - 1] = intern(.bytes(head + tail)).id
                } else {
                    flat.append(part.id)
                }
            default: flat.append(part.id)
            }
        }
        if flat.isEmpty { return Self.empty }
        return flat.count == 1 ? Expression(id: flat[0]) : intern(.sequence(flat))
    }

    /// Any of the alternatives.
    package mutating func choice(_ alternatives: [Expression]) -> Expression {
        var flat: [Int32] = []
        var seen: Set<Int32> = []
        for alternative in alternatives where alternative != Self.never {
            if case .choice(let inner) = nodes[Int(alternative.id)] {
                for id in inner where seen.insert(id).inserted { flat.append(id) }
            } else if seen.insert(alternative.id).inserted {
                flat.append(alternative.id)
            }
        }
        if flat.isEmpty { return Self.never }
        return flat.count == 1 ? Expression(id: flat[0]) : intern(.choice(flat))
    }

    package mutating func optional(_ part: Expression) -> Expression { choice([Self.empty, part]) }

    /// `minimum` to `maximum` times, without end when `maximum` is nil. Counts cost nothing until they are reached.
    package mutating func repetition(_ part: Expression, minimum: Int = 0, maximum: Int? = nil) -> Expression {
        if maximum == 0 || part == Self.empty { return Self.empty }
        if part == Self.never { return minimum == 0 ? Self.empty : Self.never }
        if minimum == 1, maximum == 1 { return part }
        let most = Int(Int32.max) - 1
        return intern(
            .repetition(part.id, Int32(min(minimum, most)), maximum.map { Int32(min($0, most)) } ?? -1))
    }

    /// Declares a rule, so that bodies may refer to it before it is defined.
    /// - Parameter name: what an error calls it.
    package mutating func declareRule(_ name: String) -> Rule {
        rules.append(.undefined(name: name))
        return Rule(id: Int32(rules.count - 1))
    }

    /// Gives a declared rule its body.
    package mutating func define(_ rule: Rule, as body: Expression) { rules[Int(rule.id)] = .defined(body.id) }

    /// A use of a rule.
    package mutating func reference(_ rule: Rule) -> Expression { intern(.rule(rule.id)) }

    /// Registers a source of lazy rules.
    package mutating func register(_ source: any RuleSource) -> Source {
        sources.append(source)
        return Source(id: Int32(sources.count - 1))
    }

    /// A use of the rule that `source` names `key`; its body is asked for on first use. The same key is the same rule.
    package mutating func lazyRule(_ source: Source, _ key: [Int32]) -> Expression {
        let lazyKey = LazyKey(source: source.id, key: key)
        if let id = lazyIDs[lazyKey] { return intern(.rule(id)) }
        let id = Int32(rules.count)
        rules.append(.lazy(source: source.id, key: key))
        lazyIDs[lazyKey] = id
        return intern(.rule(id))
    }

    /// The body of rule `id`, made now if it is lazy.
    mutating func body(ofRule id: Int32) throws(GrammarError) -> Int32 {
        switch rules[Int(id)] {
        case .defined(let body): return body
        case .undefined: return Self.never.id
        case .lazy(let source, let key):
            let body = try sources[Int(source)].body(of: key, in: &self)
            rules[Int(id)] = .defined(body.id)
            return body.id
        }
    }
}

/// A grammar as frontends give it: an arena and where matching starts.
package struct GrammarIR: Sendable {
    package var builder: GrammarBuilder
    package var root: GrammarBuilder.Expression

    package init(builder: GrammarBuilder, root: GrammarBuilder.Expression) {
        self.builder = builder
        self.root = root
    }
}

/// Special tokens take part in grammars as byte strings that start with 0xFF, a byte that no UTF-8 text contains: a
/// regular language never matches one, a literal can.
enum SpecialTokenBytes {
    /// Bytes of a spelling.
    static let length = 5

    static func spelling(of id: Int32) -> [UInt8] {
        let value = UInt32(bitPattern: id)
        return [0xFF] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    static func id(from bytes: some Collection<UInt8>) -> Int32? {
        guard bytes.count == length, bytes.first == 0xFF else { return nil }
        return Int32(bitPattern: bytes.dropFirst().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
}
