/// An EBNF grammar as written.
indirect enum EBNFNode: Hashable {
    case text([UInt8])
    case set(CodePointSet)
    case token(Int32)
    case rule(Int)
    case sequence([EBNFNode])
    case choice([EBNFNode])
    case repetition(EBNFNode, minimum: Int, maximum: Int?)
}

/// The rules of a grammar, in order of their first mention.
struct EBNFRules {
    struct Rule {
        var name: String
        /// Where it is defined, or first used while it is not defined.
        var line: Int
        var column: Int
        var body: EBNFNode?
    }

    var rules: [Rule] = []
    var ids: [String: Int] = [:]

    mutating func id(_ name: String, line: Int, column: Int) -> Int {
        if let id = ids[name] { return id }
        ids[name] = rules.count
        rules.append(Rule(name: name, line: line, column: column, body: nil))
        return rules.count - 1
    }
}

/// Reads GBNF (llama.cpp) and XGrammar's EBNF: `name ::= body`, texts in quotes, bracket classes, `.`, groups,
/// `* + ? {m,n}`, `|`, `#` comments. A rule goes on over line ends until the next `name ::=`.
struct EBNFReader {
    private let scalars: [UInt32]
    private var index = 0
    private var lineStarts: [Int] = [0]
    private let limits: GrammarLimits
    private var rules = EBNFRules()

    private init(_ source: String, _ limits: GrammarLimits) {
        scalars = source.unicodeScalars.map(\.value)
        self.limits = limits
        for (offset, scalar) in scalars.enumerated() where scalar == 0x0A { lineStarts.append(offset + 1) }
    }

    static func read(_ source: String, _ limits: GrammarLimits) throws(GrammarError) -> EBNFRules {
        if source.utf8.count > limits.maximumSourceBytes {
            throw .limitExceeded(bound: "maximumSourceBytes", limit: limits.maximumSourceBytes)
        }
        var reader = EBNFReader(source, limits)
        reader.skipSpace()
        while reader.index < reader.scalars.count { try reader.rule() }
        return reader.rules
    }

    private func position(_ offset: Int) -> (line: Int, column: Int) {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return (low + 1, offset - lineStarts[low] + 1)
    }

    private func malformed(_ reason: String, at offset: Int? = nil) -> GrammarError {
        let (line, column) = position(offset ?? index)
        return .invalidGrammar(line: line, column: column, reason: reason)
    }

    private func peek(_ ahead: Int = 0) -> UInt32? {
        index + ahead < scalars.count ? scalars[index + ahead] : nil
    }

    private mutating func take(_ text: String) -> Bool {
        for (offset, scalar) in text.unicodeScalars.enumerated() where peek(offset) != scalar.value { return false }
        index += text.unicodeScalars.count
        return true
    }

    private mutating func skipSpace() {
        while let next = peek() {
            if next == 0x23 {
                while let inside = peek(), inside != 0x0A { index += 1 }
            } else if next == 0x20 || (0x09...0x0D).contains(next) {
                index += 1
            } else {
                break
            }
        }
    }

    private static func isNameScalar(_ scalar: UInt32) -> Bool {
        scalar < 0x80
            && (Unicode.Scalar(scalar).map { $0.properties.isAlphabetic } == true || (0x30...0x39).contains(scalar)
                || scalar == 0x5F || scalar == 0x2D || scalar == 0x2E)
    }

    private mutating func name() -> String? {
        let start = index
        while let next = peek(), Self.isNameScalar(next) { index += 1 }
        if index == start { return nil }
        var text = ""
        for scalar in scalars[start..<index] { text.unicodeScalars.append(Unicode.Scalar(scalar) ?? " ") }
        return text
    }

    /// Whether a rule's definition starts here.
    private func startsRule() -> Bool {
        var copy = self
        guard copy.name() != nil else { return false }
        copy.skipSpace()
        return copy.take("::=")
    }

    private mutating func rule() throws(GrammarError) {
        let start = index
        guard let name = name() else { throw malformed("a rule name is expected here") }
        skipSpace()
        if !take("::=") { throw malformed("\"::=\" is expected after the rule name \(name)") }
        skipSpace()
        let (line, column) = position(start)
        let id = rules.id(name, line: line, column: column)
        if rules.rules[id].body != nil { throw malformed("the rule \(name) is defined twice", at: start) }
        rules.rules[id].line = line
        rules.rules[id].column = column
        rules.rules[id].body = try choice(depth: 0)
        if index < scalars.count, !startsRule() { throw malformed("this is not part of a rule") }
    }

