// `abs`, `int`, `float`, `round`.
extension Interpreter {
    func numberFilter(_ name: String, _ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        switch name {
        case "int":
            let bound = try arguments.bind(name, ["default", "base"])
            let base = try bound[1].map { value throws(Fault) in try integer(value) } ?? 10
            return try converted(toInt: value, base: base) ?? bound[0] ?? 0
        case "float":
            let bound = try arguments.bind(name, ["default"])
            return try double(value).map { .float($0) } ?? bound[0] ?? 0.0
        case "round": return try rounded(value, arguments)
        default:
            _ = try arguments.bind(name, [])
            switch value {
            case .int(let number):
                guard number != .min else { throw .limit(.integer) }
                return .int(abs(number))
            case .bool(let flag): return .int(flag ? 1 : 0)
            case .float(let number): return .float(abs(number))
            case .undefined(let undefined): throw .undefined(undefined)
            default: throw .type("bad operand type for abs(): '\(typeName(value))'")
            }
        }
    }

    private func converted(toInt value: JinjaValue, base: Int) throws(Fault) -> JinjaValue? {
        switch value {
        case .int: return value
        case .bool(let flag): return .int(flag ? 1 : 0)
        case .float(let number): return try whole(number)
        case .undefined(let undefined): throw .undefined(undefined)
        case .string(let text), .markup(let text):
            if let number = try Self.parseInteger(text, base: base) { return .int(number) }
            guard let number = Self.parseDouble(text), number.isFinite else { return nil }
            return try whole(number)
        default: return nil
        }
    }

    private func whole(_ number: Double) throws(Fault) -> JinjaValue? {
        if number.isNaN { return nil }
        guard number.isFinite else { throw .value("cannot convert float infinity to integer") }
        guard let result = Int(exactly: number.rounded(.towardZero)) else { throw .limit(.integer) }
        return .int(result)
    }

    private func double(_ value: JinjaValue) throws(Fault) -> Double? {
        switch value {
        case .int(let number): return Double(number)
        case .bool(let flag): return flag ? 1 : 0
        case .float(let number): return number
        case .string(let text), .markup(let text): return Self.parseDouble(text)
        case .undefined(let undefined): throw .undefined(undefined)
        default: return nil
        }
    }

    /// Python's `int(text, base)`; nil if it would be a `ValueError`.
    private static func parseInteger(_ text: String, base: Int) throws(Fault) -> Int? {
        var digits = Array(text.stripped().utf8)
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        var radix = base
        if digits.count > 2, digits[0] == UInt8(ascii: "0") {
            let prefixes: [UInt8: Int] = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2]
            if let prefixed = prefixes[digits[1] | 0x20], base == prefixed || base == 0 {
                digits.removeFirst(2)
                radix = prefixed
            }
        }
        if radix == 0 { radix = 10 }
        guard (2...36).contains(radix), !digits.isEmpty else { return nil }
        var value = 0
        var afterUnderscore = true
        for byte in digits {
            if byte == UInt8(ascii: "_") {
                if afterUnderscore { return nil }
                afterUnderscore = true
                continue
            }
            afterUnderscore = false
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexOrLetterValue, digit < radix else {
                return nil
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, overflow2) = product.subtractingReportingOverflow(digit)
            guard !overflow, !overflow2 else { throw .limit(.integer) }
            value = sum
        }
        if afterUnderscore { return nil }
        // Built up negative, as that side has one number more.
        if isNegative { return value }
        guard value != .min else { throw .limit(.integer) }
        return -value
    }

    /// Python's `float(text)`; nil if it would be a `ValueError`.
    private static func parseDouble(_ text: String) -> Double? {
        let trimmed = text.stripped()
        let bytes = Array(trimmed.utf8)
        if bytes.contains(UInt8(ascii: "_")) {
            for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
                guard index > 0, index + 1 < bytes.count, (0x30...0x39).contains(bytes[index - 1]),
                    (0x30...0x39).contains(bytes[index + 1])
                else { return nil }
            }
        }
        let plain = trimmed.pythonLower.filter { $0 != "_" }
        let unsigned = plain.drop { $0 == "+" || $0 == "-" }
        if plain.utf8.count - unsigned.utf8.count > 1 { return nil }
        let sign: Double = plain.utf8.first == UInt8(ascii: "-") ? -1 : 1
        if unsigned == "inf" || unsigned == "infinity" { return sign * .infinity }
        if unsigned == "nan" { return .nan }
        guard unsigned.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".e+-".utf8.contains($0) }) else { return nil }
        // The standard library wants digits on both sides of the point, Python on one.
        var repaired = String(unsigned)
        if repaired.utf8.first == UInt8(ascii: ".") { repaired = "0" + repaired }
        if let point = repaired.firstIndex(of: ".") {
            let after = repaired.index(after: point)
            if after == repaired.endIndex || !repaired[after].isNumber { repaired.insert("0", at: after) }
        }
        if unsigned.utf8.first == UInt8(ascii: "."), unsigned.utf8.count == 1 { return nil }
        return Double(repaired).map { sign * $0 }
    }

    private func rounded(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("round", ["precision", "method"])
        let precision = try bound[0].map { value throws(Fault) in try integer(value) } ?? 0
        let method = bound[1]?.text ?? "common"
        guard ["common", "ceil", "floor"].contains(method) else {
            throw .value("method must be common, ceil or floor")
        }
        if method == "common" {
            switch value {
            case .int(let number): return .int(try roundedInteger(number, precision))
            case .bool(let flag): return .int(try roundedInteger(flag ? 1 : 0, precision))
            case .float(let number):
                guard number.isFinite, precision < 330 else { return value }
                if precision >= 0 { return .float(Double(printed(number, precision: precision, kind: "f")) ?? number) }
                if precision < -308 { return .float(0) }
                guard case .float(let scale) = try apply(.power, 10.0, .int(-precision)) else { return value }
                return .float((number / scale).rounded(.toNearestOrEven) * scale)
            default: break
            }
        } else if let number = try double(value), value.text == nil {
            guard case .float(let scale) = try apply(.power, 10.0, .int(precision)) else { return value }
            guard number.isFinite else { throw .value("cannot convert float to integer") }
            return .float((number * scale).rounded(method == "ceil" ? .up : .down) / scale)
        }
        throw .type("type \(typeName(value)) doesn't define __round__ method")
    }

    /// Half to even at a power of ten.
    private func roundedInteger(_ number: Int, _ precision: Int) throws(Fault) -> Int {
        guard precision < 0 else { return number }
        guard precision > -19, case .int(let scale) = try apply(.power, 10, .int(-precision)) else { return 0 }
        let quotient = number / scale
        let remainder = (number % scale).magnitude
        let half = UInt(scale / 2)
        let awayFromZero = remainder > half || (remainder == half && quotient % 2 != 0)
        let rounded = quotient + (awayFromZero ? number.signum() : 0)
        let (result, overflow) = rounded.multipliedReportingOverflow(by: scale)
        guard !overflow else { throw .limit(.integer) }
        return result
    }
}

extension Character {
    /// 0...35 for ASCII digits and letters.
    fileprivate var hexOrLetterValue: Int? {
        guard let ascii = asciiValue else { return nil }
        switch ascii {
        case 0x30...0x39: return Int(ascii) - 0x30
        case 0x41...0x5A: return Int(ascii) - 0x41 + 10
        case 0x61...0x7A: return Int(ascii) - 0x61 + 10
        default: return nil
        }
    }
}
