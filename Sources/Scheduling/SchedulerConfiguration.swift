package import EngineInterface
package import PrefixCache

/// Everything the scheduler has to be told. The defaults exist here and nowhere else.
package struct SchedulerConfiguration: Sendable {
    /// Tokens per KV page.
    package var pageSize = 16
    /// Pages of the KV pool.
    package var totalPages: Int
    /// Longest prompt + output in tokens.
    package var contextLength: Int
    package var vocabularySize: Int
    /// Most sequences that hold pages at once. Never more than `maxBatchTokens`, since each may decode in every step.
    package var maxRunningRequests = 256
    /// Requests beyond the running ones that may wait.
    package var maxQueuedRequests = 4096
    /// Rows of the largest step: decoding sequences and prefill chunks together.
    package var maxBatchTokens = 512 + 256
    /// Most prompt tokens of one step, over all requests.
    package var chunkedPrefillSize = 512
    package var policy = SchedulePolicy.lpm
    /// Nothing is reused: for comparison.
    package var disableRadixCache = false
    /// Which unused prefix goes first when pages run out.
    package var evictionPolicy = EvictionPolicyName.lru
    /// Tokens of the pool that pins may keep. Nil: half of it.
    package var maxPinnedTokens: Int?
    /// Ids that end a generation unless the request says `ignoreEOS`.
    package var endOfSequenceIDs: Set<Int32> = []
    /// A request gains one level of priority for each such span of waiting, so that it can be overtaken only by
    /// requests of its priority that arrived less than this after it.
    package var agingSeconds = 2.0
    /// Output tokens for which each running sequence must have room when another one is admitted. More means fewer
    /// retractions, less means more sequences at once.
    package var decodeHeadroomTokens = 32
    /// A request waits for what another one is computing if the two have at least so many tokens in common there (or
    /// all it needs); for less, computing them twice costs less than the wait. Nil: `pageSize`.
    package var inFlightMinimumTokens: Int?
    /// Most prompt tokens of one step whose log-probabilities are computed, over all requests: each needs a row of
    /// logits as wide as the vocabulary.
    package var scoredRows = 32
    /// Longest time between two tokens of a running stream, as far as prefill is the cause: prompt chunks beside running
    /// streams are made so small that a step stays below it. Nil: chunks are always `chunkedPrefillSize`.
    package var maxGapSeconds: Double?
    /// A waiting request stops running ones whose priority is at least so much lower. Nil: never.
    package var preemptionThreshold: Int?
    /// No request is stopped more often than this.
    package var maxPreemptions = 3
    /// The lower tiers; nil: there are none.
    package var tiers: TierSettings?
    /// Seeds the order of the `random` policy.
    package var randomSeed: UInt64 = 0

    package init(totalPages: Int, contextLength: Int, vocabularySize: Int) {
        self.totalPages = totalPages
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
    }

    /// Tokens the KV pool holds.
    package var poolTokens: Int { totalPages * pageSize }

    /// Checks what can be checked without knowing other requests.
    /// - Throws: `RequestError` saying what does not fit.
    package func validate(_ request: GenerationRequest) throws(RequestError) {
        let prompt = request.prompt
        guard !prompt.isEmpty else { throw .emptyPrompt }
        for id in prompt where id < 0 || Int(id) >= vocabularySize {
            throw .tokenOutOfRange(id: id, vocabularySize: vocabularySize)
        }
        if let scoring = request.promptLogprobs {
            guard scoring.start >= 0, scoring.start <= prompt.count else {
                throw .invalidParameter(
                    field: "logprob_start_len", found: "\(scoring.start)",
                    expected: "-1 or an integer up to the prompt's \(prompt.count) tokens")
            }
            guard (0...20).contains(scoring.top) else {
                throw .invalidParameter(
                    field: "prompt_logprobs", found: "\(scoring.top)", expected: "an integer in 0...20")
            }
        }
        guard prompt.count < contextLength else {
            throw .contextLengthExceeded(
                promptTokens: prompt.count, maxNewTokens: request.sampling.maxTokens, contextLength: contextLength)
        }
        guard prompt.count <= poolTokens else {
            throw .poolTooSmall(promptTokens: prompt.count, poolTokens: poolTokens)
        }
    }

    /// Output tokens the request may have: as many as it asks for, clipped to what context and pool hold. The last
    /// token is never fed, so it needs no place in the pool.
    func newTokenLimit(_ request: GenerationRequest) -> Int {
        let prompt = request.prompt.count
        let fits = min(contextLength - prompt, poolTokens - prompt + 1)
        return min(request.sampling.maxTokens ?? fits, fits)
    }
}
