package import EngineInterface
import OutputParsers
package import Tokenizers

/// Hop 8 of a request: tokens in, text that has become certain out. A plain value; whoever owns the request feeds it.
package struct TextStream: Sendable {
    private var detokenizer: StreamingDetokenizer
    private var stops: StopStrings
    private let includeStop: Bool
    /// Ids that end the generation: their text is not part of the answer.
    private let endIDs: Set<Int32>
    private var usage: GenerationUsage
    /// A stop string was found, or the last event was seen: whatever else arrives is ignored.
    package private(set) var isFinished = false

    package init(
        _ request: TextRequest, promptTokens: Int, tokenizer: Tokenizer, endOfSequenceIDs: Set<Int32>
    ) {
        detokenizer = StreamingDetokenizer(tokenizer, skipSpecialTokens: request.skipSpecialTokens)
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
        let (text, matched) = stops.append(detokenizer.append(token.id))
        guard let matched else { return [.delta(TextDelta(text: text, tokens: [token]))] }
        isFinished = true
        return [
            .delta(TextDelta(text: includeStop ? text + matched : text, tokens: [token])),
            .finished(TextFinish(reason: .stopString(matched), usage: usage)),
        ]
    }

    private mutating func finish(_ reason: FinishReason, _ total: GenerationUsage) -> [TextEvent] {
        isFinished = true
        var (rest, matched) = stops.append(detokenizer.finish())
        if let matched {
            if includeStop { rest += matched }
        } else {
            rest += stops.finish()
        }
        var events: [TextEvent] = rest.isEmpty ? [] : [.delta(TextDelta(text: rest, tokens: []))]
        let ending: TextFinish.Reason =
            switch reason {
            case .stopToken(let id): .stopToken(id)
            case .length: matched.map { .stopString($0) } ?? .length
            case .aborted: .aborted
            case .failed(let error): .failed(error)
            }
        events.append(.finished(TextFinish(reason: ending, usage: total)))
        return events
    }
}
