// Filters of sequences and mappings. Those that are generators in Jinja are generators here.
extension Interpreter {
    @inline(never)
    func sequenceFilter(
        _ name: String, _ value: JinjaValue, _ arguments: CallArguments
    ) throws(Fault) -> JinjaValue {
        switch name {
        case "list":
            _ = try arguments.bind(name, [])
            return try makeList(try elements(of: value))
        case "first": return try first(value, arguments)
        case "last": return try last(value, arguments)
        case "join":
            let bound = try arguments.bind(name, ["d", "attribute"])
            var items = try elements(of: value)
            if let attribute = bound[1], !attribute.isNone {
                let getter = AttributePath(attribute)
                items = try items.map { item throws(Fault) in try get(getter, of: item) }
            }
            return try joined(items, by: try string(of: bound[0] ?? ""), strict: false)
        case "reverse": return try reversed(value, arguments)
        case "items":
            _ = try arguments.bind(name, [])
            return try makeGenerator(
                attempt { () throws(Fault) in
                    switch value {
                    case .undefined: return []
                    case .dict(let dict): return try pairs(of: dict)
                    default: throw .type("Can only get item pairs from a mapping.")
                    }
                })
        case "dictsort": return try dictSorted(value, arguments)
        case "sort": return try sorted(value, arguments)
        case "unique":
            let bound = try arguments.bind(name, ["case_sensitive", "attribute"])
            return try makeGenerator(attempt { () throws(Fault) in try unique(value, bound) })
        case "min", "max": return try extreme(name, value, arguments)
        case "sum": return try sum(value, arguments)
        case "groupby": return try grouped(value, arguments)
        case "batch":
            let bound = try arguments.bind(name, ["linecount", "fill_with"], required: 1)
            return try makeGenerator(attempt { () throws(Fault) in try batched(value, bound) })
        case "slice":
            let bound = try arguments.bind(name, ["slices", "fill_with"], required: 1)
            return try makeGenerator(attempt { () throws(Fault) in try sliced(value, bound) })
        case "map": return try makeGenerator(attempt { () throws(Fault) in try mapped(value, arguments) })
        case "select", "reject", "selectattr", "rejectattr":
            return try makeGenerator(attempt { () throws(Fault) in try selected(name, value, arguments) })
        default: throw Fault(kind: .missing, message: "No filter named \(name.pythonRepr) found.")
        }
    }

    // MARK: Attributes of elements

    /// `a.b.0`: names and positions.
    private struct AttributePath {
        let parts: [JinjaValue]

        init(_ attribute: JinjaValue) {
            guard let text = attribute.text else {
                parts = attribute.isNone ? [] : [attribute]
                return
            }
            parts = text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map { part in
                let isNumber = !part.isEmpty && part.allSatisfy { ("0"..."9").contains($0) }
                return isNumber ? Int(String(part)).map { .int($0) } ?? .string(String(part)) : .string(String(part))
            }
        }
    }

    private func get(
        _ path: AttributePath, of value: JinjaValue, default: JinjaValue? = nil
    ) throws(Fault) -> JinjaValue {
        var result = value
        for part in path.parts {
            result = try item(part, of: result)
            if result.isUndefined, let `default`, !`default`.isNone { result = `default` }
        }
        return result
    }

    /// Strings in lower case, for comparison without regard to case.
    private func folded(_ value: JinjaValue, _ isCaseSensitive: Bool) throws(Fault) -> JinjaValue {
        guard !isCaseSensitive, let text = value.text else { return value }
        return try makeString(text.pythonLower)
    }

    // MARK: Ends and order

    private func first(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        _ = try arguments.bind("first", [])
        return try elements(of: value).first
            ?? .undefined(JinjaUndefined(.hint("No first item, sequence was empty.")))
    }

    private func last(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        _ = try arguments.bind("last", [])
        if case .object(let object) = value, case .generator = object.kind {
            throw .type("'generator' object is not reversible")
        }
        return try elements(of: value).last
            ?? .undefined(JinjaUndefined(.hint("No last item, sequence was empty.")))
    }

    private func reversed(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        _ = try arguments.bind("reverse", [])
        if let text = value.text {
            try budget.makeText(bytes: text.utf8.count)
            let result = String(String.UnicodeScalarView(text.unicodeScalars.reversed()))
            if case .markup = value { return .markup(result) }
            return .string(result)
        }
        let elements = Array(try elements(of: value) { _ in "argument must be iterable" }.reversed())
        if case .object(let object) = value, case .generator = object.kind { return try makeList(elements) }
        return try makeGenerator(.success(elements))
    }

