/// Reads the syntax that ECMA-262 (with its annex B leniencies) and Python's `re` share. Greedy and lazy quantifiers
/// are the same language; capture groups only group.
struct RegexParser {
    private let pattern: String
    private let scalars: [UInt32]
    private var index = 0
    private let limits: GrammarLimits

    init(_ pattern: String, _ limits: GrammarLimits) {
        self.pattern = pattern
        scalars = pattern.unicodeScalars.map(\.value)
        self.limits = limits
    }

    static func parse(_ pattern: String, _ limits: GrammarLimits) throws(GrammarError) -> RegexNode {
        if pattern.utf8.count > limits.maximumSourceBytes {
            throw .limitExceeded(bound: "maximumSourceBytes", limit: limits.maximumSourceBytes)
        }
        var parser = RegexParser(pattern, limits)
        let node = try parser.choice(depth: 0)
        if parser.index < parser.scalars.count { throw parser.malformed("this parenthesis closes nothing") }
        return node
    }

    private func malformed(_ reason: String, at offset: Int? = nil) -> GrammarError {
        .invalidPattern(pattern: pattern, offset: offset ?? index, reason: reason)
    }

    private func unsupported(_ construct: String, at offset: Int? = nil) -> GrammarError {
        .unsupportedPattern(pattern: pattern, offset: offset ?? index, construct: construct)
    }

    private func peek(_ ahead: Int = 0) -> Character? {
        index + ahead < scalars.count ? Unicode.Scalar(scalars[index + ahead]).map(Character.init) : nil
    }

    private mutating func take(_ character: Character) -> Bool {
        guard peek() == character else { return false }
        index += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        for (offset, scalar) in text.unicodeScalars.enumerated()
        where index + offset >= scalars.count || scalars[index + offset] != scalar.value { return false }
        index += text.unicodeScalars.count
        return true
    }

