package import EngineInterface
package import OutputParsers
package import Tokenizers

/// Hop 8 of a request: tokens in, text that has become certain out. A plain value; whoever owns the request feeds it.
package struct TextStream: Sendable {
    private var detokenizer: StreamingDetokenizer
    private var stops: StopStrings
    private let includeStop: Bool
    /// Ids that end the generation: their text is not part of the answer.
    private let endIDs: Set<Int32>
    private var usage: GenerationUsage
    /// Nil: all text is content.
    private var parser: OutputParser?
    private let style: CallID.Style
    private var reasoningTokens = 0
    private var calls = 0
    /// A stop string was found, or the last event was seen: whatever else arrives is ignored.
    package private(set) var isFinished = false

    /// - Parameter parser: what sorts the text, with how it was made.
    package init(
        _ request: TextRequest, promptTokens: Int, tokenizer: Tokenizer, endOfSequenceIDs: Set<Int32>,
        parser: (parser: OutputParser, options: OutputParser.Options)? = nil
    ) {
        let marks = parser?.options.marks ?? []
        detokenizer = StreamingDetokenizer(
            tokenizer, skipSpecialTokens: request.skipSpecialTokens,
            keeping: Set(marks.compactMap(tokenizer.id(ofToken:))))
        self.parser = parser?.parser
        style = parser?.options.toolCalls == .mistral ? .mistral : .openAI
        stops = StopStrings(request.stop)
        includeStop = request.includeStop
        let own = request.sampling.stopTokenIDs
        endIDs = request.sampling.ignoreEOS ? own : own.union(endOfSequenceIDs)
        usage = GenerationUsage(promptTokens: promptTokens, completionTokens: 0, cachedTokens: 0)
    }

    /// - Returns: what the owner is told; the last one is `finished`, once.
    package mutating func next(_ event: GenerationEvent) -> [TextEvent] {
        if isFinished { return [] }
        switch event {
        case .started(let report):
            usage.cachedTokens = report.cachedTokens
            return [.started(report)]
        case .prompt(let tokens): return [.delta(TextDelta(text: "", tokens: [], prompt: tokens))]
        case .token(let token): return append(token)
        case .finished(let reason, let total): return finish(reason, total)
        }
    }

    private mutating func append(_ token: GeneratedToken) -> [TextEvent] {
        usage.completionTokens += 1
        if endIDs.contains(token.id), !includeStop { return [.delta(TextDelta(text: "", tokens: [token]))] }
        let wasReasoning = parser?.isReasoning ?? false
        let (text, matched) = stops.append(detokenizer.append(token.id))
        guard let matched else {
            let delta = sorted(text, tokens: [token], isLast: false)
            if wasReasoning || parser?.isReasoning ?? false { reasoningTokens += 1 }
            return [.delta(delta)]
        }
        isFinished = true
        let delta = sorted(includeStop ? text + matched : text, tokens: [token], isLast: true)
        return [.delta(delta), .finished(told(.stopString(matched), usage))]
    }

    /// What the text says, as far as it is certain.
    private mutating func sorted(_ text: String, tokens: [GeneratedToken], isLast: Bool) -> TextDelta {
        guard parser != nil else { return TextDelta(text: text, tokens: tokens) }
        var pieces = parser?.append(text) ?? []
        if isLast { pieces += parser?.finish() ?? [] }
        var delta = TextDelta(text: "", tokens: tokens)
        for piece in pieces {
            switch piece {
            case .content(let text): delta.text += text
            case .reasoning(let text): delta.reasoning += text
            case .call(let index, let name, let id):
                calls += 1
                CallDelta.append(CallDelta(index: index, id: id ?? CallID.random(style), name: name), to: &delta.calls)
            case .arguments(let index, let text):
                CallDelta.append(CallDelta(index: index, arguments: text), to: &delta.calls)
            }
        }
        return delta
    }

    private func told(_ reason: TextFinish.Reason, _ usage: GenerationUsage) -> TextFinish {
        TextFinish(reason: reason, usage: usage, reasoningTokens: reasoningTokens, calls: calls)
    }

    private mutating func finish(_ reason: FinishReason, _ total: GenerationUsage) -> [TextEvent] {
        isFinished = true
        var (rest, matched) = stops.append(detokenizer.finish())
        if let matched {
            if includeStop { rest += matched }
        } else {
            rest += stops.finish()
        }
        let delta = sorted(rest, tokens: [], isLast: true)
        var events: [TextEvent] = delta.isEmpty ? [] : [.delta(delta)]
        let ending: TextFinish.Reason =
            switch reason {
            case .stopToken(let id): .stopToken(id)
            case .complete: matched.map { .stopString($0) } ?? .complete
            case .length: matched.map { .stopString($0) } ?? .length
            case .aborted: .aborted
            case .failed(let error): .failed(error)
            }
        events.append(.finished(told(ending, total)))
        return events
    }
}

/// Names of calls, by which their results refer to them.
enum CallID {
    enum Style: Sendable {
        case openAI
        /// Mistral's templates take exactly nine letters and digits.
        case mistral
    }

    static func random(_ style: Style) -> String {
        switch style {
        case .openAI: "call_" + text(24, "0123456789abcdef")
        case .mistral: text(9, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        }
    }

    private static func text(_ length: Int, _ alphabet: String) -> String {
        String((0..<length).compactMap { _ in alphabet.randomElement() })
    }
}
