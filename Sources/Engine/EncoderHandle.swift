package import Checkpoint
package import Compute
package import EngineInterface
import Models
import Tensors

/// The Sendable front of an encoder: a thread of its own computes what waits, batch by batch.
package final class EncoderHandle: EmbeddingEngine {
    package let information: EmbeddingInformation
    private let queue: EmbeddingQueue

    private init(information: EmbeddingInformation, queue: EmbeddingQueue) {
        self.information = information
        self.queue = queue
    }

    /// Nobody can submit any more: the thread ends when the last batch has.
    deinit { queue.close(nil) }

    package func vectors(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [[Float]] {
        try await run(EmbeddingQueue.Job(inputs, isScoring: false))
    }

    package func scores(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [Float] {
        try await run(EmbeddingQueue.Job(inputs, isScoring: true)).map { $0[0] }
    }

    package func statistics() async -> EmbeddingStatistics { queue.statistics }

    package func shutdown() async {
        await withCheckedContinuation { queue.close($0) }
    }

    private func run(_ job: EmbeddingQueue.Job) async throws(RequestError) -> [[Float]] {
        precondition(job.isScoring == information.isReranker, "asked for what the model does not give")
        try information.validate(job.inputs)
        if job.inputs.isEmpty { return [] }
        let queue = queue
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard job.begin(continuation) else {
                    continuation.resume(returning: Result<[[Float]], RequestError>.failure(.shuttingDown))
                    return
                }
                do throws(RequestError) { try queue.add(job) } catch { job.fail(error) }
            }
        } onCancel: {
            job.fail(.shuttingDown)
        }
        return try result.get()
    }

    // MARK: Loading

    /// Rows of a batch that keep the compute units busy, and texts of it.
    private static let batchRows = 2048
    private static let batchTexts = 256

    /// Starts the encoder's thread, loads the model in it and runs it once.
    ///
    /// - Parameters:
    ///   - modules: what sentence-transformers' files say; nil: mean pooling, vectors of length 1.
    ///   - backend: called on the encoder's thread, which the backend never leaves.
    /// - Throws: `CheckpointError`, `ModelError`, `ComputeError` or `EngineError`, each naming what to mend.
    package static func start(
        _ configuration: EngineConfiguration, files: ModelFiles, modules: SentenceModules?,
        backend: @escaping @Sendable () throws -> any EncoderBackend,
        progress: @escaping @Sendable (EngineLoader.Stage) -> Void
    ) async throws -> EncoderHandle {
        try await withCheckedThrowingContinuation { continuation in
            let started = EngineThread.start {
                do {
                    let encoder = try EncoderLoader.load(
                        files, backend: backend(), rows: batchRows, texts: batchTexts, dtype: configuration.dtype,
                        format: configuration.weightFormat,
                        cache: configuration.weightCacheDirectory.map {
                            WeightCacheUse(directory: $0) { progress(.note($0)) }
                        }, progress: { progress(.weights($0)) })
                    let runner = try EncoderRunner(encoder, modules)
                    progress(.selfCheck)
                    try runner.check()
                    let queue = EmbeddingQueue(limit: configuration.maxQueuedRequests ?? 65_536)
                    do {
                        let handle = EncoderHandle(
                            information: try runner.information(configuration, files), queue: queue)
                        progress(.ready)
                        // The handle leaves this thread: when its last owner drops it, the loop must end.
                        continuation.resume(returning: handle)
                    }
                    runner.run(queue)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            if !started {
                continuation.resume(
                    throwing: EngineError.invalidSetting(
                        flag: "threads", found: "none left", expected: "one more thread for the encoder"))
            }
        }
    }
}
