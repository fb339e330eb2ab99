package import Compute
package import Models
package import PrefixCache
package import Scheduling
package import Tensors

/// What an operator may set about the engine. Nil means: chosen at load from the model and the machine, and reported
/// with its reason in `ResolvedConfiguration`.
package struct EngineConfiguration: Sendable {
    /// Name for logs and `/get_model_info`.
    package var modelPath: String
    /// Nil: as stored in the checkpoint.
    package var dtype: DType?
    /// Of the pages; nil: as the weights.
    package var kvCacheDType: DType?
    /// Weights are quantized while they load, from whatever type they are stored in.
    package var weightFormat: WeightFormat
    /// Where packed weights are kept for the next start; nil: nowhere.
    package var weightCacheDirectory: String?
    /// Shorter than the model's own context; never longer.
    package var contextLength: Int?
    /// Share of the memory available at start that weights and KV pool may use together.
    package var memoryFraction: Double?
    /// Tokens of the KV pool, in place of the sizing by memory.
    package var maxTotalTokens: Int?
    package var maxRunningRequests: Int?
    package var maxQueuedRequests: Int?
    /// Most prompt tokens of one step, over all requests; -1 leaves only `maxPrefillTokens`.
    package var chunkedPrefillSize: Int?
    /// Upper bound of `chunkedPrefillSize`.
    package var maxPrefillTokens: Int?
    package var pageSize: Int?
    package var schedulePolicy: SchedulePolicy?
    /// See `SchedulerConfiguration.maxGapSeconds`; 0: no bound, nil: a second.
    package var maxGapSeconds: Double?
    /// A waiting request stops running ones whose priority is at least so much lower. Nil: never.
    package var preemptionThreshold: Int?
    package var disableRadixCache: Bool
    package var evictionPolicy: EvictionPolicyName?
    /// Tokens of the KV pool that pins may keep.
    package var maxPinnedTokens: Int?
    /// The lower tiers; nil: there are none.
    package var tiers: EngineTiers?
    /// Seeds requests that bring no seed of their own. Nil: drawn at start.
    package var randomSeed: UInt64?
    /// A decoder whose last hidden states are wanted, not its text: it may lack an output projection.
    package var isEmbedding = false
    /// A model to run in place of the one that the files describe, to time its steps.
    package var sketch: ModelSketch?

    package init(modelPath: String) {
        self.modelPath = modelPath
        disableRadixCache = false
        weightFormat = .stored
    }
}

/// Why an engine did not start. Texts for people are made by the surface (`RadishCLI/ErrorText`).
package enum EngineError: Error, Equatable, Sendable {
    case pageSize(requested: Int, granularity: Int)
    case contextLength(requested: Int, model: Int)
    case invalidSetting(flag: String, found: String, expected: String)
    /// Not even one page per running request fits.
    case poolTooSmall(availableBytes: Int, bytesPerToken: Int, minimumTokens: Int, weightBytes: Int)
    /// The first run gave something that is not a number.
    case selfCheckFailed(String)
}
