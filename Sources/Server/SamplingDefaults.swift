import EngineInterface
import WireTypes

extension SamplingFields {
    /// What the engine gets: the request's own values over `defaults`. Ranges are checked there.
    ///
    /// - Parameter topLogprobs: nil for no log-probabilities.
    func parameters(
        _ defaults: SamplingParameters, topLogprobs: Int?, logprobTokenIDs: [Int32] = []
    ) -> SamplingParameters {
        var result = defaults
        if let temperature { result.temperature = Float(temperature) }
        if let topP { result.topP = Float(topP) }
        if let topK { result.topK = topK }
        if let minP { result.minP = Float(minP) }
        if let frequencyPenalty { result.frequencyPenalty = Float(frequencyPenalty) }
        if let presencePenalty { result.presencePenalty = Float(presencePenalty) }
        if let repetitionPenalty { result.repetitionPenalty = Float(repetitionPenalty) }
        result.logitBias = logitBias.mapValues { Float($0) }
        result.seed = seed
        result.maxTokens = maxTokens
        result.minTokens = minTokens ?? 0
        result.stopTokenIDs = Set(stopTokenIDs)
        result.ignoreEOS = ignoreEOS
        result.topLogprobs = topLogprobs
        result.logprobTokenIDs = topLogprobs == nil ? [] : logprobTokenIDs
        return result
    }
}

extension SamplingParameters {
    /// For the choice with this number: with one seed for all, all choices would be the same.
    func forChoice(_ number: Int) -> SamplingParameters {
        var result = self
        if let seed { result.seed = seed &+ UInt64(number) }
        return result
    }
}
