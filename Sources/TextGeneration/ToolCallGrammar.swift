import Grammar
import OutputParsers
import Tokenizers

/// The calls a model may make, in the form in which it was trained to write them, so that a constraint does not make it
/// write something it has never seen.
struct ToolCallGrammar {
    private typealias Expression = GrammarBuilder.Expression
    typealias Schema = (_ json: String, _ path: String, _ builder: inout GrammarBuilder) throws ->
        GrammarBuilder.Expression

    private let form: Constraint.ToolCallForm
    private let style: ToolCallParser
    private let tokenizer: Tokenizer

    init(_ form: Constraint.ToolCallForm, style: ToolCallParser, tokenizer: Tokenizer) {
        self.form = form
        self.style = style
        self.tokenizer = tokenizer
    }

    /// Python's syntax has no schema of its own: there, calls are written as Llama's objects.
    static func enforceable(_ style: ToolCallParser) -> ToolCallParser { style == .pythonic ? .llama3 : style }

    /// Harmony's answers have marks of their own in their free text.
    static func canBeWithinText(_ style: ToolCallParser) -> Bool { style != .gptOSS && style != .pythonic }

    func expression(_ builder: inout GrammarBuilder, schema: Schema) throws -> GrammarBuilder.Expression {
        var calls: [Expression] = []
        for function in form.functions {
            let arguments = try schema(function.schema ?? "{\"type\": \"object\"}", function.path, &builder)
            calls.append(call(function.name, arguments, &builder))
        }
        let one = builder.choice(calls)
        let all = several(one, &builder)
        if form.isRequired { return all }
        return try withinText(one, all, &builder)
    }

    /// One call, without what stands around all of them.
    private func call(_ name: String, _ arguments: Expression, _ builder: inout GrammarBuilder) -> Expression {
        switch style {
        case .qwen25, .hermes:
            return sequence(
                [
                    .mark("<tool_call>"), .text("\n{\"name\": \(quoted(name)), \"arguments\": "), .part(arguments),
                    .text("}\n"), .mark("</tool_call>"),
                ], &builder)
        case .llama3, .pythonic:
            return sequence(
                [.text("{\"name\": \(quoted(name)), \"parameters\": "), .part(arguments), .text("}")], &builder)
        case .mistral:
            return sequence(
                [.text("{\"name\": \(quoted(name)), \"arguments\": "), .part(arguments), .text("}")], &builder)
        case .deepSeekV3:
            return sequence(
                [
                    .mark("<｜tool▁call▁begin｜>"), .text("function"), .mark("<｜tool▁sep｜>"), .text("\(name)\n```json\n"),
                    .part(arguments), .text("\n```"), .mark("<｜tool▁call▁end｜>"),
                ], &builder)
        case .deepSeekV31:
            return sequence(
                [
                    .mark("<｜tool▁call▁begin｜>"), .text(name), .mark("<｜tool▁sep｜>"), .part(arguments),
                    .mark("<｜tool▁call▁end｜>"),
                ], &builder)
        case .kimiK2:
            let number = builder.regular(.texts((0..<10).map { "\($0)" }))
            return sequence(
                [
                    .mark("<|tool_call_begin|>"), .text("functions.\(name):"), .part(number),
                    .mark("<|tool_call_argument_begin|>"), .part(arguments), .mark("<|tool_call_end|>"),
                ], &builder)
        case .gptOSS:
            return sequence(
                [
                    .mark("<|channel|>"), .text("commentary to=functions.\(name) "), .mark("<|constrain|>"),
                    .text("json"),
                    .mark("<|message|>"), .part(arguments),
                ], &builder)
        }
    }

    /// One call or more, with what stands between and around them.
    private func several(_ one: Expression, _ builder: inout GrammarBuilder) -> Expression {
        func separated(_ separator: String) -> Expression {
            if !form.allowsSeveral { return one }
            let more = builder.sequence([builder.text(separator), one])
            return builder.sequence([one, builder.repetition(more)])
        }
        switch style {
        case .qwen25, .hermes: return separated("\n")
        case .llama3, .pythonic: return separated("; ")
        case .mistral:
            let list = separated(", ")
            return sequence([.mark("[TOOL_CALLS]"), .text("["), .part(list), .text("]")], &builder)
        case .deepSeekV3:
            let list = separated("\n")
            return sequence(
                [.mark("<｜tool▁calls▁begin｜>"), .part(list), .mark("<｜tool▁calls▁end｜>")], &builder)
        case .deepSeekV31:
            let list = separated("")
            return sequence(
                [.mark("<｜tool▁calls▁begin｜>"), .part(list), .mark("<｜tool▁calls▁end｜>")], &builder)
        case .kimiK2:
            let list = separated("")
            return sequence(
                [.mark("<|tool_calls_section_begin|>"), .part(list), .mark("<|tool_calls_section_end|>")], &builder)
        case .gptOSS:
            // The model ends a message that calls; it may think first.
            let thought = sequence(
                [
                    .mark("<|channel|>"), .text("analysis"), .mark("<|message|>"),
                    .part(StructuralTags.freeText(excluding: ["<|"], in: &builder)), .mark("<|end|>"),
                    .mark("<|start|>"),
                    .text("assistant"),
                ], &builder)
            return builder.sequence([builder.optional(thought), one])
        }
    }

    /// Free text before the calls; the calls end the answer.
    private func withinText(
        _ one: Expression, _ all: Expression, _ builder: inout GrammarBuilder
    ) throws -> Expression {
        guard let opening = style.opening, style != .llama3 else {
            // An answer that begins like a call is one.
            return builder.choice([all, builder.regular(RegularLanguage.text("{").then(.anyText).complement)])
        }
        let free = StructuralTags.freeText(excluding: [opening], in: &builder)
        return builder.sequence([free, builder.optional(all)])
    }

    private enum Part {
        case text(String)
        /// A special token where the tokenizer has it as one, else text.
        case mark(String)
        case part(Expression)
    }

    private func sequence(_ parts: [Part], _ builder: inout GrammarBuilder) -> Expression {
        var expressions: [Expression] = []
        for part in parts {
            switch part {
            case .text(let text): expressions.append(builder.text(text))
            case .mark(let text):
                if let id = tokenizer.id(ofToken: text), tokenizer.isSpecial(id) {
                    expressions.append(builder.token(id))
                } else {
                    expressions.append(builder.text(text))
                }
            case .part(let expression): expressions.append(expression)
            }
        }
        return builder.sequence(expressions)
    }

    /// A JSON string.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
