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
    package var evictedPages = 0
    package var retractions = 0
    package var finishedRequests = 0
    package var abortedRequests = 0
    package var steps = 0
    package init() {}
}
