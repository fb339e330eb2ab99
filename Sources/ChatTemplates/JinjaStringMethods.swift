// The methods of Python's `str`. Positions and lengths count Unicode scalars.
extension Interpreter {
    static let stringMethods: Set<String> = [
        "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "format_map",
        "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
        "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition",
        "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
    ]

    @inline(never)
    func stringMethod(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        try budget.scan(bytes: 4 * text.utf8.count)
        switch name {
        case "split", "rsplit": return try split(text, fromRight: name == "rsplit", arguments)
        case "splitlines":
            let keepEnds = try arguments.bind(name, ["keepends"])[0].map(isTrue) ?? false
            return try makeStrings(text.pythonLines(keepEnds: keepEnds))
        case "partition", "rpartition": return try partition(name, text, arguments)
        case "join":
            let iterable = try arguments.bind(name, ["iterable"], required: 1)[0] ?? .none
            return try joined(try elements(of: iterable) { _ in "can only join an iterable" }, by: text, strict: true)
        case "replace":
            let bound = try arguments.bind(name, ["old", "new", "count"], required: 2)
            let count = try bound[2].map { value throws(Fault) in try integer(value) } ?? -1
            return .string(
                try replaced(text, try requireText(bound[0], name), with: try requireText(bound[1], name), count))
        case "format", "format_map": return try braceFormat(name, text, arguments)
        case "find", "rfind", "index", "rindex", "count": return try search(name, text, arguments)
        case "startswith", "endswith": return try hasAffix(name, text, arguments)
        case "strip", "lstrip", "rstrip":
            let characters = try arguments.bind(name, ["chars"])[0] ?? .none
            return try strip(text, characters, leading: name != "rstrip", trailing: name != "lstrip", name)
        case "removeprefix":
            let prefix = try requireText(try arguments.bind(name, ["prefix"], required: 1)[0], name)
            guard text.utf8.starts(with: prefix.utf8) else { return .string(text) }
            return try makeString(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
        case "removesuffix":
            let suffix = try requireText(try arguments.bind(name, ["suffix"], required: 1)[0], name)
            guard text.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return .string(text) }
            return try makeString(String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self))
        case "center", "ljust", "rjust", "zfill", "expandtabs": return try pad(name, text, arguments)
        default: break
        }
        _ = try arguments.bind(name, [])
        switch name {
        case "upper": return try makeString(text.pythonUpper)
        case "lower": return try makeString(text.pythonLower)
        case "capitalize": return try makeString(text.pythonCapitalized)
        case "title": return try makeString(text.pythonTitle)
        case "swapcase": return try makeString(text.pythonSwapCase)
        case "casefold": return try makeString(text.pythonCaseFolded)
        default: return .bool(Self.isOfKind(name, text))
        }
    }

    /// The `is…` methods.
    private static func isOfKind(_ name: String, _ text: String) -> Bool {
        let scalars = text.unicodeScalars
        func all(_ property: (Unicode.Scalar) -> Bool) -> Bool { !scalars.isEmpty && scalars.allSatisfy(property) }
        switch name {
        case "isalnum": return all(\.isPythonAlphanumeric)
        case "isalpha": return all(\.isPythonAlphabetic)
        case "isascii": return scalars.allSatisfy(\.isASCII)
        case "isdecimal": return all(\.isPythonDecimal)
        case "isdigit": return all(\.isPythonDigit)
        case "isidentifier":
            guard let first = scalars.first, first.properties.isXIDStart || first == "_" else { return false }
            return scalars.allSatisfy(\.properties.isXIDContinue)
        case "islower": return text.isPythonCased(upper: false)
        case "isupper": return text.isPythonCased(upper: true)
        case "isnumeric": return all(\.isPythonNumeric)
        case "isprintable": return scalars.allSatisfy(\.isPythonPrintable)
        case "isspace": return all(\.isPythonSpace)
        default: return text.isPythonTitle
        }
    }

    /// Methods of a string marked as safe: what comes in from outside gets escaped, what goes out is marked.
    func markupMethod(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        func escape(_ value: JinjaValue) -> JinjaValue { value.text == nil ? value : .string(escaped(value)) }
        var arguments = arguments
        switch name {
        case "replace":
            if arguments.positional.count > 1 { arguments.positional[1] = escape(arguments.positional[1]) }
        case "join":
            if let iterable = arguments.positional.first {
                arguments.positional[0] = try makeList(try elements(of: iterable).map(escape))
            }
        case "format":
            arguments.positional = arguments.positional.map(escape)
            arguments.keyword = arguments.keyword.map { ($0.name, escape($0.value)) }
        default: break
        }
        func mark(_ value: JinjaValue) -> JinjaValue {
            switch value {
            case .string(let text): .markup(text)
            case .list(let sequence): .list(JinjaSequence(sequence.elements.map(mark)))
            case .tuple(let sequence): .tuple(JinjaSequence(sequence.elements.map(mark)))
            default: value
            }
        }
        return mark(try stringMethod(name, text, arguments))
    }

    // MARK: Arguments

    func requireText(_ value: JinjaValue?, _ method: String) throws(Fault) -> String {
        let value = value ?? .none
        if let text = value.text { return text }
        if case .undefined(let undefined) = value, undefined.isUnsafe { throw .undefined(undefined) }
        throw .type("\(method)() argument must be str, not \(typeName(value))")
    }

    func makeStrings(_ texts: [String]) throws(Fault) -> JinjaValue {
        var bytes = 0
        for text in texts { bytes += text.utf8.count }
        try budget.makeText(bytes: bytes)
        return try makeList(texts.map { .string($0) })
    }

    // MARK: Splitting and joining

    private func split(_ text: String, fromRight: Bool, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("split", ["sep", "maxsplit"])
        let given = try bound[1].map { value throws(Fault) in try integer(value) } ?? -1
        let limit = given < 0 ? Int.max : given
        guard let separator = bound[0], !separator.isNone else {
            return try makeStrings(
                fromRight ? Self.lastWords(of: text, limit: limit) : Self.words(of: text, limit: limit))
        }
        let needle = try requireText(separator, "split")
        guard !needle.isEmpty else { throw .value("empty separator") }
        let bytes = Array(text.utf8)
        let size = needle.utf8.count
        var starts: [Int]
        if fromRight {
            // From the right, matches are those of the reversed search.
            let reversed = ByteSearch(bytes: Array(needle.utf8.reversed()))
            starts = reversed.all(in: bytes.reversed(), limit: limit).map { bytes.count - $0 - size }.reversed()
        } else {
            starts = ByteSearch(needle).all(in: bytes, limit: limit)
        }
        var parts: [String] = []
        var position = 0
        for start in starts {
            parts.append(String(decoding: bytes[position..<start], as: UTF8.self))
            position = start + size
        }
        parts.append(String(decoding: bytes[position...], as: UTF8.self))
        return try makeStrings(parts)
    }

    /// Words between white space, the rest after `limit` splits in one piece.
    static func words(of text: String, limit: Int = .max) -> [String] {
        var words: [String] = []
        var rest = text.unicodeScalars.drop(while: \.isPythonSpace)
        while let first = rest.first, first.isPythonSpace == false {
            if words.count == limit {
                words.append(String(rest))
                break
            }
            let word = rest.prefix { !$0.isPythonSpace }
            words.append(String(word))
            rest = rest[word.endIndex...].drop(while: \.isPythonSpace)
        }
        return words
    }

    private static func lastWords(of text: String, limit: Int) -> [String] {
        func reversed(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.reversed())) }
        return words(of: reversed(text), limit: limit).map(reversed).reversed()
    }

    private func partition(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let separator = try requireText(try arguments.bind(name, ["sep"], required: 1)[0], name)
        guard !separator.isEmpty else { throw .value("empty separator") }
        let bytes = Array(text.utf8)
        let isFromRight = name == "rpartition"
        let start: Int?
        if isFromRight {
            let reversed = ByteSearch(bytes: Array(separator.utf8.reversed()))
            start = reversed.first(in: bytes.reversed()).map { bytes.count - $0 - separator.utf8.count }
        } else {
            start = ByteSearch(separator).first(in: bytes)
        }
        try budget.makeText(bytes: bytes.count)
        guard let start else {
            let whole = JinjaValue.string(text)
            return try makeTuple(isFromRight ? ["", "", whole] : [whole, "", ""])
        }
        return try makeTuple([
            .string(String(decoding: bytes[..<start], as: UTF8.self)), .string(separator),
            .string(String(decoding: bytes[(start + separator.utf8.count)...], as: UTF8.self)),
        ])
    }

    /// - Parameter strict: as `str.join`, which takes strings only; the `join` filter converts.
    func joined(_ elements: [JinjaValue], by separator: String, strict: Bool) throws(Fault) -> JinjaValue {
        var result = ""
        for (index, element) in elements.enumerated() {
            if strict, element.text == nil {
                throw .type("sequence item \(index): expected str instance, \(typeName(element)) found")
            }
            if index > 0 { try append(separator, to: &result) }
            try append(try string(of: element), to: &result)
        }
        return try makeString(result)
    }

    /// - Parameter count: how many occurrences; all if negative.
    func replaced(_ text: String, _ old: String, with new: String, _ count: Int) throws(Fault) -> String {
        let limit = count < 0 ? Int.max : count
        let bytes = Array(text.utf8)
        let replacement = Array(new.utf8)
        var result: [UInt8] = []
        func add(_ piece: some Collection<UInt8>) throws(Fault) {
            guard result.count + piece.count <= limits.stringBytes else {
                throw .limit(.stringBytes(limits.stringBytes))
            }
            result.append(contentsOf: piece)
        }
        if old.isEmpty {
            // Before every scalar and at the end.
            var done = 0
            for scalar in text.unicodeScalars {
                if done < limit {
                    try add(replacement)
                    done += 1
                }
                try add(UTF8.encode(scalar).map(Array.init) ?? [])
            }
            if done < limit { try add(replacement) }
        } else {
            var position = 0
            for start in ByteSearch(old).all(in: bytes, limit: limit) {
                try add(bytes[position..<start])
                try add(replacement)
                position = start + old.utf8.count
            }
            try add(bytes[position...])
        }
        try budget.makeText(bytes: result.count)
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: Searching

    private func search(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind(name, ["sub", "start", "end"], required: 1)
        let needle = try requireText(bound[0], name)
        let scalars = Array(text.unicodeScalars)
        let range = try bounds(bound[1], bound[2], count: scalars.count)
        let bytes = Array(String(String.UnicodeScalarView(scalars[range])).utf8)
        if name == "count" {
            return .int(needle.isEmpty ? range.count + 1 : ByteSearch(needle).all(in: bytes).count)
        }
        let start: Int?
        if name.utf8.first == UInt8(ascii: "r") {
            let reversed = ByteSearch(bytes: Array(needle.utf8.reversed()))
            start = reversed.first(in: bytes.reversed()).map { bytes.count - $0 - needle.utf8.count }
        } else {
            start = ByteSearch(needle).first(in: bytes)
        }
        guard let start else {
            if name.hasSuffix("index") { throw .value("substring not found") }
            return .int(-1)
        }
        return .int(range.lowerBound + String(decoding: bytes[..<start], as: UTF8.self).scalarCount)
    }

    private func hasAffix(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind(name, ["prefix", "start", "end"], required: 1)
        var part = text
        if bound[1] != nil || bound[2] != nil {
            let scalars = Array(text.unicodeScalars)
            part = String(
                String.UnicodeScalarView(scalars[try bounds(bound[1], bound[2], count: scalars.count)]))
        }
        var affixes = [bound[0] ?? .none]
        if case .tuple(let sequence) = affixes[0] { affixes = sequence.elements }
        for affix in affixes {
            guard let affix = affix.text else {
                throw .type("\(name) first arg must be str or a tuple of str, not \(typeName(affix))")
            }
            let isThere =
                name == "startswith"
                ? part.utf8.starts(with: affix.utf8) : part.utf8.reversed().starts(with: affix.utf8.reversed())
            if isThere { return .bool(true) }
        }
        return .bool(false)
    }

    func strip(
        _ text: String, _ characters: JinjaValue, leading: Bool, trailing: Bool, _ method: String
    ) throws(Fault) -> JinjaValue {
        if characters.isNone { return try makeString(text.stripped(leading: leading, trailing: trailing)) }
        let set = Set(try requireText(characters, method).unicodeScalars)
        return try makeString(text.stripped(leading: leading, trailing: trailing) { set.contains($0) })
    }

    // MARK: Padding

    private func pad(_ name: String, _ text: String, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        if name == "expandtabs" {
            let size = try arguments.bind(name, ["tabsize"])[0].map { value throws(Fault) in try integer(value) } ?? 8
            return try expandTabs(text, size: size)
        }
        let bound = try arguments.bind(name, ["width", "fillchar"], required: 1)
        let width = try integer(bound[0] ?? .none)
        if name == "zfill" {
            let count = width - text.scalarCount
            guard count > 0 else { return .string(text) }
            try budget.makeText(bytes: width)
            let hasSign = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
            let sign = hasSign ? String(decoding: text.utf8.prefix(1), as: UTF8.self) : ""
            let digits = String(decoding: text.utf8.dropFirst(hasSign ? 1 : 0), as: UTF8.self)
            return .string(sign + String(repeating: "0", count: count) + digits)
        }
        let fill = try bound[1].map { value throws(Fault) in try requireText(value, name) } ?? " "
        guard fill.scalarCount == 1 else {
            throw .type("The fill character must be exactly one character long")
        }
        let alignment: Alignment = name == "center" ? .center(width: width) : name == "ljust" ? .left : .right
        return .string(try padded(text, width: width, fill: fill, alignment))
    }

    enum Alignment {
        case left, right
        /// `str.center` puts the odd space left or right depending on the width; `format` always right.
        case center(width: Int?)
    }

    func padded(_ text: String, width: Int, fill: String, _ alignment: Alignment) throws(Fault) -> String {
        let count = width - text.scalarCount
        guard count > 0 else { return text }
        let (fillBytes, overflow) = count.multipliedReportingOverflow(by: fill.utf8.count)
        try budget.makeText(bytes: overflow ? .max : fillBytes)
        let before: Int
        switch alignment {
        case .left: before = 0
        case .right: before = count
        case .center(let width): before = count / 2 + (width.map { count & $0 & 1 } ?? 0)
        }
        return String(repeating: fill, count: before) + text + String(repeating: fill, count: count - before)
    }

    private func expandTabs(_ text: String, size: Int) throws(Fault) -> JinjaValue {
        var result = ""
        var column = 0
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                let count = size > 0 ? size - column % size : 0
                guard result.utf8.count + count <= limits.stringBytes else {
                    throw .limit(.stringBytes(limits.stringBytes))
                }
                result += String(repeating: " ", count: count)
                column += count
            } else {
                result.unicodeScalars.append(scalar)
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
            }
        }
        return try makeString(result)
    }
}
