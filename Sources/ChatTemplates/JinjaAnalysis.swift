/// What can be said about a template without running it: which variables it wants from outside, and whether it names a
/// filter or test that does not exist.
///
/// As in Jinja, an unknown name within an `if` is accepted: it is an error only when it is reached.
struct JinjaAnalysis {
    private let program: Program
    private let template: String
    private var scopes: [Set<Symbol>] = [[]]
    private var isConditional = false
    private(set) var referenced: Set<String> = []

    private init(program: Program, template: String) {
        self.program = program
        self.template = template
    }

    /// - Returns: the names of the variables that the template reads and does not itself set first.
    /// - Throws: `TemplateError.syntax` for an unknown filter or test.
    static func referencedVariables(in program: Program, template: String) throws(TemplateError) -> Set<String> {
        var analysis = JinjaAnalysis(program: program, template: template)
        try analysis.visit(program.body)
        return analysis.referenced
    }

    private mutating func declare(_ symbol: Symbol) { scopes[scopes.count - 1].insert(symbol) }

    private mutating func declare(_ target: Target) {
        switch target {
        case .name(let symbol): declare(symbol)
        case .attribute(let symbol, _): reference(symbol)
        case .tuple(let targets): for target in targets { declare(target) }
        }
    }

    private mutating func reference(_ symbol: Symbol) {
        let name = program.names[symbol]
        if !scopes.contains(where: { $0.contains(symbol) }), JinjaObject.Function(rawValue: name) == nil {
            referenced.insert(name)
        }
    }

    private mutating func inScope(
        _ names: [String] = [], _ body: (inout JinjaAnalysis) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        let outer = isConditional
        isConditional = false
        scopes.append(Set(names.compactMap { program.symbols[$0] }))
        try body(&self)
        scopes.removeLast()
        isConditional = outer
    }

    private mutating func visit(_ body: [Statement]) throws(TemplateError) {
        for statement in body { try visit(statement) }
    }

    private mutating func visit(_ statement: Statement) throws(TemplateError) {
        switch statement.node {
        case .text, .breakLoop, .continueLoop: break
        case .output(let expression): try visit(expression)
        case .condition(let branches, let otherwise):
            let outer = isConditional
            isConditional = true
            for branch in branches {
                try visit(branch.test)
                try visit(branch.body)
            }
            try visit(otherwise)
            isConditional = outer
        case .loop(let loop):
            try visit(loop.iterable)
            try inScope(["loop"]) { analysis throws(TemplateError) in
                analysis.declare(loop.target)
                if let filter = loop.filter { try analysis.visit(filter) }
                try analysis.visit(loop.body)
            }
            try inScope { analysis throws(TemplateError) in try analysis.visit(loop.otherwise) }
        case .assign(let target, let expression):
            try visit(expression)
            declare(target)
        case .assignBlock(let target, let filter, let body):
            try inScope { analysis throws(TemplateError) in try analysis.visit(body) }
            if let filter { try visit(filter) }
            declare(target)
        case .macro(let definition):
            if let name = definition.name, let symbol = program.symbols[name] { declare(symbol) }
            try visit(definition)
        case .call(let callee, let arguments, let caller):
            try visit(callee)
            for argument in arguments.all { try visit(argument) }
            try visit(caller)
        case .filterBlock(let filter, let body):
            try inScope { analysis throws(TemplateError) in try analysis.visit(body) }
            try visit(filter)
        case .with(let bindings, let body):
            for binding in bindings { try visit(binding.value) }
            try inScope { analysis throws(TemplateError) in
                for binding in bindings { analysis.declare(binding.target) }
                try analysis.visit(body)
            }
        case .scope(let body): try inScope { analysis throws(TemplateError) in try analysis.visit(body) }
        }
    }

    private mutating func visit(_ definition: MacroDefinition) throws(TemplateError) {
        try inScope(["caller", "kwargs", "varargs"]) { analysis throws(TemplateError) in
            for parameter in definition.parameters { analysis.declare(parameter.symbol) }
            for value in definition.defaults { try analysis.visit(value) }
            try analysis.visit(definition.body)
        }
    }

    private mutating func visit(_ expression: Expression) throws(TemplateError) {
        switch expression.node {
        case .constant: break
        case .name(let symbol): reference(symbol)
        case .list(let elements), .tuple(let elements), .concatenation(let elements): try visit(elements)
        case .dict(let pairs): for pair in pairs { try visit([pair.key, pair.value]) }
        case .attribute(let owner, _): try visit(owner)
        case .item(let owner, let key): try visit([owner, key])
        case .slice(let owner, let start, let stop, let step):
            try visit([owner] + [start, stop, step].compactMap { $0 })
        case .call(let callee, let arguments): try visit([callee] + arguments.all)
        case .filter(let operand, let name, let arguments):
            try check(name, isKnown: Interpreter.filterNames.contains(name), "filter", line: expression.line)
            try visit((operand.map { [$0] } ?? []) + arguments.all)
        case .test(let operand, let name, let arguments):
            try check(name, isKnown: Interpreter.testNames.contains(name), "test", line: expression.line)
            try visit([operand] + arguments.all)
        case .not(let operand), .negative(let operand), .positive(let operand): try visit(operand)
        case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right):
            try visit([left, right])
        case .comparison(let first, let rest): try visit([first] + rest.map(\.operand))
        case .conditional(let test, let then, let otherwise):
            let outer = isConditional
            isConditional = true
            try visit([test, then] + (otherwise.map { [$0] } ?? []))
            isConditional = outer
        }
    }

    private mutating func visit(_ expressions: [Expression]) throws(TemplateError) {
        for expression in expressions { try visit(expression) }
    }

    private func check(_ name: String, isKnown: Bool, _ kind: String, line: Int) throws(TemplateError) {
        guard isKnown || isConditional else {
            throw .syntax("No \(kind) named \(name.pythonRepr).", at: TemplateLocation(template: template, line: line))
        }
    }
}
