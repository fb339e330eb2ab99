/// Sets of numbers as languages of their canonical decimal spellings: no exponent, no superfluous zero, no `-0`. Each
/// value has one spelling, so that boolean operations on languages are those on sets of numbers.
enum NumberLanguage {
    private static let point = RegularLanguage.text(".")
    private static let minus = RegularLanguage.text("-")
    static let zero = RegularLanguage.text("0")
    private static let digit = digits(0, 9)
    private static let nonzero = digits(1, 9)
    private static let positiveInteger = nonzero.then(digit.repeated())
    /// Digits after the point: the last is not zero.
    private static let fraction = digit.repeated().then(nonzero)
    private static let optionalFraction = RegularLanguage.union([.emptyText, point.then(fraction)])

    static let integers = RegularLanguage.union([zero, minus.then(positiveInteger), positiveInteger])
    static let fractions = RegularLanguage.union([.emptyText, minus])
        .then(.union([zero, positiveInteger])).then(point).then(fraction)
    static let all = RegularLanguage.union([integers, fractions])
    private static let positive = RegularLanguage.union([
        positiveInteger.then(optionalFraction), zero.then(point).then(fraction),
    ])
    private static let negative = minus.then(positive)

    private static func digits(_ low: UInt8, _ high: UInt8) -> RegularLanguage {
        low > high ? .nothing : .set(CodePointSet(UInt32(low) + 48, UInt32(high) + 48))
    }

    private static func literal(_ digits: some Sequence<UInt8>) -> RegularLanguage {
        .concatenation(digits.map { Self.digits($0, $0) })
    }

    static func value(_ number: DecimalNumber) -> RegularLanguage {
        .text(String(decoding: number.canonical, as: UTF8.self))
    }

    /// Numbers of at least `bound`, or above it.
    static func atLeast(_ bound: DecimalNumber, exclusive: Bool) -> RegularLanguage {
        if bound.isZero { return .union([positive] + (exclusive ? [] : [zero])) }
        if !bound.negative { return magnitudeAtLeast(bound, exclusive: exclusive) }
        return .union([zero, positive, minus.then(magnitudeAtMost(bound.magnitude, exclusive: exclusive))])
    }

    /// Numbers of at most `bound`, or below it.
    static func atMost(_ bound: DecimalNumber, exclusive: Bool) -> RegularLanguage {
        if bound.isZero { return .union([negative] + (exclusive ? [] : [zero])) }
        if bound.negative { return minus.then(magnitudeAtLeast(bound.magnitude, exclusive: exclusive)) }
        return .union([zero, negative, magnitudeAtMost(bound, exclusive: exclusive)])
    }

    /// Positive numbers of at least `bound`, which is positive.
    private static func magnitudeAtLeast(_ bound: DecimalNumber, exclusive: Bool) -> RegularLanguage {
        let whole = bound.integerDigits.isEmpty ? [0] : bound.integerDigits
        var options: [RegularLanguage] = [
            // More digits before the point.
            (whole == [0] ? nonzero : nonzero.then(digit.repeated(whole.count))).then(digit.repeated())
                .then(optionalFraction)
        ]
        if whole != [0] {
            // As many digits before the point, greater at one of them.
            for index in whole.indices where whole[index] < 9 {
                options.append(
                    literal(whole[..<index]).then(digits(whole[index] + 1, 9))
                        .then(digit.repeated(whole.count - index - 1, whole.count - index - 1))
                        .then(optionalFraction))
            }
        }
        options.append(
            literal(whole).then(fractionAtLeast(bound.fractionDigits, exclusive: exclusive)))
        return .union(options)
    }

    /// What may follow equal digits before the point: empty, or a point and digits.
    private static func fractionAtLeast(_ bound: [UInt8], exclusive: Bool) -> RegularLanguage {
        var options: [RegularLanguage] = []
        if bound.isEmpty {
            if !exclusive { options.append(.emptyText) }
            options.append(point.then(fraction))
            return .union(options)
        }
        for index in bound.indices where bound[index] < 9 {
            options.append(
                point.then(literal(bound[..<index])).then(digits(bound[index] + 1, 9))
                    .then(.union([.emptyText, fraction])))
        }
        let equal = point.then(literal(bound))
        if !exclusive { options.append(equal) }
        options.append(equal.then(fraction))
        return .union(options)
    }

