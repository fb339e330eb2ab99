/// The contract between the server side and whatever generates tokens.
///
/// The real engine is `Engine.EngineHandle`; tests use a scripted one, so the server never links a model.
package protocol GenerationEngine: Sendable {
    /// Facts that do not change while the engine lives.
    var information: EngineInformation { get }

    /// Hands one request over. Returns at once; nothing was computed yet.
    ///
    /// Dropping the stream (or cancelling the task that reads it) aborts the request and gives its pages back.
    /// - Throws: `RequestError` if the request can never run or the queue is full.
    func submit(_ request: GenerationRequest) throws(RequestError) -> AsyncStream<GenerationEvent>

    /// Ends a request early; its stream still gets `finished(.aborted, …)`. Unknown ids are ignored.
    func abort(requestID: String)

    /// Forgets every cached prefix that no running request uses.
    /// - Returns: false if requests were running or waiting, in which case nothing is flushed.
    func flushCache() async -> Bool

    /// A consistent snapshot taken between two steps.
    func statistics() async -> EngineStatistics

    /// Stops computing after the step that runs; requests are taken in but wait. Returns when it has stopped.
    func pause(_ mode: PauseMode) async

    /// Goes on after `pause`.
    func resume()

    /// Records from now on what each step does, forgetting an earlier recording.
    func startProfile()

    /// Ends the recording.
    func stopProfile() async -> [ProfileSpan]

    /// What the prefix cache would do for a prompt now. Changes nothing.
    func probeCache(_ prompt: [Int32], cacheNamespace: String) async -> CacheReport

    /// What is cached, the `limit` largest in that order.
    /// - Parameter previewTokens: tokens from each end of a prefix.
    func cachedPrefixes(_ order: PrefixOrder, limit: Int, previewTokens: Int) async -> [CachedPrefixInformation]

    /// The prefixes that are kept at the moment.
    func pins() async -> [PinnedPrefix]

    /// Ends a pin. What it kept stays cached until it has to make room.
    /// - Returns: false if there is none of that name.
    func unpin(id: String) async -> Bool

    /// Takes no new requests; returns when the running ones have ended.
    func shutdown() async
}

/// What a pause does to the requests there are.
package enum PauseMode: Sendable {
    /// All are aborted.
    case abort
    /// All give their pages back to the cache and start again from there.
    case retract
    /// All keep what they have.
    case inPlace
}

/// A part of a step, timed by the engine.
package struct ProfileSpan: Sendable, Equatable {
    /// `plan`, `forward`, `sample` or `commit`.
    package var name: String
    /// Microseconds since the recording began.
    package var start: Double
    /// Microseconds.
    package var duration: Double
    /// Tokens fed in this step; nil where it says nothing.
    package var rows: Int?
    package var sequences: Int?

    package init(name: String, start: Double, duration: Double, rows: Int? = nil, sequences: Int? = nil) {
        self.name = name
        self.start = start
        self.duration = duration
        self.rows = rows
        self.sequences = sequences
    }
}

/// An engine without a cache that can be looked into.
extension GenerationEngine {
    package func probeCache(_ prompt: [Int32], cacheNamespace: String) async -> CacheReport {
        var report = CacheReport(promptTokens: prompt.count, cachedTokens: 0)
        report.missed = [MissedTokens(reason: .firstSeen, tokens: prompt.count)]
        return report
    }
    package func cachedPrefixes(
        _ order: PrefixOrder, limit: Int, previewTokens: Int
    ) async -> [CachedPrefixInformation] { [] }
    package func pins() async -> [PinnedPrefix] { [] }
    package func unpin(id: String) async -> Bool { false }
}

