import EngineInterface
import TextGeneration

/// A generation that has ended.
struct WholeAnswer: Sendable {
    var text = ""
    var reasoning = ""
    var calls: [CallDelta] = []
    var tokens: [GeneratedToken] = []
    /// The prompt's own tokens, if they were asked for.
    var prompt: [GeneratedToken] = []
    var finish: TextFinish

    /// Tokens that are part of the answer: without the one that ended it.
    var contentTokens: ArraySlice<GeneratedToken> {
        guard case .stopToken(let id) = finish.reason, tokens.last?.id == id else { return tokens[...] }
        return tokens.dropLast()
    }
}

extension RunningAnswers {
    /// Waits for all answers.
    ///
    /// - Parameter keepsTokens: whether the tokens are wanted beside the text.
    /// - Throws: `RequestFailure` if one of them failed; the others are aborted then.
    func collect(keepsTokens: Bool, _ record: RequestRecord, _ names: FieldNames) async throws -> [WholeAnswer] {
        defer { end() }
        var answers: [WholeAnswer] = []
        for stream in streams {
            var text = ""
            var reasoning = ""
            var calls: [CallDelta] = []
            var tokens: [GeneratedToken] = []
            var prompt: [GeneratedToken] = []
            var finish: TextFinish?
            for await event in stream {
                switch event {
                case .started: break
                case .delta(let delta):
                    if !delta.tokens.isEmpty { record.noteToken() }
                    text += delta.text
                    prompt += delta.prompt
                    reasoning += delta.reasoning
                    for call in delta.calls { CallDelta.append(call, to: &calls) }
                    if keepsTokens { tokens += delta.tokens }
                case .finished(let last): finish = last
                }
            }
            try Task.checkCancellation()
            guard let finish else { throw ErrorMapping.unexpected }
            if case .failed(let error) = finish.reason { throw ErrorMapping.failure(error, names) }
            answers.append(
                WholeAnswer(
                    text: text, reasoning: reasoning, calls: calls, tokens: tokens, prompt: prompt, finish: finish))
        }
        return answers
    }
}
