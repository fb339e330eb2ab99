/// Numbers: every boolean combination of bounds, multiples and enumerations is a regular language of canonical
/// spellings; what is written to the grammar then adds the other spellings that are wanted.
extension SchemaSolver {
    func hasNumber(_ formula: Formula) throws(JSONSchemaError) -> Bool {
        if let list = finiteNumbers(formula) { return !list.isEmpty }
        if let interval = NumberInterval(formula, in: reader.store) { return !interval.isEmpty }
        let language = numberLanguage(formula)
        return try !wrap { () throws(GrammarError) in try language.isEmpty(limits) }
    }

    /// The canonical spellings of the numbers that satisfy a formula that was restricted to numbers.
    func numberLanguage(_ formula: Formula) -> RegularLanguage {
        if let known = numberLanguages[formula] { return known }
        let result: RegularLanguage
        if let list = finiteNumbers(formula) {
            result = .texts(list.map { String(decoding: $0.canonical, as: UTF8.self) })
        } else {
            switch reader.store[formula] {
            case .never: result = .nothing
            case .always: result = NumberLanguage.all
            case .condition(.integer): result = NumberLanguage.integers
            case .condition(.lower(let bound, let exclusive)):
                result = NumberLanguage.atLeast(bound, exclusive: exclusive)
            case .condition(.upper(let bound, let exclusive)):
                result = NumberLanguage.atMost(bound, exclusive: exclusive)
            case .condition(.multiple(let step)): result = NumberLanguage.multiples(of: step)
            case .not(let inner): result = .intersection([NumberLanguage.all, numberLanguage(inner).complement])
            case .all(let parts): result = .intersection(parts.map(numberLanguage))
            case .any(let parts): result = .union(parts.map(numberLanguage))
            case .one(let parts):
                result = .union(
                    parts.indices.map { chosen in
                        RegularLanguage.intersection(
                            [NumberLanguage.all]
                                + parts.indices.map { index in
                                    let language = numberLanguage(parts[index])
                                    return index == chosen ? language : language.complement
                                })
                    })
            case .condition, .types, .schema: result = NumberLanguage.all
            }
        }
        numberLanguages[formula] = result
        return result
    }

    /// The numbers that satisfy `formula` when an enumeration bounds them; nil when none does.
    func finiteNumbers(_ formula: Formula) -> [DecimalNumber]? {
        switch reader.store[formula] {
        case .never: return []
        case .condition(.numbers(let list)): return list
        case .all(let parts):
            var shortest: [DecimalNumber]?
            for part in parts {
                if let list = finiteNumbers(part), list.count < shortest?.count ?? Int.max { shortest = list }
            }
            return shortest.map { list in
                list.filter { number in parts.allSatisfy { holds($0, for: number) } }
            }
        case .any(let parts), .one(let parts):
            var union: Set<DecimalNumber> = []
            for part in parts {
                guard let list = finiteNumbers(part) else { return nil }
                union.formUnion(list)
            }
            return union.sorted().filter { holds(formula, for: $0) }
        default: return nil
        }
    }

    /// Whether a number satisfies a formula that was restricted to numbers.
    func holds(_ formula: Formula, for number: DecimalNumber) -> Bool {
        switch reader.store[formula] {
        case .never: return false
        case .always: return true
        case .condition(.numbers(let list)): return list.contains(number)
        case .condition(.integer): return number.isInteger
        case .condition(.lower(let bound, let exclusive)): return exclusive ? number > bound : number >= bound
        case .condition(.upper(let bound, let exclusive)): return exclusive ? number < bound : number <= bound
        case .condition(.multiple(let step)): return NumberLanguage.isMultiple(number, of: step)
        case .not(let inner): return !holds(inner, for: number)
        case .all(let parts): return parts.allSatisfy { holds($0, for: number) }
        case .any(let parts): return parts.contains { holds($0, for: number) }
        case .one(let parts): return parts.count { holds($0, for: number) } == 1
        case .condition, .types, .schema: return true
        }
    }

    /// The texts by which the numbers that satisfy `formula` are written.
    func numberSpellings(_ formula: Formula) throws(JSONSchemaError) -> RegularLanguage {
        let any = reader.options.numberSpelling == .any
        if formula == FormulaStore.always { return NumberSpelling.unlimited }
        if reader.store[formula] == .condition(.integer) {
            return any ? NumberSpelling.anyInteger : NumberLanguage.integers
        }
        let language = numberLanguage(formula)
        if finiteNumbers(formula) == nil || any {
            return try wrap { () throws(GrammarError) in
                try NumberSpelling.widened(language, integersToo: any, limits: limits)
            }
        }
        return language
    }
}

/// A formula that is nothing but bounds, and perhaps `integer`.
struct NumberInterval {
    private var lower: (value: DecimalNumber, exclusive: Bool)?
    private var upper: (value: DecimalNumber, exclusive: Bool)?
    private var integer = false

