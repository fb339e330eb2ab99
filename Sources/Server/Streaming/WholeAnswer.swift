import EngineInterface
import TextGeneration

/// A generation that has ended.
struct WholeAnswer: Sendable {
    /// Nil where it ended before it was admitted.
    var report: CacheReport?
    /// What was said, in order; as few as say it so.
    var parts: [TextDelta]
    var finish: TextFinish

    var text: String { parts.reduce(into: "") { $0 += $1.text } }
    var reasoning: String { parts.reduce(into: "") { $0 += $1.reasoning } }
    var calls: [CallDelta] { parts.joinedCalls }
    var tokens: [GeneratedToken] { parts.flatMap(\.tokens) }
    /// The prompt's own tokens, if they were asked for.
    var prompt: [GeneratedToken] { parts.flatMap(\.prompt) }

    /// The updates of a stream that says the same.
    func updates(of index: Int) -> [AnswerUpdate] {
        var updates = parts.map { AnswerUpdate(index: index, $0) }
        if updates.isEmpty { updates.append(AnswerUpdate(index: index)) }
        updates[0].report = report
        updates[updates.count - 1].finish = finish
        return updates
    }

    /// Tokens that are part of the answer: without the one that ended it.
    var contentTokens: ArraySlice<GeneratedToken> {
        guard case .stopToken(let id) = finish.reason, tokens.last?.id == id else { return tokens[...] }
        return tokens.dropLast()
    }
}

extension [TextDelta] {
    /// The calls, each with all of its arguments.
    var joinedCalls: [CallDelta] {
        reduce(into: []) { calls, part in for call in part.calls { CallDelta.append(call, to: &calls) } }
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
            var report: CacheReport?
            var parts: [TextDelta] = []
            var finish: TextFinish?
            for await event in stream {
                switch event {
                case .started(let first): report = first
                case .delta(var delta):
                    if !delta.tokens.isEmpty { record.noteToken() }
                    if !keepsTokens { delta.tokens = [] }
                    if parts.isEmpty || !parts[parts.count - 1].append(delta) { parts.append(delta) }
                case .finished(let last): finish = last
                }
            }
            try Task.checkCancellation()
            guard let finish else { throw ErrorMapping.unexpected }
            if case .failed(let error) = finish.reason { throw ErrorMapping.failure(error, names) }
            answers.append(WholeAnswer(report: report, parts: parts, finish: finish))
        }
        return answers
    }
}
