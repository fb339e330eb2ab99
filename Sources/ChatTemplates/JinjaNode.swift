/// A variable's name as a small number; the parsed template holds the names.
typealias Symbol = Int

/// An expression with the line it begins on.
struct Expression: Sendable {
    let line: Int
    /// Height of the tree, bounded when parsing so that neither evaluation nor release can exhaust the stack.
    let depth: Int
    let node: Node

    indirect enum Node: Sendable {
        case constant(JinjaValue)
        case name(Symbol)
        case list([Expression])
        case tuple([Expression])
        case dict([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// No operand: the text of a `filter` or `set` block.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [(operation: Comparison, operand: Expression)])
        case and(Expression, Expression)
        case or(Expression, Expression)
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
    }
}

/// What stands between the parentheses of a call, filter or test.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var keyword: [(name: String, value: Expression)] = []
    /// `*sequence` and `**mapping`.
    var splat: Expression?
    var keywordSplat: Expression?

    static let none = Arguments()

    var all: [Expression] {
        positional + keyword.map(\.value) + [splat, keywordSplat].compactMap { $0 }
    }
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
}

/// What an assignment may name.
indirect enum Target: Sendable {
    case name(Symbol)
    /// `namespace.attribute`
    case attribute(Symbol, String)
    case tuple([Target])
}

struct Statement: Sendable {
    let line: Int
    let node: Node

    indirect enum Node: Sendable {
        case text(String)
        case output(Expression)
        case condition([(test: Expression, body: [Statement])], otherwise: [Statement])
        case loop(ForLoop)
        case assign(Target, Expression)
        case assignBlock(Target, filter: Expression?, body: [Statement])
        case macro(MacroDefinition)
        case call(Expression, Arguments, caller: MacroDefinition)
        case filterBlock(Expression, body: [Statement])
        case with([(target: Target, value: Expression)], body: [Statement])
        /// A body with its own variables: `block`, `generation`.
        case scope([Statement])
        case breakLoop
        case continueLoop
    }
}

struct ForLoop: Sendable {
    let target: Target
    let iterable: Expression
    let filter: Expression?
    let isRecursive: Bool
    let body: [Statement]
    let otherwise: [Statement]
}

/// A macro, or the body of a `call` block (which has no name).
final class MacroDefinition: Sendable {
    let name: String?
    let parameters: [(symbol: Symbol, name: String)]
    /// For the last parameters, as many as there are defaults.
    let defaults: [Expression]
    let body: [Statement]
    /// Whether the body names the special variables; only then may a call pass them.
    let usesCaller: Bool
    let usesKeywords: Bool
    let usesPositionals: Bool

    init(
        name: String?, parameters: [(symbol: Symbol, name: String)], defaults: [Expression], body: [Statement],
        usesCaller: Bool, usesKeywords: Bool, usesPositionals: Bool
    ) {
        self.name = name
        self.parameters = parameters
        self.defaults = defaults
        self.body = body
        self.usesCaller = usesCaller
        self.usesKeywords = usesKeywords
        self.usesPositionals = usesPositionals
    }
}

/// A parsed template.
struct Program: Sendable {
    let body: [Statement]
    /// Names by symbol.
    let names: [String]
    let symbols: [String: Symbol]
}
