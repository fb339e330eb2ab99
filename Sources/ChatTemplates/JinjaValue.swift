/// A value of the template language: what Python would have, reduced to what templates can see.
///
/// Callers make the first eight cases; the others arise only while a template runs. Strings are sequences of Unicode
/// scalars (Python's code points), never of grapheme clusters. Large payloads are boxed, so that a value is two words
/// and the interpreter's frames stay small.
package enum JinjaValue: Sendable {
    indirect case undefined(JinjaUndefined)
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    indirect case list(JinjaSequence)
    /// Keeps insertion order.
    indirect case dict(JinjaDict)
    indirect case tuple(JinjaSequence)
    /// A string marked with `safe`: whatever is added to it gets HTML-escaped, as Python's `Markup` does.
    case markup(String)
    /// Ranges, namespaces, macros, methods, …
    case object(JinjaObject)

    /// A dictionary in the given order; of equal keys the last value wins.
    package static func object(_ pairs: [(String, JinjaValue)]) -> JinjaValue {
        var dict = JinjaDict()
        for (key, value) in pairs { dict.set(key, value) }
        return .dict(dict)
    }

    /// A list.
    package static func array(_ elements: [JinjaValue]) -> JinjaValue { .list(JinjaSequence(elements)) }

    /// How deep lists and dictionaries are nested; 0 for a scalar.
    var depth: Int {
        switch self {
        case .list(let sequence), .tuple(let sequence): sequence.depth
        case .dict(let dict): dict.depth
        case .object(let object): object.depth
        default: 0
        }
    }

    /// The text of a string, marked or not; nil for any other value.
    var text: String? {
        switch self {
        case .string(let text), .markup(let text): text
        default: nil
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    var isNone: Bool {
        if case .none = self { return true }
        return false
    }
}

// No nil literal: in `condition ? value : nil` it would silently mean `.some(.none)`.
extension JinjaValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .float(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JinjaValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JinjaValue)...) { self = .object(elements) }
}

/// Why a value is undefined; the words of an error if it is used.
package struct JinjaUndefined: Sendable {
    enum Reason: Sendable {
        case name(String)
        /// Quoted owner, for example `'dict object'`, and the attribute's name.
        case attribute(owner: String, name: String)
        case element(owner: String, index: String)
        case hint(String)
        case unsafe(owner: String, name: String)
    }

    let reason: Reason

    init(_ reason: Reason) { self.reason = reason }

    /// A variable nobody gave.
    package init(name: String) { reason = .name(name) }

    var isUnsafe: Bool {
        if case .unsafe = reason { return true }
        return false
    }

    var message: String {
        switch reason {
        case .name(let name): "\(name.pythonRepr) is undefined"
        case .attribute(let owner, let name): "'\(owner)' has no attribute \(name.pythonRepr)"
        case .element(let owner, let index): "\(owner) has no element \(index)"
        case .hint(let text): text
        case .unsafe(let owner, let name): "access to attribute \(name.pythonRepr) of '\(owner)' object is unsafe."
        }
    }
}

/// The elements of a list or tuple together with their depth, which every new collection needs.
package struct JinjaSequence: Sendable {
    package let elements: [JinjaValue]
    let depth: Int
    /// Names of the elements of a named tuple.
    let fields: [String]

    package init(_ elements: [JinjaValue]) { self.init(elements, fields: []) }

    init(_ elements: [JinjaValue], fields: [String]) {
        self.elements = elements
        self.fields = fields
        var deepest = 0
        for element in elements { deepest = max(deepest, element.depth) }
        depth = deepest + 1
    }

    package var count: Int { elements.count }
}

/// What only a running template has. Mutable things (namespaces, loops, generators) live in the interpreter; a value
/// holds their number, so that values stay plain, sendable and free of cycles.
package struct JinjaObject: Sendable {
    enum View: String { case keys, values, items }
    enum Function: String, CaseIterable {
        case range, dict, namespace, cycler, joiner
        case raiseException = "raise_exception"
        case strftimeNow = "strftime_now"
    }

    indirect enum Kind: Sendable {
        case range(PythonRange)
        case view(View, JinjaSequence)
        case generator(Int)
        case namespace(Int)
        case loop(Int)
        case macro(Int)
        case cycler(Int)
        case joiner(Int)
        case function(Function)
        case method(receiver: JinjaValue, name: String)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    var depth: Int {
        switch kind {
        case .view(_, let sequence): sequence.depth
        case .method(let receiver, _): receiver.depth + 1
        default: 0
        }
    }
}

/// Python's `range`: an arithmetic sequence that is never stored.
struct PythonRange: Sendable, Equatable {
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    /// - Precondition: `step` is not 0.
    /// - Returns: nil if the length does not fit an `Int`.
    init?(start: Int, stop: Int, step: Int) {
        self.start = start
        self.stop = stop
        self.step = step
        let (distance, overflow) =
            step > 0
            ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        if overflow {
            // The distance overflows upwards for a huge range, downwards for an empty one.
            guard step > 0 ? stop < start : start < stop else { return nil }
            count = 0
        } else if distance <= 0 {
            count = 0
        } else {
            count = Int((UInt(distance) - 1) / step.magnitude) + 1
        }
    }

    private init(start: Int, stop: Int, step: Int, count: Int) {
        self.start = start
        self.stop = stop
        self.step = step
        self.count = count
    }

    subscript(index: Int) -> Int { start + index * step }

    /// The range of the given positions, which are `step` apart.
    func slice(_ positions: [Int], step: Int) -> PythonRange {
        guard let first = positions.first else { return PythonRange(start: 0, stop: 0, step: 1, count: 0) }
        // Positions lie within the range, so only the step of a slice with a single element could overflow.
        let width = self.step.multipliedReportingOverflow(by: step)
        let step = width.overflow ? 1 : width.partialValue
        let start = self[first]
        return PythonRange(start: start, stop: start &+ step &* positions.count, step: step, count: positions.count)
    }
}
