import TextGeneration
import WireTypes

extension TextRequest {
    /// Takes what the body says about the answer's form.
    mutating func constrain(_ fields: SamplingFields) {
        let options = fields.constraint?.options ?? fields.constraintOptions
        constraintOptions.jumpsForward = options.jumpsForward
        constraintOptions.closesInTime = options.closesInBudget
        if let wire = fields.constraint { constraint = Constraint(wire) }
    }

    /// Makes the model call where it must, call right where functions are strict, and only what it may.
    /// - Parameter options: of the request, for a constraint that only the tools make.
    mutating func constrain(_ tools: ToolFields, _ options: WireConstraintOptions) {
        guard tools.choice != .none else { return }
        var offered = tools.tools
        if case .function(let name) = tools.choice { offered = offered.filter { $0.name == name } }
        if let allowed = tools.allowed { offered = offered.filter { allowed.contains($0.name) } }
        let isRequired = tools.choice != .auto
        let isStrict = offered.contains(where: \.isStrict)
        guard isRequired || isStrict || !tools.parallel || tools.allowed != nil || constraint != nil else { return }
        let calls = Constraint.ToolCallForm(
            functions: offered.map { tool in
                // Without strictness OpenAI's arguments need not follow the schema; where a call is enforced they do.
                let isFollowed = isRequired || tool.isStrict
                return .init(
                    name: tool.name, schema: isFollowed ? tool.parameters?.text : nil, texts: tool.textParameters,
                    path: tool.path + ".function.parameters")
            },
            isRequired: isRequired || constraint != nil, allowsSeveral: tools.parallel && !tools.choice.isFunction)
        if let other = constraint {
            constraint?.form = .either(other.form, .toolCalls(calls))
        } else {
            var made = Constraint(.toolCalls(calls), path: isRequired ? "tool_choice" : "tools")
            made.follow(options)
            constraint = made
        }
        output.enforcesCalls = calls.isRequired
    }
}

extension ToolFields.Choice {
    fileprivate var isFunction: Bool { if case .function = self { true } else { false } }
}

extension Constraint {
    init(_ wire: WireConstraint) {
        self.init(Form(wire.form), path: wire.path)
        follow(wire.options)
    }

    fileprivate mutating func follow(_ options: WireConstraintOptions) {
        switch options.whitespace {
        case .compact: whitespace = .compact
        case .spaced: whitespace = .spaced
        case .flexible: whitespace = .flexible(16)
        }
        anyPropertyOrder = options.anyPropertyOrder
        bestEffort = options.bestEffort
    }
}

extension Constraint.Form {
    init(_ form: WireConstraint.Form) {
        switch form {
        case .jsonObject: self = .jsonObject
        case .jsonSchema(let schema): self = .jsonSchema(schema.text)
        case .regex(let pattern): self = .regex(pattern)
        case .ebnf(let source): self = .ebnf(source)
        case .choice(let texts): self = .choice(texts)
        case .structuralTag(let tag):
            self = .structuralTag(
                Constraint.StructuralTag(
                    structures: tag.structures.map {
                        .init(begin: $0.begin, content: Constraint.Form($0.content), ends: $0.ends)
                    },
                    triggers: tag.triggers, atLeastOne: tag.atLeastOne, stopAfterFirst: tag.stopAfterFirst))
        }
    }
}

extension JSONValue {
    fileprivate var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
