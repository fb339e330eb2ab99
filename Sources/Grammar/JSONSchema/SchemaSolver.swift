/// Answers what satisfies a formula: languages of strings and numbers, and whether there is any value at all.
final class SchemaSolver {
    let reader: SchemaReader
    /// By what the schema's rules are named in the grammar.
    var source: GrammarBuilder.Source?
    var stringLanguages: [Formula: RegularLanguage] = [:]
    var numberLanguages: [Formula: RegularLanguage] = [:]
    var objectPlans: [Formula: ObjectPlan] = [:]
    /// Every plan that was made; a plan's id is its index.
    var plans: [ObjectPlan] = []
    /// Values one by one, by formula.
    var enumerations: [Formula: [Formula]?] = [:]
    /// Whether a state of an object or array can still be completed.
    var objectEnds: [ObjectState: Bool] = [:]
    var arrayEnds: [ArrayState: Bool] = [:]
    private var satisfied: [Formula: Bool] = [:]
    private var typeSatisfied: [TypedFormula: Bool] = [:]
    /// Formulas whose satisfiability is being decided, with their depth.
    private var open: [Formula: Int] = [:]
    /// The least depth of an open formula on which a negative answer relied.
    private(set) var leastOpen = Int.max
    /// How deep `canEnd` is in itself.
    var stateDepth = 0
    private var steps = 0

    private struct TypedFormula: Hashable {
        var formula: Formula
        var type: JSONTypes
    }

    init(reader: SchemaReader) { self.reader = reader }

    var limits: GrammarLimits { reader.limits }

    /// Counts work, so that no schema takes endless time.
    func step() throws(JSONSchemaError) {
        steps += 1
        if steps > limits.maximumSchemaSteps {
            throw .limitExceeded(bound: "maximumSchemaSteps", limit: limits.maximumSchemaSteps, pointer: "#")
        }
    }

    /// Whether some value satisfies `formula`. A value that would have to contain itself does not exist: the least
    /// solution of the recursive conditions counts.
    func isSatisfiable(_ formula: Formula) throws(JSONSchemaError) -> Bool {
        if formula == FormulaStore.always { return true }
        if formula == FormulaStore.never { return false }
        if let known = satisfied[formula] { return known }
        if let depth = open[formula] {
            leastOpen = min(leastOpen, depth)
            return false
        }
        try step()
        let depth = open.count
        guard depth < limits.maximumValueDepth else {
            throw .limitExceeded(bound: "maximumValueDepth", limit: limits.maximumValueDepth, pointer: "#")
        }
        open[formula] = depth
        defer { open[formula] = nil }
        var result = false
        for type in JSONTypes.each {
            if try isSatisfiable(formula, as: type) {
                result = true
                break
            }
        }
        if result || leastOpen >= depth { satisfied[formula] = result }
        if leastOpen >= depth { leastOpen = Int.max }
        return result
    }

    /// Whether some value of `type` satisfies `formula`.
    func isSatisfiable(_ formula: Formula, as type: JSONTypes) throws(JSONSchemaError) -> Bool {
        let restricted = try reader.restrict(formula, to: type)
        if restricted == FormulaStore.always { return true }
        if restricted == FormulaStore.never { return false }
        let key = TypedFormula(formula: restricted, type: type)
        if let known = typeSatisfied[key] { return known }
        let before = leastOpen
        leastOpen = Int.max
        let result: Bool
        switch type {
        case .string: result = try hasString(restricted)
        case .number: result = try hasNumber(restricted)
        case .array: result = try canEnd(ArrayState(residual: restricted))
        case .object: result = try canEnd(ObjectState.start(of: try plan(restricted)))
        default: result = false
        }
        if result || leastOpen == Int.max { typeSatisfied[key] = result }
        leastOpen = min(before, leastOpen)
        return result
    }

    func wrap<T>(_ work: () throws(GrammarError) -> T) throws(JSONSchemaError) -> T {
        do throws(GrammarError) {
            return try work()
        } catch .limitExceeded(let bound, let limit) {
            throw .limitExceeded(bound: bound, limit: limit, pointer: "#")
        } catch {
            throw .unsatisfiable(pointer: "#")
        }
    }
}
