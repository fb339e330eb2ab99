package import Checkpoint
package import Compute
import EngineInterface
package import Models
import PrefixCache
package import Scheduling
import Tensors

/// Model files in, running engine out. Everything that lives on the engine thread is made there.
package enum EngineLoader {
    /// What is going on while a model loads; for progress bars and the log.
    package enum Stage: Sendable {
        case weights(LoadProgress)
        /// A sentence for the operator.
        case note(String)
        case selfCheck
        case ready
    }

    /// Starts the engine thread, loads the model in it and runs it once.
    ///
    /// - Parameters:
    ///   - endOfSequenceIDs: from the generation defaults and the tokenizer.
    ///   - backend: called on the engine thread, which the backend never leaves.
    ///   - availableMemory: bytes the process may still use, asked after the weights are loaded.
    /// - Throws: `CheckpointError`, `ModelError`, `ComputeError` or `EngineError`, each naming what to mend.
    package static func start(
        _ configuration: EngineConfiguration, files: ModelFiles, endOfSequenceIDs: Set<Int32>,
        backend: @escaping @Sendable () throws -> any Backend, availableMemory: @escaping @Sendable () -> Int,
        progress: @escaping @Sendable (Stage) -> Void
    ) async throws -> EngineHandle {
        let mailbox = Mailbox()
        return try await withCheckedThrowingContinuation { continuation in
            let started = EngineThread.start {
                do {
                    // The handle leaves this thread at once: when its last owner drops it, the loop must end.
                    let loop = try load(
                        configuration, files: files, endOfSequenceIDs: endOfSequenceIDs, backend: backend(),
                        availableMemory: availableMemory, mailbox: mailbox, progress: progress
                    ) { handle in
                        progress(.ready)
                        continuation.resume(returning: handle)
                    }
                    loop.run()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            if !started {
                continuation.resume(
                    throwing: EngineError.invalidSetting(
                        flag: "threads", found: "none left", expected: "one more thread for the engine"))
            }
        }
    }

    private static func load(
        _ configuration: EngineConfiguration, files: ModelFiles, endOfSequenceIDs: Set<Int32>,
        backend: any Backend, availableMemory: () -> Int, mailbox: Mailbox,
        progress: @escaping @Sendable (Stage) -> Void,
        ready: (EngineHandle) -> Void
    ) throws -> EngineLoop {
        let before = availableMemory()
        let modelContext = try ModelLoader.configuration(files).contextLength
        var resolved = try ResolvedConfiguration(configuration, modelContext: modelContext)
        let limits = ModelLimits(
            maximumRows: resolved.stepTokens.value,
            maximumSampledRows: resolved.maxRunningRequests.value + scoredRows(resolved))
        let model = try ModelLoader.load(
            files, backend: backend, limits: limits, dtype: configuration.dtype,
            format: configuration.weightFormat, needsOutput: !configuration.isEmbedding,
            cache: configuration.weightCacheDirectory.map { WeightCacheUse(directory: $0) { progress(.note($0)) } },
            sketch: configuration.sketch, progress: { progress(.weights($0)) })
        var layout = model.kvLayout(pageSize: resolved.pageSize.value)
        if let dtype = configuration.kvCacheDType { layout.dtype = dtype }
        let available = availableMemory()
        try resolved.resolvePool(
            configuration, layout: layout, available: available, weightBytes: max(0, before - available))
        let pages = resolved.poolTokens.value / resolved.pageSize.value
        let cache = try backend.makeKVCache(layout, pages: pages)

        let seed = configuration.randomSeed ?? UInt64.random(in: .min ... .max)
        let runner = ModelRunner(
            model: model, backend: backend, cache: cache,
            sampler: Sampler(baseSeed: seed))
        progress(.selfCheck)
        let probePages: Int
        do {
            backend.beginStep()
            defer { backend.endStep() }
            probePages = try SelfCheck.run(
                runner, backend: backend, vocabularySize: model.vocabularySize, pageSize: layout.pageSize,
                pages: pages, rows: resolved.chunkedPrefillSize.value, fillsPages: configuration.tiers != nil)
        }

        var scheduling = schedulerConfiguration(
            configuration, resolved, pages: pages, vocabularySize: model.vocabularySize,
            endOfSequenceIDs: endOfSequenceIDs)
        let tiers = try openTiers(
            configuration, files: files, cache: cache, probePages: probePages, backend: backend.information,
            mailbox: mailbox, &scheduling)
        let live = LiveRequests(
            running: resolved.maxRunningRequests.value, queued: resolved.maxQueuedRequests.value)
        let loop = EngineLoop(
            scheduler: Scheduler(scheduling), runner: runner, backend: backend, mailbox: mailbox, live: live,
            bytesPerToken: layout.bytesPerToken, tiers: tiers)
        let machine = backend.information
        var information = EngineInformation(
            modelPath: configuration.modelPath, architecture: model.architecture,
            vocabularySize: model.vocabularySize, contextLength: resolved.contextLength.value,
            poolTokens: resolved.poolTokens.value, pageSize: layout.pageSize,
            dtype: configuration.weightFormat == .stored
                ? model.weightDType.rawValue : configuration.weightFormat.rawValue,
            backend: "\(machine.name) (\(machine.kernels), \(machine.threads) threads)",
            endOfSequenceIDs: endOfSequenceIDs)
        information.bytesPerToken = layout.bytesPerToken
        ready(
            EngineHandle(
                information: information, resolved: resolved, configuration: scheduling, mailbox: mailbox, live: live))
        return loop
    }

    /// Prompt tokens scored in one step: few, since each takes a row of logits.
    private static func scoredRows(_ resolved: ResolvedConfiguration) -> Int {
        min(32, resolved.chunkedPrefillSize.value)
    }

    /// The lower tiers that could be opened; nil if none.
    private static func openTiers(
        _ configuration: EngineConfiguration, files: ModelFiles, cache: KVCache, probePages: Int,
        backend: BackendInformation, mailbox: Mailbox, _ scheduling: inout SchedulerConfiguration
    ) throws -> TierDriver? {
        guard let wanted = configuration.tiers, !configuration.disableRadixCache,
            cache.hostBytes(ofPage: 0) != nil
        else { return nil }
        let record = PageRecord(
            fingerprint: try PageFingerprint.make(
                files: files, weights: "\(configuration.dtype?.rawValue ?? "") \(configuration.weightFormat.rawValue)",
                cache: cache, probePages: probePages, backend: backend, version: wanted.version),
            pageBytes: cache.layout.bytesPerPage)
        let tiers = wanted.open(record)
        if tiers.isEmpty { return nil }
        var settings = TierSettings(fingerprint: record.fingerprint, names: tiers.map { $0.isRemote ? .remote : .disk })
        settings.writePolicy = wanted.writePolicy
        scheduling.tiers = settings
        return TierDriver(tiers: tiers, cache: cache, mailbox: mailbox)
    }

    /// What the scheduler of an engine with these settings is told.
    package static func schedulerConfiguration(
        _ configuration: EngineConfiguration, _ resolved: ResolvedConfiguration, pages: Int, vocabularySize: Int,
        endOfSequenceIDs: Set<Int32>
    ) -> SchedulerConfiguration {
        var result = SchedulerConfiguration(
            totalPages: pages, contextLength: resolved.contextLength.value, vocabularySize: vocabularySize)
        result.pageSize = resolved.pageSize.value
        result.maxRunningRequests = resolved.maxRunningRequests.value
        result.maxQueuedRequests = resolved.maxQueuedRequests.value
        result.maxBatchTokens = resolved.stepTokens.value
        result.scoredRows = scoredRows(resolved)
        result.chunkedPrefillSize = resolved.chunkedPrefillSize.value
        if let policy = configuration.schedulePolicy { result.policy = policy }
        let gap = configuration.maxGapSeconds ?? 1
        result.maxGapSeconds = gap > 0 ? gap : nil
        result.preemptionThreshold = configuration.preemptionThreshold
        result.disableRadixCache = configuration.disableRadixCache
        if let policy = configuration.evictionPolicy { result.evictionPolicy = policy }
        result.maxPinnedTokens = configuration.maxPinnedTokens.map { max(0, $0) }
        result.endOfSequenceIDs = endOfSequenceIDs
        return result
    }
}
