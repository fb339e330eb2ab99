/// The Unicode properties that the components ask for, decoded once from the generated text.
///
/// Why several tables that look alike: each component of the reference library carries a Unicode version of its own,
/// and token ids must agree with it (see `Tools/make_unicode_tables.py`).
enum UnicodeTables {
    /// `\s`, White_Space.
    static let whiteSpace = CodePointTable(whiteSpaceSet)
    /// `\w` of the `Whitespace` pre-tokenizer and of the `single_word` flag.
    static let word = CodePointTable(wordSet)
    /// What `Digits` takes for a digit.
    static let numeric = CodePointTable(set(UnicodeTableData.numeric))
    /// What `Punctuation` and `BertPreTokenizer` cut off.
    static let punctuation = CodePointTable(set(UnicodeTableData.punctuation))
    /// What `BertNormalizer` with `clean_text` deletes.
    static let control = CodePointTable(set(UnicodeTableData.control))
    /// What `BertNormalizer` with `strip_accents` deletes after decomposition.
    static let nonspacingMark = CodePointTable(set(UnicodeTableData.nonspacingMark))
    /// What `StripAccents` deletes.
    static let combiningMark = CodePointTable(set(UnicodeTableData.combiningMark))
    /// Lowercase mappings of single code points; the others map to themselves.
    static let lowercase = mapping(UnicodeTableData.lowercase)

    static let whiteSpaceSet = set(UnicodeTableData.whiteSpace)
    static let wordSet = set(UnicodeTableData.word)
    /// `\w` of a pattern.
    static let patternWordSet = set(UnicodeTableData.patternWord)

    /// `\w` of a pattern inside brackets. Oniguruma answers differently there for six Latin-1 digits and fractions.
    static let patternBracketWordSet = set(UnicodeTableData.patternBracketWord)

    /// Sets by general category, such as `Lu`.
    static let generalCategories: [String: CodePointSet] = decodeCategories()

    /// Code point → all code points that differ from it in case only.
    static let caseGroups: [UInt32: [UInt32]] = {
        var result: [UInt32: [UInt32]] = [:]
        for group in words(UnicodeTableData.caseGroups) {
            let members = numbers(group[...])
            for member in members { result[member] = members }
        }
        return result
    }()

    /// Set of the property `name` as patterns spell it (`L`, `Lu`, `Letter`, `Han`); nil for an unknown one.
    static func property(_ name: String) -> CodePointSet? {
        let key = String(name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" })
        if let categories = categoryNames[key] {
            return CodePointSet(categories.flatMap { generalCategories[$0]?.runs ?? [] })
        }
        return scripts[key]
    }

    // MARK: Decoding

    /// Order in which the generator numbers the categories.
    private static let categoryOrder = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    /// Property names without case, spaces and underscores → categories.
    private static let categoryNames: [String: [String]] = {
        var names: [String: [String]] = [:]
        for category in categoryOrder {
            names[category.lowercased()] = [category]
            names[String(category.prefix(1)).lowercased(), default: []].append(category)
        }
        names["any"] = categoryOrder
        names["lc"] = ["Lu", "Ll", "Lt"]
        for (long, short) in [
            ("letter", "l"), ("mark", "m"), ("number", "n"), ("punctuation", "p"), ("symbol", "s"),
            ("separator", "z"), ("other", "c"), ("uppercaseletter", "lu"), ("lowercaseletter", "ll"),
            ("titlecaseletter", "lt"), ("modifierletter", "lm"), ("otherletter", "lo"), ("nonspacingmark", "mn"),
            ("spacingmark", "mc"), ("enclosingmark", "me"), ("decimalnumber", "nd"), ("letternumber", "nl"),
            ("othernumber", "no"), ("spaceseparator", "zs"), ("control", "cc"), ("format", "cf"),
        ] {
            names[long] = names[short]
        }
        return names
    }()

    private static let scripts: [String: CodePointSet] = [
        "han": set(UnicodeTableData.scriptHan),
        "hiragana": set(UnicodeTableData.scriptHiragana),
        "katakana": set(UnicodeTableData.scriptKatakana),
        "hangul": set(UnicodeTableData.scriptHangul),
        "latin": set(UnicodeTableData.scriptLatin),
        "greek": set(UnicodeTableData.scriptGreek),
        "cyrillic": set(UnicodeTableData.scriptCyrillic),
        "arabic": set(UnicodeTableData.scriptArabic),
        "hebrew": set(UnicodeTableData.scriptHebrew),
        "thai": set(UnicodeTableData.scriptThai),
        "devanagari": set(UnicodeTableData.scriptDevanagari),
    ]

    /// The words of a table.
    static func words(_ table: StaticString) -> [[UInt8]] {
        table.withUTF8Buffer { buffer in
            buffer.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map { Array($0) }
        }
    }

    /// The hexadecimal numbers of a word, separated by anything that is not a digit.
    static func numbers(_ word: ArraySlice<UInt8>) -> [UInt32] {
        var result: [UInt32] = []
        var inside = false
        for byte in word {
            let digit: UInt32
            switch byte {
            case 0x30...0x39: digit = UInt32(byte) - 0x30
            case 0x61...0x66: digit = UInt32(byte) - 0x61 + 10
            default:
                inside = false
                continue
            }
            if inside { result[result.count - 1] = result[result.count - 1] << 4 | digit } else { result.append(digit) }
            inside = true
        }
        return result
    }

    /// Gap and length alternately.
    private static func set(_ table: StaticString) -> CodePointSet {
        let values = words(table).flatMap { numbers($0[...]) }
        var runs: [CodePointSet.Run] = []
        var position: UInt32 = 0
        for pair in stride(from: 0, to: values.count - 1, by: 2) {
            let first = position + values[pair]
            position = first + values[pair + 1]
            runs.append(.init(first: first, last: position - 1))
        }
        return CodePointSet(runs)
    }

    /// `key=value+value`, keys as distances.
    static func mapping(_ table: StaticString) -> [UInt32: [UInt32]] {
        var result: [UInt32: [UInt32]] = [:]
        var key: UInt32 = 0
        for word in words(table) {
            let values = numbers(word[...])
            key += values[0]
            result[key] = Array(values[1...])
        }
        return result
    }

    private static func decodeCategories() -> [String: CodePointSet] {
        let letters = words(UnicodeTableData.categoryLetters)[0]
        var runs: [UInt8: [CodePointSet.Run]] = [:]
        var position: UInt32 = 0
        for word in words(UnicodeTableData.generalCategories) {
            let length = numbers(word.dropLast())[0]
            runs[word[word.count - 1], default: []].append(.init(first: position, last: position + length - 1))
            position += length
        }
        var result: [String: CodePointSet] = [:]
        for (letter, name) in zip(letters, categoryOrder) {
            result[name] = CodePointSet(runs[letter] ?? [])
        }
        return result
    }
}
