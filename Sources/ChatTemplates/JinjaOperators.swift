import Glibc

// Truth, arithmetic, comparison and hashing as Python has them.
extension Interpreter {
    func isTrue(_ value: JinjaValue) -> Bool {
        switch value {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .string(let text), .markup(let text): !text.isEmpty
        case .list(let sequence), .tuple(let sequence): !sequence.elements.isEmpty
        case .dict(let dict): !dict.isEmpty
        case .object(let object):
            switch object.kind {
            case .range(let range): range.count > 0
            case .view(_, let sequence): !sequence.elements.isEmpty
            default: true
            }
        }
    }

    /// An integer where Python wants one (`bool` is one too).
    func integer(_ value: JinjaValue) throws(Fault) -> Int {
        switch value {
        case .int(let value): return value
        case .bool(let value): return value ? 1 : 0
        case .undefined(let undefined): throw .undefined(undefined)
        default: throw .type("'\(typeName(value))' object cannot be interpreted as an integer")
        }
    }

    private enum Number {
        case int(Int)
        case float(Double)

        var double: Double {
            switch self {
            case .int(let value): Double(value)
            case .float(let value): value
            }
        }
    }

    private func number(_ value: JinjaValue) -> Number? {
        switch value {
        case .int(let value): .int(value)
        case .bool(let value): .int(value ? 1 : 0)
        case .float(let value): .float(value)
        default: nil
        }
    }

    // MARK: Arithmetic

    func signed(_ value: JinjaValue, isNegative: Bool) throws(Fault) -> JinjaValue {
        switch number(value) {
        case .int(let number):
            guard isNegative else { return .int(number) }
            let (result, overflow) = 0.subtractingReportingOverflow(number)
            guard !overflow else { throw .limit(.integer) }
            return .int(result)
        case .float(let number): return .float(isNegative ? -number : number)
        case nil:
            if case .undefined(let undefined) = value { throw .undefined(undefined) }
            throw .type("bad operand type for unary \(isNegative ? "-" : "+"): '\(typeName(value))'")
        }
    }

    func apply(
        _ operation: BinaryOperator, _ left: JinjaValue, _ right: JinjaValue
    ) throws(Fault) -> JinjaValue {
        if let a = number(left), let b = number(right) {
            if case .int(let a) = a, case .int(let b) = b { return try integers(operation, a, b) }
            return .float(try floats(operation, a.double, b.double))
        }
        if case .modulo = operation, let format = left.text { return try percentFormat(format, left, right) }
        if case .undefined(let undefined) = left { throw .undefined(undefined) }
        if case .undefined(let undefined) = right { throw .undefined(undefined) }
        switch operation {
        case .add: return try add(left, right)
        case .multiply:
            if case .int(let count) = number(right) { return try repeated(left, count) }
            if case .int(let count) = number(left) { return try repeated(right, count) }
        default: break
        }
        throw unsupported(operation, left, right)
    }

    private func unsupported(_ operation: BinaryOperator, _ left: JinjaValue, _ right: JinjaValue) -> Fault {
        let symbol = operation == .power ? "** or pow()" : operation.rawValue
        return .type("unsupported operand type(s) for \(symbol): '\(typeName(left))' and '\(typeName(right))'")
    }

    private func integers(_ operation: BinaryOperator, _ a: Int, _ b: Int) throws(Fault) -> JinjaValue {
        let result: (partialValue: Int, overflow: Bool)
        switch operation {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide:
            guard b != 0 else { throw .value("division by zero") }
            return .float(Double(a) / Double(b))
        case .floorDivide:
            guard b != 0 else { throw .value("integer division or modulo by zero") }
            let quotient = a.dividedReportingOverflow(by: b)
            let isBelow = !quotient.overflow && quotient.partialValue * b != a && (a < 0) != (b < 0)
            result = isBelow ? (quotient.partialValue - 1, false) : quotient
        case .modulo:
            guard b != 0 else { throw .value("integer division or modulo by zero") }
            let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
            result = (remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder, false)
        case .power:
            if b < 0 {
                guard a != 0 else { throw .value("0.0 cannot be raised to a negative power") }
                return .float(pow(Double(a), Double(b)))
            }
            result = integerPower(a, b)
        }
        guard !result.overflow else { throw .limit(.integer) }
        return .int(result.partialValue)
    }

