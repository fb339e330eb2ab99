import Grammar
import OutputParsers
import Tokenizers

/// Constraints as grammar expressions.
struct GrammarForms {
    private let constraint: Constraint
    private let style: ToolCallParser?
    private let tokenizer: Tokenizer

    init(_ constraint: Constraint, style: ToolCallParser?, tokenizer: Tokenizer) {
        self.constraint = constraint
        self.style = style
        self.tokenizer = tokenizer
    }

    /// - Throws: `ConstraintProblem`, or `GrammarError` if it is about the whole.
    func expression(
        _ form: Constraint.Form, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        switch form {
        case .jsonObject: return try schema("{\"type\": \"object\"}", path: constraint.path, &builder)
        case .jsonSchema(let text): return try schema(text, path: constraint.path, &builder)
        case .regex(let pattern):
            let language = try RegularLanguage(pattern: pattern, anchoring: .whole, limits: builder.limits)
            if try language.isEmpty(builder.limits) { throw GrammarError.unsatisfiable }
            return builder.regular(language)
        case .ebnf(let source): return try EBNFGrammar.expression(source, in: &builder)
        case .either(let first, let second):
            return builder.choice([try expression(first, &builder), try expression(second, &builder)])
        case .choice(let texts): return builder.choice(ofTexts: texts)
        case .structuralTag(let tag):
            var tags: [StructuralTags.Tag] = []
            for structure in tag.structures {
                tags.append(
                    StructuralTags.Tag(
                        begin: structure.begin, content: try expression(structure.content, &builder),
                        ends: structure.ends))
            }
            return try StructuralTags.triggered(
                tags, triggers: tag.triggers, atLeastOne: tag.atLeastOne, stopAfterFirst: tag.stopAfterFirst,
                in: &builder)
        case .toolCalls(let calls):
            return try ToolCallGrammar(calls, style: style ?? .hermes, tokenizer: tokenizer).expression(&builder) {
                (text, path, builder) in try schema(text, path: path, &builder)
            }
        }
    }

    private func schema(
        _ text: String, path: String, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        var options = JSONSchemaOptions()
        options.propertyOrder = constraint.anyPropertyOrder ? .any : .schema
        options.bestEffort = constraint.bestEffort
        switch constraint.whitespace {
        case .compact: options.whitespace = .compact
        case .spaced: options.whitespace = .spaced
        case .flexible(let maximum): options.whitespace = .flexible(maximum: maximum)
        }
        do {
            return try JSONSchemaCompiler.append(json: Array(text.utf8), options: options, to: &builder)
        } catch {
            throw ConstraintProblem(path: path, reason: "\(error)")
        }
    }

    /// Lets a model think before it answers.
    func after(
        _ reasoning: GrammarCompiler.ReasoningPrefix, _ answer: GrammarBuilder.Expression,
        _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        let space = builder.regular(RegularLanguage.text("\n").repeated(0, 2))
        let thought: GrammarBuilder.Expression
        if let close = special(reasoning.close) {
            thought = builder.sequence([StructuralTags.freeText(in: &builder), builder.token(close), space])
        } else {
            thought = builder.sequence([try StructuralTags.freeText(upTo: [reasoning.close], in: &builder), space])
        }
        if reasoning.hasBegun { return builder.sequence([thought, answer]) }
        let open = special(reasoning.open).map { builder.token($0) } ?? builder.text(reasoning.open)
        return builder.sequence([builder.optional(builder.sequence([open, thought])), answer])
    }

    private func special(_ text: String) -> Int32? {
        tokenizer.id(ofToken: text).flatMap { tokenizer.isSpecial($0) ? $0 : nil }
    }
}
