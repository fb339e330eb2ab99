package import EngineInterface
package import OutputParsers
package import Tokenizers

/// Hop 8 of a request: tokens in, text that has become certain out. A plain value; whoever owns the request feeds it.
package struct TextStream: Sendable {
    private var detokenizer: StreamingDetokenizer
    private var stops: StopStrings
    private var patterns: StopPatterns
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

    /// - Parameters:
    ///   - parser: what sorts the text, with how it was made.
    ///   - patterns: the request's `stopPatterns`, compiled.
    package init(
        _ request: TextRequest, promptTokens: Int, tokenizer: Tokenizer, endOfSequenceIDs: Set<Int32>,
        parser: (parser: OutputParser, options: OutputParser.Options)? = nil, patterns: StopPatterns = StopPatterns()
    ) {
        self.patterns = patterns
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
        case .prompt(let tokens): return [.delta(TextDelta(prompt: tokens))]
        case .token(let token): return append(token)
        case .finished(let reason, let total): return finish(reason, total)
        }
    }

    private mutating func append(_ token: GeneratedToken) -> [TextEvent] {
        usage.completionTokens += 1
        if endIDs.contains(token.id), !includeStop { return [.delta(TextDelta(tokens: [token]))] }
        let wasReasoning = parser?.isReasoning ?? false
        let (text, ending) = take(detokenizer.append(token.id))
        guard let ending else {
            let deltas = sorted(text, tokens: [token], isLast: false)
            if wasReasoning || parser?.isReasoning ?? false { reasoningTokens += 1 }
            return deltas.map { .delta($0) }
        }
        isFinished = true
        let deltas = sorted(text, tokens: [token], isLast: true)
        return deltas.map { .delta($0) } + [.finished(told(ending, usage))]
    }

    /// - Returns: the text that has become certain, and why it ends there; nil: it goes on.
    private mutating func take(_ piece: String) -> (text: String, ending: TextFinish.Reason?) {
        let (piece, ending) = patterns.take(piece)
        let (text, matched) = stops.append(piece)
        if let matched { return (includeStop ? text + matched : text, .stopString(matched)) }
        return ending == nil ? (text, nil) : (text + stops.finish(), ending)
    }

    /// What the text says, as far as it is certain: one delta, or several where one would say it in another order. The
    /// tokens are in the first.
    private mutating func sorted(_ text: String, tokens: [GeneratedToken], isLast: Bool) -> [TextDelta] {
        guard parser != nil else { return [TextDelta(text: text, tokens: tokens)] }
        var pieces = parser?.append(text) ?? []
        if isLast { pieces += parser?.finish() ?? [] }
        var deltas = [TextDelta(tokens: tokens)]
        for piece in pieces {
            var next = TextDelta(piece)
            if case .call(_, _, let id) = piece {
                calls += 1
                next.calls[0].id = id ?? CallID.random(style)
            }
            if !deltas[deltas.count - 1].append(next) { deltas.append(next) }
        }
        return deltas
    }

    private func told(_ reason: TextFinish.Reason, _ usage: GenerationUsage) -> TextFinish {
        TextFinish(reason: reason, usage: usage, reasoningTokens: reasoningTokens, calls: calls)
    }

    private mutating func finish(_ reason: FinishReason, _ total: GenerationUsage) -> [TextEvent] {
        isFinished = true
        var (rest, stop) = take(detokenizer.finish())
        if stop == nil { rest += stops.finish() }
        var events: [TextEvent] = sorted(rest, tokens: [], isLast: true).filter { !$0.isEmpty }.map { .delta($0) }
        let ending: TextFinish.Reason =
            switch reason {
            case .stopToken(let id): .stopToken(id)
            case .complete: stop ?? .complete
            case .length: stop ?? .length
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
