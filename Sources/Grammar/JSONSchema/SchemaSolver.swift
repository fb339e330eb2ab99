/// Answers what satisfies a formula: languages of strings and numbers, and whether there is any value at all.
final class SchemaSolver {
    let reader: SchemaReader
    var stringLanguages: [Formula: RegularLanguage] = [:]
    var numberLanguages: [Formula: RegularLanguage] = [:]
    var objectPlans: [Formula: ObjectPlan] = [:]
    /// Every plan that was made; a plan's id is its index.
    var plans: [ObjectPlan] = []
    /// Values one by one, by formula.
    var enumerations: [Formula: [Formula]?] = [:]
    var enumerating: Set<Formula> = []
    private var answers: [Question: Bool] = [:]
    /// Questions that are being answered, with their depth.
    private var open: [Question: Int] = [:]
    /// The least depth of an open question on which a negative answer relied.
    private(set) var leastOpen = Int.max
    /// Questions answered with no for as long as the open question of that depth is; and the same by depth.
    private var provisional: [Question: Int] = [:]
    private var provisionalAt: [Int: [Question]] = [:]
    private var steps = 0
    /// When compilation has to end; nil once it has.
    var deadline: ContinuousClock.Instant?

    /// What can be asked about values; answers are kept.
    enum Question: Hashable {
        case value(Formula)
        case typed(Formula, JSONTypes)
        case array(ArrayState)
        case object(ObjectState)
    }

    init(reader: SchemaReader) {
        self.reader = reader
        deadline = ContinuousClock.now + .milliseconds(reader.limits.maximumMilliseconds)
    }

    var limits: GrammarLimits { reader.limits }

    /// Counts work, so that no schema takes endless time.
    func step() throws(JSONSchemaError) {
        steps += 1
        if steps > limits.maximumSchemaSteps {
            throw .limitExceeded(bound: "maximumSchemaSteps", limit: limits.maximumSchemaSteps, pointer: "#")
        }
        if steps & 255 == 0 { try checkTime() }
    }

    private func checkTime() throws(JSONSchemaError) {
        guard let deadline else { return }
        if ContinuousClock.now > deadline {
            throw .limitExceeded(bound: "maximumMilliseconds", limit: limits.maximumMilliseconds, pointer: "#")
        }
        if Task.isCancelled { throw .cancelled }
    }

    /// Answers a question by `work`, once. A question that comes up while it is open is answered with no: a value that
    /// would have to contain itself does not exist, the least solution of the recursive conditions counts. A no that
    /// relied on such an answer holds until the question it relied on is closed: with no, it is final, with yes, void.
    func answer(
        _ question: Question, _ work: () throws(JSONSchemaError) -> Bool
    ) throws(JSONSchemaError) -> Bool {
        if let known = answers[question] { return known }
        if let depth = open[question] ?? provisional[question] {
            leastOpen = min(leastOpen, depth)
            return false
        }
        try step()
        let depth = open.count
        guard depth < limits.maximumValueDepth else {
            throw .limitExceeded(bound: "maximumValueDepth", limit: limits.maximumValueDepth, pointer: "#")
        }
        open[question] = depth
        defer { open[question] = nil }
        let before = leastOpen
        leastOpen = Int.max
        let result = try work()
        let relying = provisionalAt.removeValue(forKey: depth) ?? []
        if result || leastOpen >= depth {
            answers[question] = result
            for other in relying {
                provisional[other] = nil
                if !result { answers[other] = false }
            }
            leastOpen = before
        } else {
            for other in relying + [question] { provisional[other] = leastOpen }
            provisionalAt[leastOpen, default: []] += relying + [question]
            leastOpen = min(before, leastOpen)
        }
        return result
    }

    /// Whether some value satisfies `formula`.
    func isSatisfiable(_ formula: Formula) throws(JSONSchemaError) -> Bool {
        if formula == FormulaStore.always { return true }
        if formula == FormulaStore.never { return false }
        return try answer(.value(formula)) { () throws(JSONSchemaError) in
            for type in JSONTypes.each where try isSatisfiable(formula, as: type) { return true }
            return false
        }
    }

    /// Whether some value of `type` satisfies `formula`.
    func isSatisfiable(_ formula: Formula, as type: JSONTypes) throws(JSONSchemaError) -> Bool {
        let restricted = try reader.restrict(formula, to: type)
        if restricted == FormulaStore.always { return true }
        if restricted == FormulaStore.never { return false }
        switch type {
        case .array: return try canEnd(ArrayState(residual: restricted))
        case .object: return try canEnd(ObjectState.start(of: try plan(restricted)))
        default:
            return try answer(.typed(restricted, type)) { () throws(JSONSchemaError) in
                switch type {
                case .string: try hasString(restricted)
                case .number: try hasNumber(restricted)
                default: false
                }
            }
        }
    }

    /// A question about a regular language, which may take long.
    func wrap<T>(_ work: () throws(GrammarError) -> T) throws(JSONSchemaError) -> T {
        try checkTime()
        do throws(GrammarError) {
            return try work()
        } catch .limitExceeded(let bound, let limit) {
            throw .limitExceeded(bound: bound, limit: limit, pointer: "#")
        } catch .cancelled {
            throw .cancelled
        } catch {
            throw .unsatisfiable(pointer: "#")
        }
    }
}
