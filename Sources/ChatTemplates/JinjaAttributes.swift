// Looking into values: `value.name`, `value[key]`, slices, iteration, and the methods of lists, dictionaries, numbers.

/// Which methods Python's types have, and which of them a sandboxed template may not use because they change things.
enum PythonMethods {
    static let dict: Set<String> = ["get", "items", "keys", "values", "copy"]
    static let list: Set<String> = ["index", "count", "copy"]
    static let tuple: Set<String> = ["index", "count"]
    static let int: Set<String> = ["bit_length", "bit_count", "conjugate"]
    static let float: Set<String> = ["is_integer", "conjugate"]
    static let changingDict: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
    static let changingList: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]
    /// What every Python object has; reaching it is the classic way out of a sandbox.
    static let ofEveryObject: Set<String> = [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__",
        "__getstate__", "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__",
        "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__",
        "__subclasshook__",
    ]
}

extension Interpreter {
    // MARK: Attributes and items

    /// `value.name`: an attribute if there is one, else an item.
    @inline(never)
    func attribute(_ name: String, of value: JinjaValue) throws(Fault) -> JinjaValue {
        if case .undefined(let undefined) = value { throw .undefined(undefined) }
        if let found = try pythonAttribute(name, of: value) { return found }
        if case .dict(let dict) = value, let found = dict[name] { return found }
        return .undefined(JinjaUndefined(.attribute(owner: ownerName(value), name: name)))
    }

    /// `value[key]`: an item if there is one, else an attribute.
    @inline(never)
    func item(_ key: JinjaValue, of value: JinjaValue) throws(Fault) -> JinjaValue {
        switch value {
        case .undefined(let undefined): throw .undefined(undefined)
        case .dict(let dict):
            if isHashable(key), let found = dict[try hash(key)] { return found }
        case .list(let sequence), .tuple(let sequence):
            if let index = index(key, count: sequence.count) { return sequence.elements[index] }
        case .string(let text), .markup(let text):
            try budget.scan(bytes: text.utf8.count)
            if let index = index(key, count: text.scalarCount) {
                let scalars = text.unicodeScalars
                let character = String(scalars[scalars.index(scalars.startIndex, offsetBy: index)])
                if case .markup = value { return .markup(character) }
                return .string(character)
            }
        case .object(let object):
            if case .range(let range) = object.kind, let index = index(key, count: range.count) {
                return .int(range[index])
            }
        default: break
        }
        if let name = key.text {
            if let found = try pythonAttribute(name, of: value) { return found }
            return .undefined(JinjaUndefined(.attribute(owner: ownerName(value), name: name)))
        }
        return .undefined(JinjaUndefined(.element(owner: ownerName(value), index: try repr(of: key))))
    }

    /// A sequence index, negative ones from the end; nil if it is not one or out of range.
    private func index(_ key: JinjaValue, count: Int) -> Int? {
        let index: Int
        switch key {
        case .int(let value): index = value
        case .bool(let value): index = value ? 1 : 0
        default: return nil
        }
        let position = index < 0 ? index &+ count : index
        return position >= 0 && position < count ? position : nil
    }

    /// What Python's `getattr` finds, through the sandbox; nil if nothing.
    private func pythonAttribute(_ name: String, of value: JinjaValue) throws(Fault) -> JinjaValue? {
        if PythonMethods.ofEveryObject.contains(name) { return unsafe(name, of: value) }
        switch value {
        case .string, .markup:
            return Self.stringMethods.contains(name) ? method(name, of: value) : nil
        case .dict:
            if PythonMethods.dict.contains(name) { return method(name, of: value) }
            return PythonMethods.changingDict.contains(name) ? unsafe(name, of: value) : nil
        case .list:
            if PythonMethods.list.contains(name) { return method(name, of: value) }
            return PythonMethods.changingList.contains(name) ? unsafe(name, of: value) : nil
        case .tuple(let sequence):
            if let index = sequence.fields.firstIndex(of: name) { return sequence.elements[index] }
            return PythonMethods.tuple.contains(name) ? method(name, of: value) : nil
        case .int(let number):
            if name == "real" || name == "numerator" { return .int(number) }
            if name == "imag" { return .int(0) }
            if name == "denominator" { return .int(1) }
            return PythonMethods.int.contains(name) ? method(name, of: value) : nil
        case .float(let number):
            if name == "real" { return .float(number) }
            if name == "imag" { return .float(0) }
            return PythonMethods.float.contains(name) ? method(name, of: value) : nil
        case .object(let object): return try objectAttribute(name, of: object, value)
        case .bool(let flag): return try pythonAttribute(name, of: .int(flag ? 1 : 0))
        case .undefined, .none: return nil
        }
    }