    /// Stable merge sort, since a comparison may fail and the library's sort takes no typed throws.
    private func sortedOrder(_ keys: [JinjaValue], reverse: Bool) throws(Fault) -> [Int] {
        var order = Array(keys.indices)
        var width = 1
        while width < order.count {
            var merged: [Int] = []
            merged.reserveCapacity(order.count)
            var start = 0
            while start < order.count {
                let middle = min(start + width, order.count)
                let end = min(start + 2 * width, order.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    let (a, b) = (keys[order[left]], keys[order[right]])
                    let takesRight = try reverse ? compare(.less, a, b) : compare(.less, b, a)
                    merged.append(order[takesRight ? right : left])
                    if takesRight { right += 1 } else { left += 1 }
                }
                merged += order[left..<middle]
                merged += order[right..<end]
                start = end
            }
            order = merged
            width *= 2
        }
        return order
    }

    private func sorted(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("sort", ["reverse", "case_sensitive", "attribute"])
        let isCaseSensitive = bound[1].map(isTrue) ?? false
        let attribute = bound[2] ?? .none
        // Several attributes, separated by commas.
        let paths =
            attribute.text.map { text in
                text.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false)
                    .map { AttributePath(.string(String($0))) }
            } ?? [AttributePath(attribute)]
        let items = try elements(of: value)
        var keys: [JinjaValue] = []
        for item in items {
            var parts: [JinjaValue] = []
            for path in paths { parts.append(try folded(try get(path, of: item), isCaseSensitive)) }
            keys.append(try makeList(parts))
        }
        return try makeList(try sortedOrder(keys, reverse: bound[0].map(isTrue) ?? false).map { items[$0] })
    }

    private func dictSorted(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("dictsort", ["case_sensitive", "by", "reverse"])
        let by = bound[1]?.text ?? "key"
        guard by == "key" || by == "value" else {
            throw .value("You can only sort by either \"key\" or \"value\"")
        }
        if case .undefined(let undefined) = value { throw .undefined(undefined) }
        guard case .dict(let dict) = value else {
            throw .type("'\(typeName(value))' object has no attribute 'items'")
        }
        let isCaseSensitive = bound[0].map(isTrue) ?? false
        let keys = try (by == "key" ? dict.keys : dict.values).map { key throws(Fault) in
            try folded(key, isCaseSensitive)
        }
        let pairs = try pairs(of: dict)
        return try makeList(try sortedOrder(keys, reverse: bound[2].map(isTrue) ?? false).map { pairs[$0] })
    }

    private func extreme(_ name: String, _ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind(name, ["case_sensitive", "attribute"])
        let isCaseSensitive = bound[0].map(isTrue) ?? false
        let path = AttributePath(bound[1] ?? .none)
        var best: (value: JinjaValue, key: JinjaValue)?
        for item in try elements(of: value) {
            let key = try folded(try get(path, of: item), isCaseSensitive)
            if let current = best {
                guard try compare(name == "min" ? .less : .greater, key, current.key) else { continue }
            }
            best = (item, key)
        }
        return best?.value ?? .undefined(JinjaUndefined(.hint("No aggregated item, sequence was empty.")))
    }

    private func unique(_ value: JinjaValue, _ bound: [JinjaValue?]) throws(Fault) -> [JinjaValue] {
        let isCaseSensitive = bound[0].map(isTrue) ?? false
        let path = AttributePath(bound[1] ?? .none)
        var seen: Set<JinjaKey> = []
        var kept: [JinjaValue] = []
        for item in try elements(of: value) {
            if seen.insert(try hash(try folded(try get(path, of: item), isCaseSensitive))).inserted {
                kept.append(item)
            }
        }
        return kept
    }

    private func sum(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("sum", ["attribute", "start"])
        let path = AttributePath(bound[0] ?? .none)
        var total = bound[1] ?? 0
        if total.text != nil { throw .type("sum() can't sum strings [use ''.join(seq) instead]") }
        for item in try elements(of: value) { total = try apply(.add, total, try get(path, of: item)) }
        return total
    }

    // MARK: Groups

    private func grouped(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> JinjaValue {
        let bound = try arguments.bind("groupby", ["attribute", "default", "case_sensitive"], required: 1)
        let isCaseSensitive = bound[2].map(isTrue) ?? false
        let path = AttributePath(bound[0] ?? .none)
        let items = try elements(of: value)
        let keys = try items.map { item throws(Fault) in
            try folded(try get(path, of: item, default: bound[1]), isCaseSensitive)
        }
        var groups: [(key: JinjaValue, items: [JinjaValue])] = []
        for index in try sortedOrder(keys, reverse: false) {
            if let last = groups.last, try equal(last.key, keys[index]) {
                groups[groups.count - 1].items.append(items[index])
            } else {
                groups.append((keys[index], [items[index]]))
            }
        }
        var result: [JinjaValue] = []
        for group in groups {
            let key = isCaseSensitive ? group.key : try get(path, of: group.items[0], default: bound[1])
            result.append(try makeTuple([key, try makeList(group.items)], fields: ["grouper", "list"]))
        }
        return try makeList(result)
    }

    private func batched(_ value: JinjaValue, _ bound: [JinjaValue?]) throws(Fault) -> [JinjaValue] {
        let size = try integer(bound[0] ?? .none)
        var batches: [JinjaValue] = []
        var batch: [JinjaValue] = []
        for item in try elements(of: value) {
            if batch.count == size {
                batches.append(try makeList(batch))
                batch = []
            }
            batch.append(item)
        }
        guard !batch.isEmpty else { return batches }
        if let fill = bound[1], !fill.isNone, batch.count < size {
            try budget.makeCollection(elements: size, depth: 0)
            batch += Array(repeating: fill, count: size - batch.count)
        }
        batches.append(try makeList(batch))
        return batches
    }

    private func sliced(_ value: JinjaValue, _ bound: [JinjaValue?]) throws(Fault) -> [JinjaValue] {
        let count = try integer(bound[0] ?? .none)
        let items = try elements(of: value)
        guard count != 0 else { throw .value("integer division or modulo by zero") }
        guard count > 0 else { return [] }
        try budget.makeCollection(elements: count, depth: 0)
        let (size, longer) = items.count.quotientAndRemainder(dividingBy: count)
        var slices: [JinjaValue] = []
        var position = 0
        for index in 0..<count {
            let end = position + size + (index < longer ? 1 : 0)
            var slice = Array(items[position..<end])
            if let fill = bound[1], !fill.isNone, index >= longer { slice.append(fill) }
            slices.append(try makeList(slice))
            position = end
        }
        return slices
    }

    // MARK: Filters that call filters and tests

    private func mapped(_ value: JinjaValue, _ arguments: CallArguments) throws(Fault) -> [JinjaValue] {
        guard isTrue(value) else { return [] }
        var result: [JinjaValue] = []
        if arguments.positional.isEmpty, arguments.keyword.contains(where: { $0.name == "attribute" }) {
            let bound = try arguments.bind("map", ["attribute", "default"])
            let path = AttributePath(bound[0] ?? .none)
            for item in try elements(of: value) { result.append(try get(path, of: item, default: bound[1])) }
            return result
        }
        guard let name = arguments.positional.first?.text else { throw .type("map requires a filter argument") }
        let rest = CallArguments(
            positional: Array(arguments.positional.dropFirst()), keyword: arguments.keyword)
        try enter()
        for item in try elements(of: value) { result.append(try filter(name, item, rest)) }
        leave()
        return result
    }

    private func selected(
        _ name: String, _ value: JinjaValue, _ arguments: CallArguments
    ) throws(Fault) -> [JinjaValue] {
        guard isTrue(value) else { return [] }
        let (keeps, usesAttribute) = (name.hasPrefix("select"), name.hasSuffix("attr"))
        var positional = arguments.positional[...]
        var path = AttributePath(.none)
        if usesAttribute {
            guard let attribute = positional.popFirst() else {
                throw .type("Missing parameter for attribute name")
            }
            path = AttributePath(attribute)
        }
        let testName = positional.popFirst()
        let rest = CallArguments(positional: Array(positional), keyword: arguments.keyword)
        var kept: [JinjaValue] = []
        for item in try elements(of: value) {
            let subject = try get(path, of: item)
            let passes: Bool
            if let testName {
                passes = try test(try string(of: testName), subject, rest)
            } else {
                passes = isTrue(subject)
            }
            if passes == keeps { kept.append(item) }
        }
        return kept
    }
}
