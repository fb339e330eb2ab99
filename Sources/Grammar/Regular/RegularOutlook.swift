/// What the form of a term tells at once about its texts, without a search.
struct RegularOutlook: Sendable {
    /// Scalars of the shortest text; nil where the form does not tell.
    var shortest: Int32?
    /// Whether no text is longer than some length.
    var isFinite = false
    /// Whether after any scalars whatever some can come behind which everything is a text. The intersection of two terms
    /// with this property has it too.
    var isAbsorbing = false
    /// Whether a text can follow any scalars whatever: no scalar leads to a dead end, now or later.
    var isEndless = false
}

extension RegularPool {
    func outlook(of node: Node, nullable: Bool) -> RegularOutlook {
        var result = RegularOutlook()
        switch node {
        case .emptyText:
            result.shortest = 0
            result.isFinite = true
        case .set:
            result.shortest = 1
            result.isFinite = true
        case .concatenation(let first, let second):
            let head = outlooks[Int(first)]
            let tail = outlooks[Int(second)]
            if let one = head.shortest, let two = tail.shortest { result.shortest = one &+ two }
            result.isFinite = head.isFinite && tail.isFinite
            // Behind a head that goes on for ever any text of the tail can come: without booleans there is one.
            if isAnyScalars(first), !hasBoolean[Int(second)] { result.isEndless = true }
            if isAnyScalars(first), containsThenAnything(second) { result.isAbsorbing = true }
        case .union(let parts):
            let all = parts.map { outlooks[Int($0)] }
            result.shortest = all.contains { $0.shortest == nil } ? nil : all.compactMap(\.shortest).min()
            result.isFinite = all.allSatisfy(\.isFinite)
            result.isAbsorbing = all.contains(where: \.isAbsorbing)
            result.isEndless = all.contains(where: \.isEndless)
        case .intersection(let parts):
            result.isFinite = parts.contains { outlooks[Int($0)].isFinite }
            result.isAbsorbing = parts.allSatisfy { outlooks[Int($0)].isAbsorbing }
        case .complement(let part): result.isAbsorbing = outlooks[Int(part)].isFinite
        case .repetition(let operand, let low, let high):
            // The repetition of any scalar is made before its operand.
            let inner = Int(operand) < outlooks.count ? outlooks[Int(operand)] : RegularOutlook(shortest: 1)
            result.shortest = inner.shortest.map { $0.multipliedReportingOverflow(by: low) }.flatMap {
                $0.overflow ? nil : $0.partialValue
            }
            result.isFinite = high >= 0 && inner.isFinite
            result.isAbsorbing = high < 0 && operand == anyScalar
        case .remainder: break
        }
        if nullable { result.shortest = 0 }
        result.isEndless = result.isEndless || result.isAbsorbing
        return result
    }

    /// Whether `id` is any number of any scalars, from some number on.
    private func isAnyScalars(_ id: ID) -> Bool {
        guard case .repetition(let operand, _, let high) = nodes[Int(id)] else { return false }
        return high < 0 && operand == anyScalar
    }

    /// Whether `id` is a text of something, then anything.
    private func containsThenAnything(_ id: ID) -> Bool {
        guard !hasBoolean[Int(id)] else { return false }
        var rest = id
        while case .concatenation(_, let tail) = nodes[Int(rest)] { rest = tail }
        return isAnyScalars(rest)
    }
}
