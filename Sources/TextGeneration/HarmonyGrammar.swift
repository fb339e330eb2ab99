import Grammar
import OutputParsers

/// Answers of gpt-oss as its format has them (OpenAI Harmony): messages to channels, the last of which is the answer or
/// a call. The prompt ends with the beginning of the first one's header, `<|start|>assistant`.
struct HarmonyGrammar {
    let marked: MarkedText

    /// What may come before: reasoning, and text for the user that announces a call.
    func thoughts(_ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        let messages = ["analysis", "commentary"].map { channel in
            marked.sequence(
                [
                    .mark("<|channel|>"), .text(channel), .mark("<|message|>"), .part(freeText(&builder)),
                    .mark("<|end|>"), .mark("<|start|>"), .text("assistant"),
                ], &builder)
        }
        return builder.repetition(builder.choice(messages))
    }

    /// The answer itself.
    func final(_ text: GrammarBuilder.Expression, _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        marked.sequence(
            [.mark("<|channel|>"), .text("final"), .mark("<|message|>"), .part(text)], &builder)
    }

    /// A call. The models name its recipient behind the channel or before it.
    func call(
        _ name: String, _ arguments: GrammarBuilder.Expression, _ builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        let behind = marked.sequence(
            [.mark("<|channel|>"), .text("commentary to=functions.\(name) ")], &builder)
        let before = marked.sequence(
            [.text(" to=functions.\(name)"), .mark("<|channel|>"), .text("commentary ")], &builder)
        return marked.sequence(
            [
                .part(builder.choice([behind, before])), .mark("<|constrain|>"), .text("json"), .mark("<|message|>"),
                .part(arguments),
            ], &builder)
    }

    /// A message's text. Marks that the tokenizer does not know as special tokens could be spelled by any.
    func freeText(_ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        let isSafe = marked.special("<|message|>") != nil
        return StructuralTags.freeText(excluding: isSafe ? [] : ["<|"], in: &builder)
    }
}
