import EngineInterface

/// Everything that one request was told.
struct Answer: Sendable, Equatable {
    var starts: [CacheReport] = []
    /// Of the prompt.
    var scores: [GeneratedToken] = []
    var tokens: [GeneratedToken] = []
    var ends: [FinishReason] = []
    var usages: [GenerationUsage] = []
    /// What came in the wrong order.
    var disorder: [String] = []

    static func of(_ stream: AsyncStream<GenerationEvent>) async -> Answer {
        var answer = Answer()
        for await event in stream { answer.take(event) }
        return answer
    }

    mutating func take(_ event: GenerationEvent) {
        if !ends.isEmpty { disorder.append("\(event) after the end") }
        switch event {
        case .started(let report):
            if !tokens.isEmpty { disorder.append("started after a token") }
            starts.append(report)
        case .prompt(let tokens):
            if starts.isEmpty || !self.tokens.isEmpty { disorder.append("scores out of place") }
            scores += tokens
        case .token(let token):
            if starts.isEmpty { disorder.append("a token before started") }
            tokens.append(token)
        case .finished(let reason, let usage):
            ends.append(reason)
            usages.append(usage)
        }
    }

    var ids: [Int32] { tokens.map(\.id) }

    /// Ids and log-probabilities bit by bit, so that even -0 and 0 differ.
    var bits: [[UInt32]] {
        tokens.map { token in
            [UInt32(bitPattern: token.id), token.logprob?.bitPattern ?? .max]
                + token.top.flatMap { [UInt32(bitPattern: $0.id), $0.logprob.bitPattern] }
        }
    }

    /// What is wrong with the order and number of events and with the counts; empty for a proper answer.
    var flaws: [String] {
        var result = disorder
        if ends.count != 1 { result.append("\(ends.count) ends") }
        if starts.count > 1 { result.append("\(starts.count) starts") }
        if let usage = usages.first, usage.completionTokens != tokens.count {
            result.append("\(tokens.count) tokens, \(usage.completionTokens) counted")
        }
        if let start = starts.first, let usage = usages.first, start.cachedTokens != usage.cachedTokens {
            result.append("\(start.cachedTokens) cached tokens at the start, \(usage.cachedTokens) at the end")
        }
        return result
    }
}