    private func objectAttribute(
        _ name: String, of object: JinjaObject, _ value: JinjaValue
    ) throws(Fault) -> JinjaValue? {
        switch object.kind {
        case .namespace(let handle):
            guard let found = namespaces[handle][name] else { return nil }
            return name.utf8.first == UInt8(ascii: "_") ? unsafe(name, of: value) : found
        case .loop(let handle): return try loopAttribute(name, of: try loopState(handle), value)
        case .macro(let handle):
            let definition = macros[handle].definition
            switch name {
            case "name": return definition.name.map { .string($0) } ?? JinjaValue.none
            case "arguments": return try makeTuple(definition.parameters.map { .string($0.name) })
            case "catch_kwargs": return .bool(definition.usesKeywords)
            case "catch_varargs": return .bool(definition.usesPositionals)
            case "caller": return .bool(definition.usesCaller)
            default: return nil
            }
        case .range(let range):
            switch name {
            case "start": return .int(range.start)
            case "stop": return .int(range.stop)
            case "step": return .int(range.step)
            default: return PythonMethods.tuple.contains(name) ? method(name, of: value) : nil
            }
        case .cycler(let handle):
            let (items, position) = cyclers[handle]
            if name == "current" { return items[position] }
            return name == "next" || name == "reset" ? method(name, of: value) : nil
        case .view, .generator, .joiner, .function, .method: return nil
        }
    }

    private func loopAttribute(
        _ name: String, of state: LoopState, _ value: JinjaValue
    ) throws(Fault) -> JinjaValue? {
        switch name {
        case "index": return .int(state.index + 1)
        case "index0": return .int(state.index)
        case "revindex": return .int(try state.length(self) - state.index)
        case "revindex0": return .int(try state.length(self) - state.index - 1)
        case "first": return .bool(state.index == 0)
        case "last": return .bool(try state.peek(self) == nil)
        case "length": return .int(try state.length(self))
        case "depth": return .int(state.depth + 1)
        case "depth0": return .int(state.depth)
        case "previtem":
            if state.index > 0 { return state.previous }
            return .undefined(JinjaUndefined(.hint("there is no previous item")))
        case "nextitem": return try state.peek(self) ?? .undefined(JinjaUndefined(.hint("there is no next item")))
        case "cycle", "changed": return method(name, of: value)
        default: return nil
        }
    }

    private func method(_ name: String, of value: JinjaValue) -> JinjaValue {
        .object(JinjaObject(.method(receiver: value, name: name)))
    }

    private func unsafe(_ name: String, of value: JinjaValue) -> JinjaValue {
        .undefined(JinjaUndefined(.unsafe(owner: typeName(value), name: name)))
    }

    // MARK: Slices and iteration

    func slice(_ value: JinjaValue, start: Int?, stop: Int?, step: Int?) throws(Fault) -> JinjaValue {
        func pick<Element>(_ elements: [Element]) throws(Fault) -> [Element] {
            let step = step ?? 1
            guard step != 0 else { throw .value("slice step cannot be zero") }
            let count = elements.count
            let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
            func clamp(_ bound: Int?, or missing: Int) -> Int {
                guard let bound else { return missing }
                return min(max(bound < 0 ? bound &+ count : bound, low), high)
            }
            let first = clamp(start, or: step > 0 ? low : high)
            let end = clamp(stop, or: step > 0 ? high : low)
            if step == 1 { return first < end ? Array(elements[first..<end]) : [] }
            var picked: [Element] = []
            var index = first
            while step > 0 ? index < end : index > end {
                picked.append(elements[index])
                let (next, overflow) = index.addingReportingOverflow(step)
                if overflow { break }
                index = next
            }
            return picked
        }
        switch value {
        case .undefined(let undefined): throw .undefined(undefined)
        case .list(let sequence): return try makeList(try pick(sequence.elements))
        case .tuple(let sequence): return try makeTuple(try pick(sequence.elements))
        case .string(let text), .markup(let text):
            try budget.scan(bytes: text.utf8.count)
            let result = String(String.UnicodeScalarView(try pick(Array(text.unicodeScalars))))
            try budget.makeText(bytes: result.utf8.count)
            if case .markup = value { return .markup(result) }
            return .string(result)
        case .object(let object):
            guard case .range(let range) = object.kind else {
                throw .type("'\(typeName(value))' object is not subscriptable")
            }
            try budget.spend(1 + range.count >> 2)
            return .object(JinjaObject(.range(range.slice(try pick(Array(0..<range.count)), step: step ?? 1))))
        case .dict: throw .type("unhashable type: 'slice'")
        case .none, .bool, .int, .float: throw .type("'\(typeName(value))' object is not subscriptable")
        }
    }

