import Grammar
import OutputParsers
import Tokenizers

/// The calls a model may make, in the form in which it was trained to write them, so that a constraint does not make it
/// write something it has never seen.
struct ToolCallGrammar {
    private typealias Expression = GrammarBuilder.Expression
    /// The arguments of a function in the notation that its format has for them.
    typealias Arguments = (
        _ function: Constraint.ToolCallForm.Function, _ notation: ArgumentNotation?, _ builder: inout GrammarBuilder
    ) throws -> GrammarBuilder.Expression

    private let form: Constraint.ToolCallForm
    private let style: ToolCallParser
    private let marked: MarkedText

    init(_ form: Constraint.ToolCallForm, style: ToolCallParser, tokenizer: Tokenizer) {
        self.form = form
        self.style = style
        marked = MarkedText(tokenizer: tokenizer)
    }

    func expression(_ builder: inout GrammarBuilder, arguments: Arguments) throws -> GrammarBuilder.Expression {
        var calls: [Expression] = []
        for function in form.functions {
            try checkName(function)
            let text = try arguments(function, notation(function), &builder)
            calls.append(call(function.name, text, &builder))
        }
        let one = builder.choice(calls)
        let all = several(one, &builder)
        if style == .gptOSS {
            let harmony = HarmonyGrammar(marked: marked)
            let answer = harmony.final(harmony.freeText(&builder), &builder)
            return builder.sequence([
                harmony.thoughts(&builder), form.isRequired ? all : builder.choice([all, answer]),
            ])
        }
        return form.isRequired ? all : withinText(all, &builder)
    }

    /// Where names stand without quotes, what ends a name cannot be part of one.
    private func checkName(_ function: Constraint.ToolCallForm.Function) throws {
        switch style {
        case .qwen25, .hermes, .llama3, .mistral: return
        case .deepSeekV3, .deepSeekV31, .kimiK2, .pythonic, .qwen3Coder, .glm45, .glm47, .gptOSS:
            let isPlain = function.name.utf8.allSatisfy { byte in
                switch UnicodeScalar(byte) {
                case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
                default: false
                }
            }
            guard !isPlain else { return }
            throw ConstraintProblem(
                path: function.path,
                reason: "the function's name \"\(function.name)\" cannot be written in the model's format "
                    + "\(style.rawValue): expected letters, digits, '_', '-' and '.'")
        }
    }

    private func notation(_ function: Constraint.ToolCallForm.Function) -> ArgumentNotation? {
        switch style {
        case .pythonic: .python
        case .qwen3Coder:
            .tagged(
                ArgumentTags(
                    beforeName: "<parameter=", afterName: ">\n", afterValue: "\n</parameter>\n", end: "</parameter>",
                    texts: function.texts))
        case .glm45:
            .tagged(
                ArgumentTags(
                    beforeName: "<arg_key>", afterName: "</arg_key>\n<arg_value>", afterValue: "</arg_value>\n",
                    end: "</arg_value>", texts: function.texts))
        case .glm47:
            .tagged(
                ArgumentTags(
                    beforeName: "<arg_key>", afterName: "</arg_key><arg_value>", afterValue: "</arg_value>",
                    end: "</arg_value>", texts: function.texts))
        case .qwen25, .hermes, .llama3, .mistral, .deepSeekV3, .deepSeekV31, .kimiK2, .gptOSS: nil
        }
    }

