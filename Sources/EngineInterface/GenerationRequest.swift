/// One sequence to generate: token ids in, token ids out. Text, templates and stop strings are `TextGeneration`'s.
package struct GenerationRequest: Sendable {
    /// Unique among live requests; used to abort and in logs.
    package var id: String
    /// Prompt ids, at least one.
    package var prompt: [Int32]
    package var sampling: SamplingParameters
    /// Separates cached prefixes that must not be shared (tenant salt, adapter). Empty: shared by all.
    package var cacheNamespace: String
    /// Larger runs first where the schedule policy honours priorities.
    package var priority: Int
    /// Nil: the prompt's own log-probabilities are not wanted.
    package var promptLogprobs: PromptLogprobs?
    /// Keeps the prompt, or beginnings of it, in the cache once they have been computed.
    package var pins: [PinRequest] = []
    /// What the output must look like; nil: anything.
    package var constraint: OutputConstraint?

    package init(
        id: String, prompt: [Int32], sampling: SamplingParameters, cacheNamespace: String = "", priority: Int = 0,
        promptLogprobs: PromptLogprobs? = nil
    ) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
        self.cacheNamespace = cacheNamespace
        self.priority = priority
        self.promptLogprobs = promptLogprobs
    }
}

/// Asks for the log-probabilities of the prompt's tokens. They are computed, not remembered: from `start` on the prompt
/// is fed again even where it is cached.
package struct PromptLogprobs: Sendable, Equatable {
    /// Index of the first token that is reported. The token at index 0 follows nothing and has no log-probability.
    package var start: Int
    /// Most likely alternatives at each position.
    package var top: Int

    package init(start: Int = 0, top: Int = 0) {
        self.start = start
        self.top = top
    }
}

/// Why the engine did not take a request. All are the caller's to mend, except `queueFull` and `shuttingDown`.
package enum RequestError: Error, Equatable, Sendable {
    /// A value out of range; `field` is its name on the wire.
    case invalidParameter(field: String, found: String, expected: String)
    case emptyPrompt
    /// An id the model has no row for.
    case tokenOutOfRange(id: Int32, vocabularySize: Int)
    /// Prompt (+ at least one new token) does not fit the context.
    case contextLengthExceeded(promptTokens: Int, maxNewTokens: Int?, contextLength: Int)
    /// Fits the context, but not the whole KV pool of this server.
    case poolTooSmall(promptTokens: Int, poolTokens: Int)
    case duplicateID(String)
    /// As many requests wait as the server allows.
    case queueFull(limit: Int)
    case shuttingDown
    /// The engine stopped because of an internal failure; the text says which.
    case engineFailed(String)
}