    /// What a `for` loop would see.
    /// - Parameter complaint: makes the message for a value that cannot be iterated from its type's name.
    func elements(of value: JinjaValue, or complaint: (String) -> String) throws(Fault) -> [JinjaValue] {
        switch value {
        case .list(let sequence), .tuple(let sequence): return sequence.elements
        case .dict(let dict): return dict.keys
        case .undefined(let undefined):
            if undefined.isUnsafe { throw .undefined(undefined) }
            return []
        case .string(let text), .markup(let text):
            try budget.makeCollection(elements: text.scalarCount, depth: 0)
            return text.unicodeScalars.map { .string(String($0)) }
        case .object(let object):
            switch object.kind {
            case .range(let range):
                try budget.makeCollection(elements: range.count, depth: 0)
                return (0..<range.count).map { .int(range[$0]) }
            case .view(_, let sequence): return sequence.elements
            case .generator(let handle): return try consume(handle)
            default: throw .type(complaint(typeName(value)))
            }
        case .none, .bool, .int, .float: throw .type(complaint(typeName(value)))
        }
    }

    /// The iteration that filters do.
    func elements(of value: JinjaValue) throws(Fault) -> [JinjaValue] {
        try elements(of: value) { "'\($0)' object is not iterable" }
    }

    /// Takes everything that a generator still has.
    private func consume(_ handle: Int) throws(Fault) -> [JinjaValue] {
        let generator = generators[handle]
        generators[handle] = Generator(elements: [], fault: nil)
        if let fault = generator.fault { throw fault }
        return generator.elements
    }

    func makeGenerator(_ elements: Result<[JinjaValue], Fault>) throws(Fault) -> JinjaValue {
        switch elements {
        case .success(let elements):
            try budget.makeCollection(elements: elements.count, depth: 0)
            generators.append(Generator(elements: elements, fault: nil))
        case .failure(let fault):
            // A limit holds whether or not anybody looks at the elements.
            if case .limit = fault.kind { throw fault }
            generators.append(Generator(elements: [], fault: fault))
        }
        return .object(JinjaObject(.generator(generators.count - 1)))
    }

    // MARK: Methods

    func sequenceMethod(
        _ name: String, of receiver: JinjaValue, _ sequence: JinjaSequence, _ arguments: CallArguments
    ) throws(Fault) -> JinjaValue {
        switch name {
        case "copy":
            _ = try arguments.bind(name, [])
            return receiver
        case "count":
            let wanted = try arguments.bind(name, ["value"], required: 1)[0] ?? .none
            var count = 0
            for element in sequence.elements where try equal(element, wanted) { count += 1 }
            return .int(count)
        default:
            let bound = try arguments.bind(name, ["value", "start", "stop"], required: 1)
            let range = try bounds(bound[1], bound[2], count: sequence.count)
            for index in range where try equal(sequence.elements[index], bound[0] ?? .none) { return .int(index) }
            throw .value("\(try repr(of: bound[0] ?? .none)) is not in \(typeName(receiver))")
        }
    }

    /// The optional start and end of a search, as Python clamps them.
    func bounds(_ start: JinjaValue?, _ stop: JinjaValue?, count: Int) throws(Fault) -> Range<Int> {
        func clamp(_ value: JinjaValue?, or missing: Int) throws(Fault) -> Int {
            guard let value, !value.isNone else { return missing }
            let index = try integer(value)
            return min(max(index < 0 ? index &+ count : index, 0), count)
        }
        let first = try clamp(start, or: 0)
        return first..<max(first, try clamp(stop, or: count))
    }

    func dictMethod(_ name: String, _ dict: JinjaDict, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        if name == "get" {
            let bound = try arguments.bind(name, ["key", "default"], required: 1)
            return dict[try hash(bound[0] ?? .none)] ?? bound[1] ?? .none
        }
        _ = try arguments.bind(name, [])
        switch name {
        case "keys": return .object(JinjaObject(.view(.keys, JinjaSequence(dict.keys))))
        case "values": return .object(JinjaObject(.view(.values, JinjaSequence(dict.values))))
        case "items": return .object(JinjaObject(.view(.items, JinjaSequence(try pairs(of: dict)))))
        default: return .dict(dict)
        }
    }

    /// Key and value as tuples.
    func pairs(of dict: JinjaDict) throws(Fault) -> [JinjaValue] {
        try budget.makeCollection(elements: dict.count * 3, depth: dict.depth + 1)
        return zip(dict.keys, dict.values).map { .tuple(JinjaSequence([$0, $1])) }
    }

    func numberMethod(_ name: String, _ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        _ = try arguments.bind(name, [])
        switch value {
        case .int(let number):
            switch name {
            case "bit_length": return .int(Int.bitWidth - number.magnitude.leadingZeroBitCount)
            case "bit_count": return .int(number.magnitude.nonzeroBitCount)
            default: return value
            }
        case .float(let number):
            return name == "is_integer" ? .bool(number.isFinite && number.rounded() == number) : value
        default: return value
        }
    }
}
