/// Holds each different formula once and simplifies as it builds, so that equal formulas are equal indices: what was
/// found out about one (its language, whether anything satisfies it) is found out once.
struct FormulaStore {
    static let never: Formula = 0
    static let always: Formula = 1

    private(set) var nodes: [FormulaNode] = [.never, .always]
    private var indices: [FormulaNode: Formula] = [.never: 0, .always: 1]
    private(set) var names: [[UInt8]] = []
    private var nameIndices: [[UInt8]: NameID] = [:]

    subscript(_ formula: Formula) -> FormulaNode { nodes[Int(formula)] }

    mutating func intern(_ node: FormulaNode) -> Formula {
        if let known = indices[node] { return known }
        let formula = Formula(nodes.count)
        nodes.append(node)
        indices[node] = formula
        return formula
    }

    mutating func name(_ bytes: [UInt8]) -> NameID {
        if let known = nameIndices[bytes] { return known }
        let name = NameID(names.count)
        names.append(bytes)
        nameIndices[bytes] = name
        return name
    }

    func knownName(_ bytes: [UInt8]) -> NameID? { nameIndices[bytes] }

    mutating func types(_ types: JSONTypes) -> Formula {
        if types.isEmpty { return Self.never }
        return types == .all ? Self.always : intern(.types(types))
    }

    mutating func condition(_ condition: Condition) -> Formula { intern(.condition(condition)) }

    mutating func schema(_ place: SchemaDocument.Place) -> Formula { intern(.schema(place)) }

    mutating func not(_ formula: Formula) -> Formula {
        switch self[formula] {
        case .never: Self.always
        case .always: Self.never
        case .not(let inner): inner
        case .types(let set): types(set.inverted)
        default: intern(.not(formula))
        }
    }

    mutating func all(_ parts: [Formula]) -> Formula { junction(parts, all: true) }

    mutating func any(_ parts: [Formula]) -> Formula { junction(parts, all: false) }

    mutating func all(_ left: Formula, _ right: Formula) -> Formula {
        if left == Self.always || left == right { return right }
        if right == Self.always { return left }
        return left == Self.never || right == Self.never ? Self.never : all([left, right])
    }

    /// Flattens, drops what changes nothing, joins type sets and enumerations, finds contradictions. Keeps the order:
    /// it is the order of properties.
    private mutating func junction(_ parts: [Formula], all: Bool) -> Formula {
        let neutral = all ? Self.always : Self.never
        let absorbing = all ? Self.never : Self.always
        var kept: [Formula] = []
        var seen: Set<Formula> = []
        var typeSet: JSONTypes?
        var strings: [[UInt8]] = []
        var numbers: [DecimalNumber] = []
        var pending = parts[...].reversed() as [Formula]
        while let part = pending.popLast() {
            if part == neutral { continue }
            if part == absorbing { return absorbing }
            switch self[part] {
            case .all(let inner) where all: pending += inner.reversed()
            case .any(let inner) where !all: pending += inner.reversed()
            case .types(let set): typeSet = typeSet.map { all ? $0.intersection(set) : $0.union(set) } ?? set
            case .condition(.strings(let list)) where !all && !list.isEmpty: strings += list
            case .condition(.numbers(let list)) where !all && !list.isEmpty: numbers += list
            default: if seen.insert(part).inserted { kept.append(part) }
            }
        }
        if !strings.isEmpty { kept.append(condition(.strings(Self.sortedUnique(strings)))) }
        if !numbers.isEmpty { kept.append(condition(.numbers(Array(Set(numbers)).sorted()))) }
        if let typeSet {
            let formula = types(typeSet)
            if formula == absorbing { return absorbing }
            if formula != neutral { kept.insert(formula, at: 0) }
        }
        for part in kept {
            if case .not(let inner) = self[part], seen.contains(inner) { return absorbing }
        }
        if kept.count < 2 { return kept.first ?? neutral }
        return intern(all ? .all(kept) : .any(kept))
    }

    static func sortedUnique(_ strings: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for string in strings.sorted(by: { $0.lexicographicallyPrecedes($1) }) where result.last != string {
            result.append(string)
        }
        return result
    }

    /// Exactly one of the parts.
    mutating func one(_ parts: [Formula]) -> Formula {
        let kept = parts.filter { $0 != Self.never }
        if kept.count < 2 { return kept.first ?? Self.never }
        let certain = kept.filter { $0 == Self.always }.count
        if certain > 1 { return Self.never }
        if certain == 1 { return not(any(kept.filter { $0 != Self.always })) }
        return intern(.one(kept))
    }
}
