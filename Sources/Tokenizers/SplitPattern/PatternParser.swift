/// Reads the regular expressions of `tokenizer.json`.
///
/// The dialect is that of Oniguruma with its default syntax, which the reference library uses: `^` and `$` work on
/// lines, `.` stops at a newline, `{n,m}+` repeats and is not possessive, `(?i)` holds to the end of its group,
/// alternatives included. Whatever is not known is an error and never a guess. Under `(?i)` code points are compared
/// one by one; foldings to several code points (`ß` and `ss`) are not made.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false
    private var dotMatchesNewline = false
    private var depth = 0

    /// Nesting above this is refused, so that a hostile file cannot exhaust the stack.
    private static let depthLimit = 100
    /// Largest number in `{n,m}`.
    private static let repetitionLimit = 1000

    /// - Throws: the construct that is not supported, with its place.
    static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
        let node = try parser.alternatives()
        if parser.position < parser.scalars.count {
            throw PatternError(syntax: "a closing parenthesis without an opening one", offset: parser.position)
        }
        return node
    }

    /// Pattern that matches `text` itself.
    static func literal(_ text: String) -> PatternNode {
        .sequence(text.unicodeScalars.map { .set(CodePointSet($0.value)) })
    }

    private init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private func startsWith(_ text: String) -> Bool {
        scalars[position...].starts(with: text.unicodeScalars)
    }

    private func unsupported(_ syntax: String, at offset: Int? = nil) -> PatternError {
        PatternError(syntax: syntax, offset: offset ?? position)
    }

    // MARK: Structure

    /// Everything to the closing parenthesis or the end. Options set inside end here.
    private mutating func alternatives() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit { throw unsupported("nesting deeper than \(Self.depthLimit)") }
        let outer = (ignoresCase, dotMatchesNewline)
        defer { (ignoresCase, dotMatchesNewline) = outer }
        var branches: [PatternNode] = []
        repeat {
            branches.append(try sequence())
        } while take("|")
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if scalar == "(", let rest = try optionsForTheRest() {
                nodes.append(rest)
                break
            }
            nodes.append(try quantified(try atom()))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func atom() throws(PatternError) -> PatternNode {
        let start = position
        guard let scalar = next else { return .empty }
        position += 1
        switch scalar {
        case "(": return try group(start)
        case "[": return .set(try bracket(start, isNested: false))
        case ".": return .set(dotMatchesNewline ? .all : CodePointSet(0x0A).inverted())
        case "^": return .assertion(.lineStart)
        case "$": return .assertion(.lineEnd)
        case "\\": return try escape(start)
        case "*", "+", "?": throw unsupported("a quantifier with nothing before it", at: start)
        default: return .set(folded(CodePointSet(scalar.value)))
        }
    }

    private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        var node = atom
        while let scalar = next {
            let start = position
            var bounds: (min: Int, max: Int?)
            var isInterval = false
            switch scalar {
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "?": bounds = (0, 1)
            case "{":
                guard let interval = try interval() else { return node }
                bounds = interval
                isInterval = true
            default: return node
            }
            if !isInterval { position += 1 }
            var greed = PatternGreed.greedy
            if next == "?" {
                if isInterval, bounds.min == bounds.max { throw unsupported("{n}?") }
                position += 1
                greed = .lazy
            } else if !isInterval, take("+") {
                greed = .possessive
            }
            if case .assertion = node { throw unsupported("a quantifier behind an assertion", at: start) }
            if node.isNullable, bounds.max != 1 {
                throw unsupported("a repetition of something that can be empty", at: start)
            }
            node = .repetition(node, min: bounds.min, max: bounds.max, greed: greed)
        }
        return node
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`; nil where the brace is an ordinary character, with the position unchanged.
    private mutating func interval() throws(PatternError) -> (min: Int, max: Int?)? {
        let start = position
        position += 1
        let low = decimal()
        let hasComma = take(",")
        let high = hasComma ? decimal() : low
        guard take("}"), low != nil || high != nil else {
            position = start
            // Oniguruma takes a brace that starts no interval for itself.
            return nil
        }
        let bounds = (min: low ?? 0, max: hasComma ? high : low)
        if bounds.min > Self.repetitionLimit || (bounds.max ?? 0) > Self.repetitionLimit {
            throw unsupported("a repetition of more than \(Self.repetitionLimit)", at: start)
        }
        if let max = bounds.max, max < bounds.min { throw unsupported("{n,m} with n above m", at: start) }
        return bounds
    }

    private mutating func decimal() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            position += 1
        }
        return value
    }

    // MARK: Groups

    private mutating func group(_ start: Int) throws(PatternError) -> PatternNode {
        let wrap: (PatternNode) -> PatternNode
        let outer = (ignoresCase, dotMatchesNewline)
        defer { (ignoresCase, dotMatchesNewline) = outer }
        if !take("?") {
            wrap = { $0 }
        } else if take(":") {
            wrap = { $0 }
        } else if take(">") {
            wrap = { .atomic($0) }
        } else if take("=") {
            wrap = { .lookahead($0, negative: false) }
        } else if take("!") {
            wrap = { .lookahead($0, negative: true) }
        } else if startsWith("<=") || startsWith("<!") {
            let negative = startsWith("<!")
            position += 2
            wrap = { .lookbehind($0, negative: negative) }
        } else if take("<") {
            // The name of a capture has no use here.
            while let scalar = next, scalar != ">" {
                guard scalar.properties.isAlphabetic || scalar == "_" || ("0"..."9").contains(scalar) else { break }
                position += 1
            }
            guard take(">") else { throw unsupported("a group name", at: start) }
            wrap = { $0 }
        } else {
            try options()
            guard take(":") else { throw unsupported("a group of this kind", at: start) }
            wrap = { $0 }
        }
        let body = try alternatives()
        guard take(")") else { throw unsupported("a group without its closing parenthesis", at: start) }
        if case .lookbehind(let inner, _) = wrap(body), inner.fixedLength == nil {
            throw unsupported("a lookbehind of varying length", at: start)
        }
        return wrap(body)
    }

    /// `(?i)`: the options hold for the rest of the group, alternatives included. Nil for any other group.
    private mutating func optionsForTheRest() throws(PatternError) -> PatternNode? {
        guard startsWith("(?") else { return nil }
        var end = position + 2
        while end < scalars.count, "imx-".unicodeScalars.contains(scalars[end]) { end += 1 }
        guard end > position + 2, end < scalars.count, scalars[end] == ")" else { return nil }
        position += 2
        let outer = (ignoresCase, dotMatchesNewline)
        defer { (ignoresCase, dotMatchesNewline) = outer }
        try options()
        position += 1
        return try alternatives()
    }

    private mutating func options() throws(PatternError) {
        var value = true
        while let scalar = next {
            switch scalar {
            case "-": value = false
            case "i": ignoresCase = value
            case "m": dotMatchesNewline = value
            case ":", ")": return
            default: throw unsupported("the option \(scalar)")
            }
            position += 1
        }
    }

    // MARK: Characters

    private func folded(_ set: CodePointSet) -> CodePointSet {
        guard ignoresCase else { return set }
        var runs = set.runs
        for (codePoint, group) in UnicodeTables.caseGroups where set.contains(codePoint) {
            runs += group.map { CodePointSet.Run(first: $0, last: $0) }
        }
        return CodePointSet(runs)
    }

    /// Behind a backslash outside brackets.
    private mutating func escape(_ start: Int) throws(PatternError) -> PatternNode {
        guard let scalar = next else { throw unsupported("a backslash at the end", at: start) }
        switch scalar {
        case "A": position += 1; return .assertion(.textStart)
        case "z": position += 1; return .assertion(.textEnd)
        case "Z": position += 1; return .assertion(.textEndOrFinalNewline)
        case "b": position += 1; return .assertion(.wordBoundary)
        case "B": position += 1; return .assertion(.notWordBoundary)
        case "1"..."9": throw unsupported("the back reference \\\(scalar)", at: start)
        default: break
        }
        if let set = try classEscape(start, isInBracket: false) { return .set(set) }
        return .set(folded(CodePointSet(try characterEscape(start))))
    }

    /// `\s`, `\p{…}` and the like; nil if the escape is a single character.
    private mutating func classEscape(_ start: Int, isInBracket: Bool) throws(PatternError) -> CodePointSet? {
        guard let scalar = next else { return nil }
        let set: CodePointSet
        switch scalar {
        case "s", "S": set = UnicodeTables.whiteSpaceSet
        case "d", "D": set = UnicodeTables.generalCategories["Nd"] ?? .empty
        case "w", "W":
            set = isInBracket ? UnicodeTables.patternBracketWordSet : UnicodeTables.patternWordSet
        case "h", "H":
            set = CodePointSet([
                .init(first: 0x30, last: 0x39), .init(first: 0x41, last: 0x46), .init(first: 0x61, last: 0x66),
            ])
        case "p", "P":
            position += 1
            return try property(start, inverted: scalar == "P")
        default: return nil
        }
        position += 1
        return ("A"..."Z").contains(scalar) ? set.inverted() : set
    }

    private mutating func property(_ start: Int, inverted: Bool) throws(PatternError) -> CodePointSet {
        guard take("{") else { throw unsupported("\\p without braces", at: start) }
        var inverted = inverted
        if take("^") { inverted.toggle() }
        var name = ""
        while let scalar = next, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take("}") else { throw unsupported("\\p{ without its closing brace", at: start) }
        guard let set = UnicodeTables.property(name) else { throw unsupported("\\p{\(name)}", at: start) }
        return inverted ? set.inverted() : set
    }

    /// The code point behind a backslash.
    private mutating func characterEscape(_ start: Int) throws(PatternError) -> UInt32 {
        guard let scalar = next else { throw unsupported("a backslash at the end", at: start) }
        position += 1
        switch scalar {
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "f": return 0x0C
        case "v": return 0x0B
        case "a": return 0x07
        case "e": return 0x1B
        case "u": return try hexadecimal(start, digits: 4...4)
        case "x":
            guard take("{") else { return try hexadecimal(start, digits: 1...2) }
            let value = try hexadecimal(start, digits: 1...8)
            guard take("}") else { throw unsupported("\\x{ without its closing brace", at: start) }
            return value
        default:
            // A letter or digit behind a backslash has, or may get, a meaning.
            if ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) {
                throw unsupported("\\\(scalar)", at: start)
            }
            return scalar.value
        }
    }

    private mutating func hexadecimal(_ start: Int, digits: ClosedRange<Int>) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < digits.upperBound, let digit = next?.hexadecimalValue {
            value = value << 4 | digit
            count += 1
            position += 1
        }
        guard count >= digits.lowerBound, Unicode.Scalar(value) != nil else {
            throw unsupported("a hexadecimal escape that is no Unicode scalar", at: start)
        }
        return value
    }

    // MARK: Brackets

    /// Behind `[`. Case is folded once, over all that the outermost brackets hold, properties included.
    private mutating func bracket(_ start: Int, isNested: Bool) throws(PatternError) -> CodePointSet {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit { throw unsupported("nesting deeper than \(Self.depthLimit)", at: start) }
        let inverted = take("^")
        var left: CodePointSet?
        var set = CodePointSet.empty
        var isFirst = true
        while true {
            guard let scalar = next else { throw unsupported("[ without its closing bracket", at: start) }
            if scalar == "]", !isFirst { break }
            if startsWith("&&") {
                position += 2
                left = left.map { $0.intersection(set) } ?? set
                set = .empty
            } else {
                set = set.union(try bracketItem())
            }
            isFirst = false
        }
        position += 1
        var result = left.map { $0.intersection(set) } ?? set
        if !isNested { result = folded(result) }
        return inverted ? result.inverted() : result
    }

    private mutating func bracketItem() throws(PatternError) -> CodePointSet {
        let start = position
        if startsWith("[:") { throw unsupported("a POSIX bracket [:…:]") }
        if take("[") { return try bracket(start, isNested: true) }
        if next == "\\" {
            position += 1
            if let set = try classEscape(start, isInBracket: true) { return set }
            position = start
        }
        let first = try bracketCharacter()
        // A minus before the closing bracket or before a class stands for itself.
        guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]", scalars[position + 1] != "["
        else { return CodePointSet(first) }
        position += 1
        let last = try bracketCharacter()
        guard first <= last else { throw unsupported("a range that runs backwards", at: start) }
        return CodePointSet([.init(first: first, last: last)])
    }

    private mutating func bracketCharacter() throws(PatternError) -> UInt32 {
        let start = position
        guard let scalar = next else { throw unsupported("[ without its closing bracket") }
        position += 1
        guard scalar == "\\" else { return scalar.value }
        if next == "b" {
            position += 1
            return 0x08
        }
        return try characterEscape(start)
    }
}

extension Unicode.Scalar {
    fileprivate var hexadecimalValue: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f": value - 0x61 + 10
        case "A"..."F": value - 0x41 + 10
        default: nil
        }
    }
}