    private mutating func choice(depth: Int) throws(GrammarError) -> EBNFNode {
        if depth > limits.maximumNesting {
            throw .limitExceeded(bound: "maximumNesting", limit: limits.maximumNesting)
        }
        var branches = [try sequence(depth: depth)]
        while take("|") {
            skipSpace()
            branches.append(try sequence(depth: depth))
        }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence(depth: Int) throws(GrammarError) -> EBNFNode {
        var parts: [EBNFNode] = []
        while let next = peek(), next != 0x7C, next != 0x29, !startsRule() {
            var node = try atom(depth: depth)
            skipSpace()
            while let (minimum, maximum) = try quantifier() {
                node = .repetition(node, minimum: minimum, maximum: maximum)
                skipSpace()
            }
            parts.append(node)
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantifier() throws(GrammarError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = index
        guard take("{") else { return nil }
        skipSpace()
        let low = number()
        skipSpace()
        var high = low
        let comma = take(",")
        if comma {
            skipSpace()
            high = number()
            skipSpace()
        }
        guard take("}"), low != nil || high != nil else {
            throw malformed("a repetition is written {m}, {m,}, {m,n} or {,n}", at: start)
        }
        if let high, high < low ?? 0 { throw malformed("the bounds of this repetition are out of order", at: start) }
        return (low ?? 0, high)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let next = peek(), (0x30...0x39).contains(next) {
            value = min((value ?? 0) * 10 + Int(next - 0x30), 1 << 30)
            index += 1
        }
        return value
    }

    private mutating func atom(depth: Int) throws(GrammarError) -> EBNFNode {
        let start = index
        guard let next = peek() else { throw malformed("the grammar ends too early") }
        switch next {
        case 0x22, 0x27:
            index += 1
            return .text(try quoted(next, start))
        case 0x5B:
            index += 1
            return .set(try bracket(start))
        case 0x2E:
            index += 1
            return .set(.all)
        case 0x28:
            index += 1
            if peek() == 0x3D { throw malformed("lookahead assertions (= …) are not supported", at: start) }
            skipSpace()
            let inner = try choice(depth: depth + 1)
            if !take(")") { throw malformed("this parenthesis is not closed", at: start) }
            return inner
        case 0x3C:
            index += 1
            guard take("["), let id = number(), take("]"), take(">") else {
                throw malformed("a token is written <[id]>", at: start)
            }
            return .token(Int32(clamping: id))
        default:
            guard let name = name() else { throw malformed("this character has no meaning here") }
            if peek() == 0x28 { throw malformed("the macro \(name)(…) is not supported", at: start) }
            let (line, column) = position(start)
            return .rule(rules.id(name, line: line, column: column))
        }
    }

    private mutating func quoted(_ quote: UInt32, _ start: Int) throws(GrammarError) -> [UInt8] {
        var text = ""
        while let next = peek(), next != quote {
            if next == 0x0A { break }
            let value = try character()
            guard let scalar = Unicode.Scalar(value) else { throw malformed("a lone surrogate is no text", at: start) }
            text.unicodeScalars.append(scalar)
        }
        if peek() != quote { throw malformed("this text is not closed", at: start) }
        index += 1
        return Array(text.utf8)
    }

    private mutating func bracket(_ start: Int) throws(GrammarError) -> CodePointSet {
        var negated = false
        if peek() == 0x5E {
            negated = true
            index += 1
        }
        var set = CodePointSet.empty
        while let next = peek(), next != 0x5D {
            if let escape = classEscape() {
                set = set.union(escape)
                continue
            }
            let from = index
            let lower = try character()
            if peek() == 0x2D, let after = peek(1), after != 0x5D {
                index += 1
                let upper = try character()
                if upper < lower { throw malformed("the ends of this range are out of order", at: from) }
                set = set.union(CodePointSet(lower, upper))
            } else {
                set = set.union(CodePointSet(lower, lower))
            }
        }
        if peek() != 0x5D { throw malformed("this bracket is not closed", at: start) }
        index += 1
        return negated ? set.inverted : set
    }

    private mutating func classEscape() -> CodePointSet? {
        guard peek() == 0x5C, let letter = peek(1) else { return nil }
        let set: CodePointSet
        switch letter {
        case 0x64: set = CharacterClasses.digit
        case 0x44: set = CharacterClasses.digit.inverted
        case 0x77: set = CharacterClasses.word
        case 0x57: set = CharacterClasses.word.inverted
        case 0x73: set = CharacterClasses.space
        case 0x53: set = CharacterClasses.space.inverted
        default: return nil
        }
        index += 2
        return set
    }

    /// One character of a text or bracket, escaped or not.
    private mutating func character() throws(GrammarError) -> UInt32 {
        let start = index
        guard let next = peek() else { throw malformed("the grammar ends too early") }
        index += 1
        if next != 0x5C { return next }
        guard let letter = peek() else { throw malformed("a lone backslash ends the grammar", at: start) }
        index += 1
        switch letter {
        case 0x6E: return 0x0A
        case 0x72: return 0x0D
        case 0x74: return 0x09
        case 0x62: return 0x08
        case 0x66: return 0x0C
        case 0x76: return 0x0B
        case 0x30: return 0
        case 0x78: return try hexadecimal(2, start)
        case 0x75: return try hexadecimal(4, start)
        case 0x55: return try hexadecimal(8, start)
        default:
            let isWord =
                (0x30...0x39).contains(letter) || (0x41...0x5A).contains(letter) || (0x61...0x7A).contains(letter)
            if isWord { throw malformed("this is not an escape", at: start) }
            return letter
        }
    }

    private mutating func hexadecimal(_ digits: Int, _ start: Int) throws(GrammarError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let next = peek(), let scalar = Unicode.Scalar(next), next < 0x80,
                let digit = Character(scalar).hexDigitValue
            else { throw malformed("this escape needs \(digits) hexadecimal digits", at: start) }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        if value > CodePointSet.maximum { throw malformed("there is no such code point", at: start) }
        return value
    }
}