    private func integerPower(_ base: Int, _ exponent: Int) -> (partialValue: Int, overflow: Bool) {
        if base == 0 || base == 1 { return (exponent == 0 ? 1 : base, false) }
        if base == -1 { return (exponent % 2 == 0 ? 1 : -1, false) }
        guard exponent < 64 else { return (0, true) }
        var result = 1
        for _ in 0..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: base)
            if overflow { return (0, true) }
            result = product
        }
        return (result, false)
    }

    private func floats(_ operation: BinaryOperator, _ a: Double, _ b: Double) throws(Fault) -> Double {
        switch operation {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide:
            guard b != 0 else { throw .value("float division by zero") }
            return a / b
        case .floorDivide, .modulo:
            guard b != 0 else { throw .value("float floor division by zero") }
            var remainder = fmod(a, b)
            var quotient = (a - remainder) / b
            if remainder != 0 {
                if (b < 0) != (remainder < 0) {
                    remainder += b
                    quotient -= 1
                }
            } else {
                remainder = copysign(0, b)
            }
            if case .modulo = operation { return remainder }
            let floored = quotient.rounded(.down)
            return quotient - floored > 0.5 ? floored + 1 : floored
        case .power:
            if a == 0, b < 0 { throw .value("0.0 cannot be raised to a negative power") }
            let result = pow(a, b)
            if result.isNaN, !a.isNaN, !b.isNaN { throw .value("complex numbers are not available") }
            if result.isInfinite, a.isFinite, b.isFinite { throw .value("Numerical result out of range") }
            return result
        }
    }

    private func add(_ left: JinjaValue, _ right: JinjaValue) throws(Fault) -> JinjaValue {
        switch (left, right) {
        case (.string(let a), .string(let b)):
            guard a.utf8.count + b.utf8.count <= limits.stringBytes else {
                throw .limit(.stringBytes(limits.stringBytes))
            }
            return try makeString(a + b)
        case (.markup, _) where right.text != nil, (_, .markup) where left.text != nil:
            let (a, b) = (escaped(left), escaped(right))
            try budget.makeText(bytes: a.utf8.count + b.utf8.count)
            return .markup(a + b)
        case (.list(let a), .list(let b)):
            try budget.makeCollection(elements: a.count + b.count, depth: 0)
            return .list(JinjaSequence(a.elements + b.elements))
        case (.tuple(let a), .tuple(let b)):
            try budget.makeCollection(elements: a.count + b.count, depth: 0)
            return .tuple(JinjaSequence(a.elements + b.elements))
        case (.string, _), (.markup, _):
            throw .type("can only concatenate str (not \"\(typeName(right))\") to str")
        case (.list, _): throw .type("can only concatenate list (not \"\(typeName(right))\") to list")
        case (.tuple, _): throw .type("can only concatenate tuple (not \"\(typeName(right))\") to tuple")
        default: throw unsupported(.add, left, right)
        }
    }

    /// A string's text with HTML escaped, unless it is marked as safe.
    func escaped(_ value: JinjaValue) -> String {
        switch value {
        case .markup(let text): text
        case .string(let text): text.htmlEscaped
        default: ""
        }
    }

    private func repeated(_ value: JinjaValue, _ count: Int) throws(Fault) -> JinjaValue {
        let count = max(0, count)
        switch value {
        case .string(let text), .markup(let text):
            let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: count)
            try budget.makeText(bytes: overflow ? .max : bytes)
            let result = String(repeating: text, count: text.isEmpty ? 0 : count)
            if case .markup = value { return .markup(result) }
            return .string(result)
        case .list(let sequence), .tuple(let sequence):
            let (total, overflow) = sequence.count.multipliedReportingOverflow(by: count)
            try budget.makeCollection(elements: overflow ? .max : total, depth: sequence.depth)
            let elements =
                sequence.elements.isEmpty
                ? [] : Array(repeatElement(sequence.elements, count: count).joined())
            if case .tuple = value { return .tuple(JinjaSequence(elements)) }
            return .list(JinjaSequence(elements))
        default:
            throw .type("can't multiply sequence by non-int of type '\(typeName(value))'")
        }
    }

    // MARK: Comparison

    func compare(_ operation: Comparison, _ left: JinjaValue, _ right: JinjaValue) throws(Fault) -> Bool {
        switch operation {
        case .equal: try equal(left, right)
        case .notEqual: !(try equal(left, right))
        case .contained: try contains(right, left)
        case .notContained: !(try contains(right, left))
        case .less, .lessOrEqual, .greater, .greaterOrEqual: try inOrder(operation, left, right)
        }
    }

    func equal(_ left: JinjaValue, _ right: JinjaValue) throws(Fault) -> Bool {
        try budget.spend()
        if let a = number(left), let b = number(right) {
            if case .int(let a) = a, case .int(let b) = b { return a == b }
            return a.double == b.double
        }
        switch (left, right) {
        case (.string(let a), .string(let b)), (.markup(let a), .markup(let b)), (.string(let a), .markup(let b)),
            (.markup(let a), .string(let b)):
            guard a.utf8.count == b.utf8.count else { return false }
            try budget.scan(bytes: a.utf8.count)
            return a.isExactly(b)
        case (.none, .none), (.undefined, .undefined): return true
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            guard a.count == b.count else { return false }
            for (x, y) in zip(a.elements, b.elements) {
                guard try equal(x, y) else { return false }
            }
            return true
        case (.dict(let a), .dict(let b)):
            guard a.count == b.count else { return false }
            for (key, value) in zip(a.keys, a.values) {
                guard let other = b[try hash(key)], try equal(value, other) else { return false }
            }
            return true
        case (.object, .object): return try hash(left) == hash(right)
        default: return false
        }
    }

    private func inOrder(
        _ operation: Comparison, _ left: JinjaValue, _ right: JinjaValue
    ) throws(Fault) -> Bool {
        func ordered<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
            switch operation {
            case .less: a < b
            case .lessOrEqual: a <= b
            case .greater: a > b
            default: a >= b
            }
        }
        try budget.spend()
        if let a = number(left), let b = number(right) {
            if case .int(let a) = a, case .int(let b) = b { return ordered(a, b) }
            return ordered(a.double, b.double)
        }
        if let a = left.text, let b = right.text {
            try budget.scan(bytes: min(a.utf8.count, b.utf8.count))
            return ordered(a.isExactly(b) ? 0 : a.precedes(b) ? -1 : 1, 0)
        }
        switch (left, right) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw .undefined(undefined)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (x, y) in zip(a.elements, b.elements) where !(try equal(x, y)) {
                return try inOrder(operation, x, y)
            }
            return ordered(a.count, b.count)
        default:
            throw .type(
                "'\(operation.rawValue)' not supported between instances of '\(typeName(left))' and "
                    + "'\(typeName(right))'")
        }
    }

    /// `item in container`
    func contains(_ container: JinjaValue, _ item: JinjaValue) throws(Fault) -> Bool {
        switch container {
        case .string(let text), .markup(let text):
            guard let wanted = item.text else {
                throw .type("'in <string>' requires string as left operand, not \(typeName(item))")
            }
            try budget.scan(bytes: text.utf8.count + wanted.utf8.count)
            return ByteSearch(wanted).first(in: Array(text.utf8)) != nil
        case .dict(let dict): return dict.contains(try hash(item))
        case .undefined: return false
        default:
            let elements = try elements(of: container) { "argument of type '\($0)' is not iterable" }
            for element in elements where try equal(element, item) { return true }
            return false
        }
    }

    // MARK: Hashing

    func isHashable(_ value: JinjaValue) -> Bool {
        switch value {
        case .list, .dict: false
        case .tuple(let sequence): sequence.elements.allSatisfy(isHashable)
        case .object(let object): if case .view = object.kind { false } else { true }
        default: true
        }
    }

    /// The form in which a value is a dictionary key.
    func hash(_ value: JinjaValue) throws(Fault) -> JinjaKey {
        try budget.spend()
        switch value {
        case .undefined: return .undefined
        case .none: return .none
        case .bool(let value): return .number(value ? 1 : 0)
        case .int(let value): return .number(value)
        case .float(let value): return Int(exactly: value).map { .number($0) } ?? .float(value)
        case .string(let text), .markup(let text):
            try budget.scan(bytes: text.utf8.count)
            return .string(ExactString(text))
        case .tuple(let sequence):
            // A tuple that shares its parts is written out in full here.
            try budget.makeCollection(elements: 4 * sequence.count, depth: 0)
            var parts: [JinjaKey] = []
            for element in sequence.elements { parts.append(try hash(element)) }
            return .tuple(parts)
        case .list, .dict: throw .type("unhashable type: '\(typeName(value))'")
        case .object(let object):
            switch object.kind {
            case .range(let range):
                // Ranges are equal if they yield the same numbers.
                return range.count == 0
                    ? .range(0, 0, 0)
                    : .range(range.start, range.count, range.count == 1 ? 0 : range.step)
            case .generator(let handle): return .handle("generator", handle)
            case .namespace(let handle): return .handle("namespace", handle)
            case .loop(let handle): return .handle("loop", handle)
            case .macro(let handle): return .handle("macro", handle)
            case .cycler(let handle): return .handle("cycler", handle)
            case .joiner(let handle): return .handle("joiner", handle)
            case .function(let function): return .handle(function.rawValue, 0)
            case .method(let receiver, let name):
                guard isHashable(receiver) else { return .tuple([.string(ExactString(name))]) }
                return .tuple([.string(ExactString(name)), try hash(receiver)])
            case .view(let view, let sequence):
                var parts: [JinjaKey] = [.string(ExactString(view.rawValue))]
                for element in sequence.elements { parts.append(try hash(element)) }
                return .tuple(parts)
            }
        }
    }
}
