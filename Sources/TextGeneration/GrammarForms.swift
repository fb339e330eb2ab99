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
        case .jsonObject: return try schema("{\"type\": \"object\"}", path: constraint.path, options, &builder)
        case .jsonSchema(let text): return try schema(text, path: constraint.path, options, &builder)
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
                (function, notation, builder) in
                var options = options
                options.arguments = notation
                // Without a schema no order is the right one.
                if function.schema == nil { options.propertyOrder = .any }
                return try schema(
                    function.schema ?? "{\"type\": \"object\"}", path: function.path, options, &builder)
            }
        }
    }

    private var options: JSONSchemaOptions {
        var options = JSONSchemaOptions()
        options.propertyOrder = constraint.anyPropertyOrder ? .any : .schema
        options.bestEffort = constraint.bestEffort
        switch constraint.whitespace {
        case .compact: options.whitespace = .compact
        case .spaced: options.whitespace = .spaced
        case .flexible(let maximum): options.whitespace = .flexible(maximum: maximum)
        }
        return options
    }

    private func schema(
        _ text: String, path: String, _ options: JSONSchemaOptions, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        do {
            return try JSONSchemaCompiler.append(json: Array(text.utf8), options: options, to: &builder)
        } catch {
            throw ConstraintProblem(path: path, reason: "\(error)")
        }
    }

    /// An answer before which the model may think.
    func expression(
        after reasoning: GrammarCompiler.ReasoningPrefix, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        switch reasoning {
        case .harmony: return try harmony(constraint.form, &builder)
        case .marks(let open, let close, let hasBegun):
            let answer = try expression(constraint.form, &builder)
            let space = builder.regular(RegularLanguage.text("\n").repeated(0, 2))
            let thought: GrammarBuilder.Expression
            if let close = marked.special(close) {
                thought = builder.sequence([StructuralTags.freeText(in: &builder), builder.token(close), space])
            } else {
                thought = builder.sequence([try StructuralTags.freeText(upTo: [close], in: &builder), space])
            }
            if hasBegun { return builder.sequence([thought, answer]) }
            let opened = marked.sequence([.mark(open), .part(thought)], &builder)
            return builder.sequence([builder.optional(opened), answer])
        }
    }

    /// In Harmony thoughts and answer are messages; the form of calls has its own.
    private func harmony(
        _ form: Constraint.Form, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression {
        switch form {
        case .toolCalls where style == .gptOSS: return try expression(form, &builder)
        case .either(let first, let second):
            return builder.choice([try harmony(first, &builder), try harmony(second, &builder)])
        default:
            let harmony = HarmonyGrammar(marked: marked)
            let answer = harmony.final(try expression(form, &builder), &builder)
            return builder.sequence([harmony.thoughts(&builder), answer])
        }
    }

    private var marked: MarkedText { MarkedText(tokenizer: tokenizer) }
}
