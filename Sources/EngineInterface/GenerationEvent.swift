/// What a running request tells its owner. Order: `started` once, `prompt` if asked for, `token`s, then exactly one `finished`.
package enum GenerationEvent: Sendable, Equatable {
    /// Admitted: how much of the prompt the prefix cache held.
    case started(CacheReport)
    /// What `GenerationRequest.promptLogprobs` asked for: the prompt's tokens from `start` on, once, before the first
    /// `token`.
    case prompt([GeneratedToken])
    case token(GeneratedToken)
    /// The last event of every request, also of an aborted or failed one.
    case finished(FinishReason, GenerationUsage)
}

package struct GeneratedToken: Sendable, Equatable {
    package var id: Int32
    /// Natural log of the token's probability before temperature and filters; nil unless asked for.
    package var logprob: Float?
    /// Most likely alternatives, best first; empty unless asked for.
    package var top: [TokenLogprob]
    /// Log-probabilities of `SamplingParameters.logprobTokenIDs`, in their order.
    package var asked: [TokenLogprob]
    /// The model's last hidden state, normalized, from which the token was sampled; nil unless asked for.
    package var state: [Float]?

    package init(id: Int32, logprob: Float? = nil, top: [TokenLogprob] = [], asked: [TokenLogprob] = []) {
        self.id = id
        self.logprob = logprob
        self.top = top
        self.asked = asked
    }
}

package struct TokenLogprob: Sendable, Equatable {
    package var id: Int32
    package var logprob: Float

    package init(id: Int32, logprob: Float) {
        self.id = id
        self.logprob = logprob
    }
}

package enum FinishReason: Sendable, Equatable {
    /// An end-of-sequence or stop id was sampled (it is also delivered as the last `token`).
    case stopToken(Int32)
    /// The constraint leaves nothing that could follow. No token says so.
    case complete
    /// `maxTokens` reached, or the context is full.
    case length
    case aborted
    case failed(RequestError)
}

package struct GenerationUsage: Sendable, Equatable {
    package var promptTokens: Int
    package var completionTokens: Int
    /// Prompt tokens that were not computed again.
    package var cachedTokens: Int
    /// Completion tokens that the constraint left no choice about and that were fed without being sampled.
    package var forcedTokens = 0

    package init(promptTokens: Int, completionTokens: Int, cachedTokens: Int) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
    }
}