    private mutating func choice(depth: Int) throws(GrammarError) -> RegexNode {
        if depth > limits.maximumNesting {
            throw .limitExceeded(bound: "maximumNesting", limit: limits.maximumNesting)
        }
        var branches = [try sequence(depth: depth)]
        while take("|") { branches.append(try sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence(depth: Int) throws(GrammarError) -> RegexNode {
        var parts: [RegexNode] = []
        while let next = peek(), next != "|", next != ")" { parts.append(try quantified(depth: depth)) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantified(depth: Int) throws(GrammarError) -> RegexNode {
        let start = index
        var node = try atom(depth: depth)
        var count = 0
        while let (minimum, maximum) = try quantifier() {
            if case .startOfText = node { throw malformed("nothing to repeat", at: start) }
            count += 1
            if count > 1 { throw malformed("a quantifier follows a quantifier", at: index - 1) }
            if peek() == "+" { throw unsupported("a possessive quantifier") }
            _ = take("?")
            node = .repetition(node, minimum: minimum, maximum: maximum)
        }
        return node
    }

    private mutating func quantifier() throws(GrammarError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard peek() == "{" else { return nil }
        let start = index
        index += 1
        let low = number()
        var high = low
        if take(",") { high = number() }
        let comma = scalars[index - 1] == 0x2C || high != low || scalars[start..<index].contains(0x2C)
        guard take("}"), low != nil || (comma && high != nil) else {
            index = start
            return nil
        }
        let minimum = low ?? 0
        if let high, high < minimum { throw malformed("the numbers of this quantifier are out of order", at: start) }
        return (minimum, comma ? high : minimum)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek()?.wholeNumberValue, peek()?.isASCII == true {
            value = min((value ?? 0) * 10 + digit, 1 << 30)
            index += 1
        }
        return value
    }

    private mutating func atom(depth: Int) throws(GrammarError) -> RegexNode {
        let start = index
        guard let character = peek() else { return .empty }
        switch character {
        case "(":
            index += 1
            return try group(depth: depth, start)
        case "[":
            index += 1
            return .set(try characterClass(start))
        case ".":
            index += 1
            return .set(CharacterClasses.lineEnds.inverted)
        case "^":
            index += 1
            return .startOfText
        case "$":
            index += 1
            return .endOfText
        case "*", "+", "?": throw malformed("nothing to repeat")
        case "{":
            if try quantifier() != nil { throw malformed("nothing to repeat", at: start) }
            index += 1
            return .set(CodePointSet(0x7B, 0x7B))
        case "\\":
            index += 1
            return try escape(start)
        default:
            let value = scalars[index]
            index += 1
            return .set(CodePointSet(value, value))
        }
    }

    private mutating func group(depth: Int, _ start: Int) throws(GrammarError) -> RegexNode {
        var look: Bool?
        if take("?") {
            if take(":") {
            } else if take("=") {
                look = false
            } else if take("!") {
                look = true
            } else if take("<=") || take("<!") {
                throw unsupported("a lookbehind", at: start)
            } else if take("<") || take("P<") || take("'") {
                while let next = peek(), next != ">", next != "'" { index += 1 }
                index += 1
            } else if take("P=") {
                throw unsupported("a back-reference", at: start)
            } else if take(">") {
                throw unsupported("an atomic group", at: start)
            } else if take("#") {
                while let next = peek(), next != ")" { index += 1 }
            } else {
                throw unsupported("a flag group", at: start)
            }
        }
        let inner = try choice(depth: depth + 1)
        if !take(")") { throw malformed("this parenthesis is not closed", at: start) }
        return look.map { .lookahead(inner, negated: $0) } ?? inner
    }

    // MARK: Escapes and classes

    private mutating func escape(_ start: Int) throws(GrammarError) -> RegexNode {
        guard let letter = peek() else { throw malformed("a lone backslash ends the pattern", at: start) }
        switch letter {
        case "b", "B":
            index += 1
            return .wordBoundary(negated: letter == "B")
        case "A":
            index += 1
            return .startOfText
        case "Z", "z":
            index += 1
            return .endOfText
        case "1"..."9": throw unsupported("a back-reference", at: start)
        case "k": throw unsupported("a back-reference", at: start)
        default: return .set(try escapedSet(start))
        }
    }

    /// What an escape means inside and outside of brackets; the backslash has been taken.
    private mutating func escapedSet(_ start: Int) throws(GrammarError) -> CodePointSet {
        guard let letter = peek() else { throw malformed("a lone backslash ends the pattern", at: start) }
        let value = scalars[index]
        index += 1
        switch letter {
        case "d": return CharacterClasses.digit
        case "D": return CharacterClasses.digit.inverted
        case "w": return CharacterClasses.word
        case "W": return CharacterClasses.word.inverted
        case "s": return CharacterClasses.space
        case "S": return CharacterClasses.space.inverted
        case "t": return CodePointSet(0x09, 0x09)
        case "n": return CodePointSet(0x0A, 0x0A)
        case "v": return CodePointSet(0x0B, 0x0B)
        case "f": return CodePointSet(0x0C, 0x0C)
        case "r": return CodePointSet(0x0D, 0x0D)
        case "a": return CodePointSet(0x07, 0x07)
        case "0":
            if let digit = peek(), digit.isASCII, digit.isNumber { throw unsupported("an octal escape", at: start) }
            return CodePointSet(0, 0)
        case "c":
            guard let control = peek(), control.isASCII, control.isLetter else {
                throw malformed("\\c needs a letter", at: start)
            }
            let code = scalars[index] & 0x1F
            index += 1
            return CodePointSet(code, code)
        case "x": return single(try hexadecimal(2, start))
        case "u": return single(try unicodeEscape(start))
        case "U": return single(try hexadecimal(8, start))
        case "p", "P": return try property(negated: letter == "P", start)
        default:
            if letter.isASCII, letter.isLetter || letter.isNumber {
                throw malformed("\\\(letter) is not an escape", at: start)
            }
            return CodePointSet(value, value)
        }
    }

    private func single(_ value: UInt32) -> CodePointSet { CodePointSet(value, value) }

    private mutating func hexadecimal(_ digits: Int, _ start: Int) throws(GrammarError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = peek()?.hexDigitValue, peek()?.isASCII == true else {
                throw malformed("this escape needs \(digits) hexadecimal digits", at: start)
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        if value > CodePointSet.maximum { throw malformed("there is no such code point", at: start) }
        return value
    }

    private mutating func unicodeEscape(_ start: Int) throws(GrammarError) -> UInt32 {
        if take("{") {
            var value: UInt32 = 0
            var count = 0
            while let digit = peek()?.hexDigitValue, peek()?.isASCII == true, count < 8 {
                value = value << 4 | UInt32(digit)
                index += 1
                count += 1
            }
            if !take("}") || count == 0 || value > CodePointSet.maximum {
                throw malformed("there is no such code point", at: start)
            }
            return value
        }
        let first = try hexadecimal(4, start)
        guard (0xD800...0xDBFF).contains(first), peek() == "\\", peek(1) == "u" else { return first }
        let saved = index
        index += 2
        let second = try hexadecimal(4, start)
        if (0xDC00...0xDFFF).contains(second) { return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00) }
        index = saved
        return first
    }

    private mutating func property(negated: Bool, _ start: Int) throws(GrammarError) -> CodePointSet {
        var name = ""
        if take("{") {
            while let next = peek(), next != "}" {
                name.append(next)
                index += 1
            }
            if !take("}") { throw malformed("this property is not closed", at: start) }
        } else if let next = peek() {
            name = String(next)
            index += 1
        }
        guard let set = CharacterClasses.property(name) else { throw unsupported("the property \(name)", at: start) }
        return negated ? set.inverted : set
    }

    private mutating func characterClass(_ start: Int) throws(GrammarError) -> CodePointSet {
        let negated = take("^")
        var intervals: [CodePointSet.Interval] = []
        while true {
            guard peek() != nil else { throw malformed("this bracket is not closed", at: start) }
            if take("]") { break }
            let from = index
            let (first, isSet) = try classAtom()
            guard peek() == "-", let after = peek(1), after != "]" else {
                intervals += first.intervals
                continue
            }
            let dash = index
            index += 1
            let (second, isSecondSet) = try classAtom()
            if isSet || isSecondSet {
                // Annex B: beside a set, the dash is itself.
                intervals += first.intervals + second.intervals + [.init(0x2D, 0x2D)]
                continue
            }
            guard let lower = first.intervals.first?.lower, let upper = second.intervals.first?.lower else {
                throw malformed("a lone surrogate has no place in a range", at: dash)
            }
            if lower > upper { throw malformed("the ends of this range are out of order", at: from) }
            intervals.append(.init(lower, upper))
        }
        let set = CodePointSet(intervals)
        return negated ? set.inverted : set
    }

    private mutating func classAtom() throws(GrammarError) -> (CodePointSet, isSet: Bool) {
        let start = index
        let value = scalars[index]
        index += 1
        if value != 0x5C { return (single(value), false) }
        if take("b") { return (single(0x08), false) }
        let letter = peek()
        let isSet = letter.map { "dDwWsSpP".contains($0) } ?? false
        return (try escapedSet(start), isSet)
    }
}
