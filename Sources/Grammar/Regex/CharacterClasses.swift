/// The sets that escapes stand for (ECMA-262, 22.2.1) and Unicode general categories.
enum CharacterClasses {
    static let digit = CodePointSet(0x30, 0x39)
    static let word = CodePointSet([.init(0x30, 0x39), .init(0x41, 0x5A), .init(0x5F, 0x5F), .init(0x61, 0x7A)])
    static let space = CodePointSet([
        .init(0x09, 0x0D), .init(0x20, 0x20), .init(0xA0, 0xA0), .init(0x1680, 0x1680), .init(0x2000, 0x200A),
        .init(0x2028, 0x2029), .init(0x202F, 0x202F), .init(0x205F, 0x205F), .init(0x3000, 0x3000),
        .init(0xFEFF, 0xFEFF),
    ])
    static let lineEnds = CodePointSet([.init(0x0A, 0x0A), .init(0x0D, 0x0D), .init(0x2028, 0x2029)])

    /// The set of `\p{name}`, nil for a property that is not known here.
    static func property(_ name: String) -> CodePointSet? {
        var name = name[...]
        for prefix in ["General_Category=", "gc="] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
        let short = longNames[String(name)] ?? String(name)
        if short == "Any" { return .all }
        if short == "ASCII" { return CodePointSet(0, 0x7F) }
        let members = categories.filter { $0.key.hasPrefix(short) }
        if members.isEmpty || short.isEmpty { return nil }
        return CodePointSet(members.flatMap { $0.value.intervals })
    }

    private static let longNames = [
        "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
        "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Number": "N", "Decimal_Number": "Nd",
        "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "Symbol": "S", "Math_Symbol": "Sm",
        "Currency_Symbol": "Sc", "Separator": "Z", "Space_Separator": "Zs", "Other": "C", "Control": "Cc",
    ]

    /// Sets by two-letter category, made in one pass over all scalars on first use.
    private static let categories: [String: CodePointSet] = {
        var intervals: [String: [CodePointSet.Interval]] = [:]
        var open: (name: String, lower: UInt32) = ("Cc", 0)
        for value in 0...CodePointSet.maximum {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let name = abbreviation(scalar.properties.generalCategory)
            if name != open.name {
                intervals[open.name, default: []].append(.init(open.lower, value - 1))
                open = (name, value)
            }
        }
        intervals[open.name, default: []].append(.init(open.lower, CodePointSet.maximum))
        return intervals.mapValues { CodePointSet($0) }
    }()

    private static func abbreviation(_ category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