    /// Nil for any other formula.
    init?(_ formula: Formula, in store: FormulaStore) {
        var parts = [formula]
        if case .all(let inner) = store[formula] { parts = inner }
        for part in parts {
            switch store[part] {
            case .condition(.integer): integer = true
            case .condition(.lower(let value, let exclusive)):
                if let known = lower, (known.value, known.exclusive ? 1 : 0) > (value, exclusive ? 1 : 0) { continue }
                lower = (value, exclusive)
            case .condition(.upper(let value, let exclusive)):
                if let known = upper, (known.value, known.exclusive ? 0 : 1) < (value, exclusive ? 0 : 1) { continue }
                upper = (value, exclusive)
            default: return nil
            }
        }
    }

    var isEmpty: Bool {
        guard let lower, let upper else { return false }
        if lower.value > upper.value { return true }
        if lower.value == upper.value, lower.exclusive || upper.exclusive { return true }
        guard integer else { return false }
        let low = lower.value.roundedUp(beyond: lower.exclusive)
        return low > upper.value || (low == upper.value && upper.exclusive)
    }
}

extension DecimalNumber {
    /// The least integer that is at least this number, or above it when `beyond`.
    func roundedUp(beyond: Bool) -> DecimalNumber {
        if isInteger { return beyond ? plusOne : self }
        let whole = DecimalNumber(negative: negative, digits: integerDigits, scale: max(scale, 0))
        return negative ? whole : whole.plusOne
    }

    /// One more than an integer.
    private var plusOne: DecimalNumber {
        var digits = integerDigits
        if negative {
            // Towards zero.
            var index = digits.count - 1
            while index >= 0, digits[index] == 0 {
                digits[index] = 9
                index -= 1
            }
            if index >= 0 { digits[index] -= 1 }
            return DecimalNumber(negative: true, digits: digits, scale: digits.count)
        }
        digits.insert(0, at: 0)
        var index = digits.count - 1
        while digits[index] == 9 {
            digits[index] = 0
            index -= 1
        }
        digits[index] += 1
        return DecimalNumber(negative: false, digits: digits, scale: digits.count)
    }
}

/// The spellings of numbers beyond the canonical one.
enum NumberSpelling {
    private static let digits = RegularLanguage.set(CodePointSet(48, 57)).repeated(1)
    private static let sign = RegularLanguage.union([.emptyText, .text("-")])
    private static let whole = RegularLanguage.union([
        .text("0"),
        RegularLanguage.set(CodePointSet(49, 57)).then(RegularLanguage.set(CodePointSet(48, 57)).repeated()),
    ])
    private static let exponentMark = RegularLanguage.set(CodePointSet([UInt32(69), 101]))
    private static let exponentDigits = RegularLanguage.set(CodePointSet(48, 57)).repeated(1, 4)

    /// RFC 8259's number, its exponent of at most four digits.
    static let unlimited = RegularLanguage.concatenation([
        sign, whole, optional(RegularLanguage.text(".").then(digits)),
        optional(.concatenation([exponentMark, .set(CodePointSet([UInt32(43), 45])).repeated(0, 1), exponentDigits])),
    ])

    /// Integers: with zeros after a point, with an exponent that is not negative, and with up to 16 decimals that an
    /// exponent of at least 16 takes back.
    static let anyInteger: RegularLanguage = {
        let zeros = optional(RegularLanguage.text(".").then(RegularLanguage.text("0").repeated(1)))
        let plus = optional(.text("+"))
        let exponent = RegularLanguage.concatenation([exponentMark, plus, exponentDigits])
        let large = RegularLanguage.union([
            RegularLanguage.text("1").then(.set(CodePointSet(54, 57))),
            RegularLanguage.set(CodePointSet(50, 57)).then(.set(CodePointSet(48, 57))),
            RegularLanguage.set(CodePointSet(49, 57)).then(RegularLanguage.set(CodePointSet(48, 57)).repeated(2, 3)),
        ])
        let decimals = RegularLanguage.text(".").then(RegularLanguage.set(CodePointSet(48, 57)).repeated(1, 16))
        return .concatenation([
            sign, whole,
            .union([
                zeros.then(optional(exponent)),
                .concatenation([decimals, exponentMark, plus, large]),
            ]),
        ])
    }()

    private static func optional(_ language: RegularLanguage) -> RegularLanguage { .union([.emptyText, language]) }

    /// Adds zeros at the end of fractions, and with `integersToo` also `.0` to integers and a sign to zero.
    static func widened(
        _ language: RegularLanguage, integersToo: Bool, limits: GrammarLimits
    ) throws(GrammarError) -> RegularLanguage {
        let zeros = RegularLanguage.text("0").repeated(1)
        let pointed = RegularLanguage.text(".").then(zeros)
        let fractions = RegularLanguage.intersection([language, NumberLanguage.fractions])
        let hasFractions = try !fractions.isEmpty(limits)
        if !hasFractions, !integersToo { return language }
        var options = [language]
        if hasFractions { options.append(fractions.then(zeros)) }
        options.append(RegularLanguage.intersection([language, NumberLanguage.integers]).then(pointed))
        if language.contains("0") { options.append(RegularLanguage.text("-0").then(optional(pointed))) }
        return .union(options)
    }
}
