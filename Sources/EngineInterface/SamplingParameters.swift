/// How the next token is chosen and when a generation ends. Token ids only: stop *strings* belong to `TextGeneration`.
///
/// Defaults are those of the OpenAI API and SGLang. `validated(vocabularySize:)` is the one place where ranges are
/// checked, so that every surface (HTTP, command, library) refuses the same values with the same words.
package struct SamplingParameters: Sendable, Equatable {
    /// 0 means greedy. Logits are divided by it otherwise.
    package var temperature: Float = 1
    /// Keep the `topK` most likely tokens; -1 (or 0) keeps all.
    package var topK: Int = -1
    /// Keep the smallest set of tokens whose probability sums to `topP`.
    package var topP: Float = 1
    /// Keep tokens at least `minP` times as likely as the most likely one.
    package var minP: Float = 0
    /// Subtracted once per earlier occurrence of a token in the output.
    package var frequencyPenalty: Float = 0
    /// Subtracted once if a token occurs in the output.
    package var presencePenalty: Float = 0
    /// Divides positive and multiplies negative logits of tokens seen in prompt or output; 1 is neutral.
    package var repetitionPenalty: Float = 1
    /// Added to the logit of a token before anything else.
    package var logitBias: [Int32: Float] = [:]
    /// Same seed, same text, in any batch. Nil draws one when the request enters the engine.
    package var seed: UInt64?
    /// Upper bound of generated tokens. Nil: until the context is full. 0 feeds the prompt and generates nothing.
    package var maxTokens: Int?
    /// End-of-sequence and stop ids are not sampled before this many tokens were generated.
    package var minTokens: Int = 0
    /// Ends the generation (the token is not part of the text). The model's own end-of-sequence ids are added by the
    /// engine unless `ignoreEOS`.
    package var stopTokenIDs: Set<Int32> = []
    package var ignoreEOS: Bool = false
    /// Log-probabilities of the sampled token, and of this many most likely alternatives. Nil: none.
    package var topLogprobs: Int?
    /// With `topLogprobs`: further tokens whose log-probability is wanted at each position.
    package var logprobTokenIDs: [Int32] = []
    /// Whether each token comes with the hidden state it was sampled from (embeddings).
    package var returnsState = false

    package init() {}

    /// Checks every range.
    /// - Parameter vocabularySize: ids in `logitBias` and `stopTokenIDs` must be below it.
    /// - Throws: `RequestError.invalidParameter` naming the field as OpenAI and SGLang spell it.
    package func validated(vocabularySize: Int) throws(RequestError) -> SamplingParameters {
        func require(_ holds: Bool, _ field: String, _ found: String, _ expected: String) throws(RequestError) {
            if !holds { throw .invalidParameter(field: field, found: found, expected: expected) }
        }
        try require(temperature >= 0 && temperature.isFinite, "temperature", "\(temperature)", "a number ≥ 0")
        try require(topP > 0 && topP <= 1, "top_p", "\(topP)", "a number in (0, 1]")
        try require(topK >= -1, "top_k", "\(topK)", "-1 (all) or an integer ≥ 1")
        try require(minP >= 0 && minP <= 1, "min_p", "\(minP)", "a number in [0, 1]")
        try require(
            (-2...2).contains(frequencyPenalty), "frequency_penalty", "\(frequencyPenalty)", "a number in [-2, 2]")
        try require(
            (-2...2).contains(presencePenalty), "presence_penalty", "\(presencePenalty)", "a number in [-2, 2]")
        try require(
            repetitionPenalty > 0 && repetitionPenalty <= 2, "repetition_penalty", "\(repetitionPenalty)",
            "a number in (0, 2]")
        if let maxTokens { try require(maxTokens >= 0, "max_tokens", "\(maxTokens)", "an integer ≥ 0") }
        try require(
            minTokens >= 0 && minTokens <= (maxTokens ?? .max), "min_tokens", "\(minTokens)",
            "an integer between 0 and max_tokens")
        for (id, bias) in logitBias {
            try require(
                id >= 0 && Int(id) < vocabularySize, "logit_bias", "token id \(id)", "ids in 0..<\(vocabularySize)")
            try require((-100...100).contains(bias), "logit_bias", "\(bias)", "biases in [-100, 100]")
        }
        for id in stopTokenIDs {
            try require(
                id >= 0 && Int(id) < vocabularySize, "stop_token_ids", "\(id)", "ids in 0..<\(vocabularySize)")
        }
        for id in logprobTokenIDs {
            try require(
                id >= 0 && Int(id) < vocabularySize, "token_ids_logprob", "\(id)", "ids in 0..<\(vocabularySize)")
        }
        if let topLogprobs {
            try require((0...20).contains(topLogprobs), "top_logprobs", "\(topLogprobs)", "an integer in 0...20")
        }
        return self
    }
}
