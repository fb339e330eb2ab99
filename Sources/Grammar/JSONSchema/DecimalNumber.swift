/// A JSON number, exactly: `(-1)^negative × 0.d1 d2 d3 … × 10^scale`, without leading or trailing zero digits. JSON
/// Schema compares numbers as values, and a `Double` cannot tell 9007199254740993 from its neighbour.
package struct DecimalNumber: Hashable, Sendable {
    package let negative: Bool
    /// Digit values 0…9, no leading and no trailing zero; empty for zero.
    package let digits: [UInt8]
    /// Where the decimal point stands, counted from the first digit: 12.5 has digits 1 2 5 and scale 2.
    package let scale: Int

    /// Normalizes: zero has no sign.
    package init(negative: Bool, digits: [UInt8], scale: Int) {
        var digits = digits[...]
        var scale = scale
        while digits.first == 0 {
            digits.removeFirst()
            scale -= 1
        }
        while digits.last == 0 { digits.removeLast() }
        self.digits = Array(digits)
        self.negative = negative && !digits.isEmpty
        self.scale = digits.isEmpty ? 0 : scale
    }

    package init(_ value: Int) {
        self.init(
            negative: value < 0, digits: String(value.magnitude).utf8.map { $0 - 48 },
            scale: String(value.magnitude).utf8.count)
    }

    /// Reads the text of a JSON number. Nil when it is none, or its exponent is beyond ±100,000.
    package init?(json text: some Collection<UInt8>) {
        var rest = text[...]
        var negative = false
        if rest.first == UInt8(ascii: "-") {
            negative = true
            rest.removeFirst()
        }
        var digits: [UInt8] = []
        var scale = 0
        while let byte = rest.first, (48...57).contains(byte) {
            digits.append(byte - 48)
            rest.removeFirst()
        }
        guard !digits.isEmpty, digits.count == 1 || digits[0] != 0 else { return nil }
        scale = digits.count
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let before = digits.count
            while let byte = rest.first, (48...57).contains(byte) {
                digits.append(byte - 48)
                rest.removeFirst()
            }
            guard digits.count > before else { return nil }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            var sign = 1
            if let byte = rest.first, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                if byte == UInt8(ascii: "-") { sign = -1 }
                rest.removeFirst()
            }
            var exponent = 0
            guard !rest.isEmpty else { return nil }
            while let byte = rest.first, (48...57).contains(byte) {
                exponent = exponent * 10 + Int(byte - 48)
                guard exponent <= 100_000 else { return nil }
                rest.removeFirst()
            }
            scale += sign * exponent
        }
        guard rest.isEmpty else { return nil }
        self.init(negative: negative, digits: digits, scale: scale)
    }

    package var isZero: Bool { digits.isEmpty }
    package var isInteger: Bool { digits.count <= scale || isZero }

    package var magnitude: DecimalNumber { DecimalNumber(negative: false, digits: digits, scale: scale) }

    /// Digits before the decimal point, without leading zeros; empty below one.
    package var integerDigits: [UInt8] {
        guard scale > 0 else { return [] }
        return (0..<scale).map { $0 < digits.count ? digits[$0] : 0 }
    }

    /// Digits after the decimal point, without trailing zeros.
    package var fractionDigits: [UInt8] {
        if scale >= digits.count { return [] }
        if scale >= 0 { return Array(digits[scale...]) }
        return [UInt8](repeating: 0, count: -scale) + digits
    }

    /// How many characters `canonical` has, at most; checked before digits are written out.
    package var canonicalLength: Int { 3 + max(digits.count, abs(scale)) + digits.count }

    /// The one spelling without exponent, superfluous zeros or sign of zero.
    package var canonical: [UInt8] {
        var text: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        let whole = integerDigits
        text += whole.isEmpty ? [48] : whole.map { $0 + 48 }
        let fraction = fractionDigits
        if !fraction.isEmpty { text += [UInt8(ascii: ".")] + fraction.map { $0 + 48 } }
        return text
    }

    /// The value as an `Int`, when it is one.
    package var int: Int? {
        guard isInteger, scale <= 19 else { return nil }
        var value = 0
        for digit in integerDigits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return negative ? -value : value
    }
}

extension DecimalNumber: Comparable {
    package static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.negative != right.negative { return left.negative }
        let order = compareMagnitudes(left, right)
        return left.negative ? order > 0 : order < 0
    }

    private static func compareMagnitudes(_ left: DecimalNumber, _ right: DecimalNumber) -> Int {
        if left.isZero || right.isZero { return (left.isZero ? 0 : 1) - (right.isZero ? 0 : 1) }
        if left.scale != right.scale { return left.scale < right.scale ? -1 : 1 }
        for index in 0..<min(left.digits.count, right.digits.count) where left.digits[index] != right.digits[index] {
            return left.digits[index] < right.digits[index] ? -1 : 1
        }
        return left.digits.count - right.digits.count
    }
}