package struct EngineInformation: Sendable, Equatable {
    /// Path or name the model was loaded from.
    package var modelPath: String
    /// For example `LlamaForCausalLM`.
    package var architecture: String
    package var vocabularySize: Int
    /// Longest prompt + output in tokens.
    package var contextLength: Int
    /// Tokens the KV pool holds.
    package var poolTokens: Int
    package var pageSize: Int
    /// Keys and values of one token in all layers; 0 if unknown.
    package var bytesPerToken = 0
    /// Weights' type as loaded, `bfloat16` for example.
    package var dtype: String
    /// Backend and kernel path, for example `cpu (avx512bf16, 2 threads)`.
    package var backend: String
    /// Ids that end a generation unless `ignoreEOS`.
    package var endOfSequenceIDs: Set<Int32>

    package init(
        modelPath: String, architecture: String, vocabularySize: Int, contextLength: Int, poolTokens: Int,
        pageSize: Int, dtype: String, backend: String, endOfSequenceIDs: Set<Int32>
    ) {
        self.modelPath = modelPath
        self.architecture = architecture
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.poolTokens = poolTokens
        self.pageSize = pageSize
        self.dtype = dtype
        self.backend = backend
        self.endOfSequenceIDs = endOfSequenceIDs
    }
}

/// Counters and gauges. `freePages + cachedPages + leasedPages == totalPages` always.
package struct EngineStatistics: Sendable, Equatable {
    package var totalPages = 0
    package var freePages = 0
    /// In the tree, used by nobody: may be evicted.
    package var cachedPages = 0
    /// Held by running requests (in the tree or not yet published).
    package var leasedPages = 0
    package var treeNodes = 0
    package var runningRequests = 0
    package var waitingRequests = 0
    /// Sums since start.
    package var promptTokens = 0
    package var cachedPromptTokens = 0
    package var generatedTokens = 0
    /// Of those, the ones that constraints left no choice about and that took no step of their own.
    package var forcedTokens = 0
    /// To make room.
    package var evictedPages = 0
    /// By `flushCache`.
    package var flushedPages = 0
    /// `cachedPromptTokens` by where they were found, and prompt tokens that were not by reason. Sums since start.
    package var cachedTokensByTier: [CacheTierName: Int] = [:]
    package var missedTokensByReason: [MissReason: Int] = [:]
    /// Requests that waited for what another one was computing, and tokens they did not compute thanks to it.
    package var inFlightWaits = 0
    package var awaitedTokens = 0
    /// Prefixes that are kept, their pages, and how many pages may be.
    package var pins = 0
    package var pinnedPages = 0
    package var pinnablePages = 0
    /// Pins that gave way because a running request needed their pages.
    package var droppedPins = 0
    /// Prompt tokens that were computed, and the time of the steps that computed nearly nothing else.
    package var prefillTokens = 0
    package var prefillSeconds = 0.0
    package var retractions = 0
    /// Running requests that had to make room for more urgent ones.
    package var preemptions = 0
    package var finishedRequests = 0
    package var abortedRequests = 0
    package var steps = 0
    /// One for each lower tier, fastest first.
    package var tiers: [TierStatistics] = []
    package init() {}
}

/// What a lower tier did since start, and what it holds.
package struct TierStatistics: Sendable, Equatable {
    /// As `CacheTierName` spells it.
    package var name: String
    /// Prompt tokens of admitted requests that came from it.
    package var hitTokens = 0
    package var loadedPages = 0
    /// Pages that it had and that were computed all the same, because reading them would have taken longer.
    package var slowerPages = 0
    package var storedPages = 0
    /// Pages not stored because the writer could not keep up, or the tier failed.
    package var unstoredPages = 0
    /// Pages found damaged or foreign, and not used.
    package var refusedPages = 0
    package var evictedPages = 0
    /// Now, as far as known: the tier may be shared.
    package var pages = 0
    package var bytes = 0

    package init(name: String, hitTokens: Int = 0, loadedPages: Int = 0, slowerPages: Int = 0) {
        self.name = name
        self.hitTokens = hitTokens
        self.loadedPages = loadedPages
        self.slowerPages = slowerPages
    }
}