    /// One call, without what stands around all of them.
    private func call(_ name: String, _ arguments: Expression, _ builder: inout GrammarBuilder) -> Expression {
        switch style {
        case .qwen25, .hermes:
            return marked.sequence(
                [
                    .mark("<tool_call>"), .text("\n{\"name\": \(quoted(name)), \"arguments\": "), .part(arguments),
                    .text("}\n"), .mark("</tool_call>"),
                ], &builder)
        case .llama3:
            return marked.sequence(
                [.text("{\"name\": \(quoted(name)), \"parameters\": "), .part(arguments), .text("}")], &builder)
        case .pythonic: return marked.sequence([.text("\(name)("), .part(arguments), .text(")")], &builder)
        case .mistral:
            return marked.sequence(
                [.text("{\"name\": \(quoted(name)), \"arguments\": "), .part(arguments), .text("}")], &builder)
        case .deepSeekV3:
            return marked.sequence(
                [
                    .mark("<｜tool▁call▁begin｜>"), .text("function"), .mark("<｜tool▁sep｜>"), .text("\(name)\n```json\n"),
                    .part(arguments), .text("\n```"), .mark("<｜tool▁call▁end｜>"),
                ], &builder)
        case .deepSeekV31:
            return marked.sequence(
                [
                    .mark("<｜tool▁call▁begin｜>"), .text(name), .mark("<｜tool▁sep｜>"), .part(arguments),
                    .mark("<｜tool▁call▁end｜>"),
                ], &builder)
        case .kimiK2:
            let number = builder.regular(.texts((0..<10).map { "\($0)" }))
            return marked.sequence(
                [
                    .mark("<|tool_call_begin|>"), .text("functions.\(name):"), .part(number),
                    .mark("<|tool_call_argument_begin|>"), .part(arguments), .mark("<|tool_call_end|>"),
                ], &builder)
        case .qwen3Coder:
            return marked.sequence(
                [
                    .mark("<tool_call>"), .text("\n<function=\(name)>\n"), .part(arguments), .text("</function>\n"),
                    .mark("</tool_call>"),
                ], &builder)
        case .glm45, .glm47:
            return marked.sequence(
                [
                    .mark("<tool_call>"), .text(style == .glm45 ? "\(name)\n" : name), .part(arguments),
                    .mark("</tool_call>"),
                ], &builder)
        case .gptOSS: return HarmonyGrammar(marked: marked).call(name, arguments, &builder)
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
        case .qwen25, .hermes, .qwen3Coder, .glm45: return separated("\n")
        case .glm47: return separated("")
        case .llama3: return separated("; ")
        case .pythonic:
            let list = separated(", ")
            return marked.sequence([.text("["), .part(list), .text("]")], &builder)
        case .mistral:
            let list = separated(", ")
            return marked.sequence([.mark("[TOOL_CALLS]"), .text("["), .part(list), .text("]")], &builder)
        case .deepSeekV3:
            let list = separated("\n")
            return marked.sequence(
                [.mark("<｜tool▁calls▁begin｜>"), .part(list), .mark("<｜tool▁calls▁end｜>")], &builder)
        case .deepSeekV31:
            let list = separated("")
            return marked.sequence(
                [.mark("<｜tool▁calls▁begin｜>"), .part(list), .mark("<｜tool▁calls▁end｜>")], &builder)
        case .kimiK2:
            let list = separated("")
            return marked.sequence(
                [.mark("<|tool_calls_section_begin|>"), .part(list), .mark("<|tool_calls_section_end|>")], &builder)
        // The message ends with its call.
        case .gptOSS: return one
        }
    }

    /// Free text before the calls; the calls end the answer.
    private func withinText(_ all: Expression, _ builder: inout GrammarBuilder) -> Expression {
        let space = RegularLanguage.set(CodePointSet([0x20, 0x09, 0x0A, 0x0D] as [UInt32])).repeated()
        switch style {
        case .llama3:
            // An answer that begins like a call is one.
            let beginning = space.then(.texts(["{", "<|python_tag|>"])).then(.anyText)
            return builder.choice([all, builder.regular(beginning.complement)])
        case .pythonic:
            let names = RegularLanguage.texts(form.functions.map { "\($0.name)(" })
            let beginning = RegularLanguage.concatenation([space, .text("["), space, names, .anyText])
            return builder.choice([all, builder.regular(beginning.complement)])
        default:
            // Qwen's models leave the outer tag out at times, and the reader then takes the inner one.
            let openings = (style.opening.map { [$0] } ?? []) + (style == .qwen3Coder ? ["<function="] : [])
            let free = StructuralTags.freeText(excluding: openings, in: &builder)
            return builder.sequence([free, builder.optional(all)])
        }
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