    /// Positive numbers of at most `bound`, which is positive.
    private static func magnitudeAtMost(_ bound: DecimalNumber, exclusive: Bool) -> RegularLanguage {
        let whole = bound.integerDigits.isEmpty ? [0] : bound.integerDigits
        var options: [RegularLanguage] = []
        if whole != [0] {
            // Fewer digits before the point.
            options.append(zero.then(point).then(fraction))
            if whole.count > 1 {
                options.append(nonzero.then(digit.repeated(0, whole.count - 2)).then(optionalFraction))
            }
            for index in whole.indices {
                let low: UInt8 = index == 0 ? 1 : 0
                guard whole[index] > low else { continue }
                options.append(
                    literal(whole[..<index]).then(digits(low, whole[index] - 1))
                        .then(digit.repeated(whole.count - index - 1, whole.count - index - 1))
                        .then(optionalFraction))
            }
        }
        options.append(
            literal(whole).then(
                fractionAtMost(bound.fractionDigits, exclusive: exclusive, allowsNone: whole != [0])))
        return .union(options)
    }

    private static func fractionAtMost(_ bound: [UInt8], exclusive: Bool, allowsNone: Bool) -> RegularLanguage {
        if bound.isEmpty { return exclusive || !allowsNone ? .nothing : .emptyText }
        var options: [RegularLanguage] = allowsNone ? [.emptyText] : []
        for index in bound.indices {
            let before = point.then(literal(bound[..<index]))
            if bound[index] > 0 {
                // A smaller digit here, and if it is the last one it must not be zero.
                options.append(before.then(digits(0, bound[index] - 1)).then(fraction))
                options.append(before.then(digits(1, bound[index] - 1)))
            }
            // The bound's own digits up to here, when they do not end in a zero.
            if index > 0, bound[index - 1] != 0 { options.append(before) }
        }
        if !exclusive { options.append(point.then(literal(bound))) }
        return .union(options)
    }

    // MARK: Multiples

    /// The multiple and the numbers in units of the multiple's last digit.
    private static func units(of step: DecimalNumber) -> (modulus: Int, places: Int)? {
        let places = max(0, step.digits.count - step.scale)
        let scaled = DecimalNumber(negative: false, digits: step.digits, scale: step.scale + places)
        return scaled.int.map { ($0, places) }
    }

    static func canEnforce(multipleOf step: DecimalNumber, limits: GrammarLimits) -> Bool {
        guard let (modulus, places) = units(of: step) else { return false }
        return places <= 64 && modulus / powerOfTenDivisor(of: modulus) <= limits.maximumRemainders
            && modulus < Int.max / 10
    }

    private static func powerOfTenDivisor(of value: Int) -> Int {
        var divisor = 1
        while value % (divisor * 10) == 0 { divisor *= 10 }
        return divisor
    }

    /// Numbers that are an integer times `step`. With p places after the point in `step`, a number with j ≤ p places
    /// is one exactly when its digits, read as an integer, times 10^(p - j) are divisible by the step's digits.
    static func multiples(of step: DecimalNumber) -> RegularLanguage {
        guard let (modulus, places) = units(of: step) else { return .nothing }
        let sign = RegularLanguage.union([.emptyText, minus])
        var options: [RegularLanguage] = [zero]
        for count in 0...places {
            var divisor = modulus
            for _ in count..<places {
                if divisor % 10 == 0 {
                    divisor /= 10
                } else if divisor % 5 == 0 {
                    divisor /= 5
                } else if divisor % 2 == 0 {
                    divisor /= 2
                }
            }
            var zeros = 0
            while divisor % 10 == 0 {
                divisor /= 10
                zeros += 1
            }
            let divisible = divisor == 1 ? RegularLanguage.anyText : .remainder(modulus: divisor)
            if count == 0 {
                let leading = RegularLanguage.intersection([sign.then(positiveInteger), divisible])
                options.append(leading.then(literal([UInt8](repeating: 0, count: zeros))))
            } else if zeros == 0 {
                // A multiple of ten would end in a zero, which a canonical fraction does not.
                let shape = sign.then(.union([zero, positiveInteger])).then(point)
                    .then(digit.repeated(count - 1, count - 1)).then(nonzero)
                options.append(.intersection([shape, divisible]))
            }
        }
        return .union(options)
    }

    /// Whether `number` is an integer times `step`, exactly.
    static func isMultiple(_ number: DecimalNumber, of step: DecimalNumber) -> Bool {
        guard let (modulus, places) = units(of: step) else { return false }
        let length = number.scale + places
        if number.isZero { return true }
        guard length >= number.digits.count else { return false }
        var remainder = 0
        for index in 0..<length {
            let digit = index < number.digits.count ? Int(number.digits[index]) : 0
            let scaled = remainder.multipliedFullWidth(by: 10)
            let (low, carry) = scaled.low.addingReportingOverflow(UInt(digit))
            remainder = modulus.dividingFullWidth((scaled.high + (carry ? 1 : 0), low)).remainder
        }
        return remainder == 0
    }
}
