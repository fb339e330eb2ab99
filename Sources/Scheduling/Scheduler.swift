package import EngineInterface
import PrefixCache

/// Decides which tokens of which sequences are fed in each step, and where their keys and values go. Ids only: it
/// computes nothing, knows no tensors and no clock (the time is an argument), so whole workloads can be simulated.
///
/// One thread owns it and calls, over and over: `plan`, carry the plan out, `commit`. `submit`, `abort` and `flush`
/// come between a `commit` and the next `plan`.
///
/// - A step is one mixed batch: every running sequence that has one token to feed decodes, the rest of the budget
///   prefills chunks of prompts, of running requests first, then of newly admitted ones (`+Plan`, `+Admission`).
/// - Whatever has been fed is published to the prefix cache with the step's commit (`+Commit`).
/// - When pages run out, unused cached ones are evicted; when there are none left, the youngest running request is
///   retracted (`+Retraction`).
package final class Scheduler {
    let configuration: SchedulerConfiguration
    let runningLimit: Int
    let inFlightMinimum: Int
    var cache: any PageCache
    var queue: AdmissionQueue
    var pins: PinTable
    var inFlight = InFlightChunks()
    /// In order of admission, oldest first.
    var running: [SequenceState] = []
    /// Every live sequence by its number.
    var sequences: [Int: SequenceState] = [:]
    /// The plan that is being carried out, as sequences.
    var outstanding: [SequenceState] = []
    var undelivered: [SchedulerEvent] = []
    var counters = EngineStatistics()
    var tiering: Tiering?
    var pacing = StepPacing()
    var plannedAt = 0.0
    private var numbersByID: [String: Int] = [:]
    private var nextNumber = 0

    package init(_ configuration: SchedulerConfiguration) {
        precondition(configuration.maxBatchTokens > 0 && configuration.chunkedPrefillSize > 0)
        precondition(configuration.maxRunningRequests > 0)
        self.configuration = configuration
        runningLimit = min(configuration.maxRunningRequests, configuration.maxBatchTokens)
        inFlightMinimum = max(1, configuration.inFlightMinimumTokens ?? configuration.pageSize)
        cache =
            configuration.disableRadixCache
            ? NoReuseCache(pageSize: configuration.pageSize, totalPages: configuration.totalPages)
            : RadixTree(
                pageSize: configuration.pageSize, totalPages: configuration.totalPages,
                policy: configuration.evictionPolicy.policy)
        pins = PinTable(
            budget: (configuration.maxPinnedTokens ?? configuration.poolTokens / 2) / configuration.pageSize)
        queue = AdmissionQueue(configuration)
        if let tiers = configuration.tiers, cache.reuses {
            tiering = Tiering(tiers, pages: configuration.totalPages)
            cache.recordFreedPages()
        }
    }

    /// Queues a request.
    /// - Parameter now: seconds on a clock that never goes back; only differences matter.
    /// - Returns: the sequence's number, unique for this scheduler's lifetime.
    /// - Throws: `RequestError` if it can never run, its id is in use, or the queue is full.
    package func submit(_ request: GenerationRequest, now: Double) throws(RequestError) -> Int {
        try configuration.validate(request)
        guard numbersByID[request.id] == nil else { throw .duplicateID(request.id) }
        // Those that could run at once do not count as queued, even though they wait for the next plan.
        guard sequences.count < runningLimit + configuration.maxQueuedRequests else {
            throw .queueFull(limit: configuration.maxQueuedRequests)
        }
        let sequence = SequenceState(number: nextNumber, request: request, configuration: configuration, now: now)
        nextNumber += 1
        sequence.firstMatch = sequence.refreshMatch(in: cache).length
        sequences[sequence.number] = sequence
        numbersByID[sequence.id] = sequence.number
        queue.insert(sequence)
        beginFetch(sequence, now: now)
        return sequence.number
    }

    /// Ends a request in any phase. What it has computed stays cached.
    /// - Returns: its last event; nothing for an unknown id.
    package func abort(requestID: String, now: Double) -> [SchedulerEvent] {
        requireNoStep("abort")
        guard let number = numbersByID[requestID], let sequence = sequences[number] else { return [] }
        if sequence.phase == .running {
            releasePages(of: sequence, now: now)
            running.removeAll { $0 === sequence }
            noteFreedPages()
        } else {
            abandonFetch(of: sequence)
            queue.remove(sequence)
        }
        counters.abortedRequests += 1
        return [end(sequence, .aborted)]
    }

    /// Events that do not wait for the next commit: `started` of what the last plan admitted.
    package func takeEvents() -> [SchedulerEvent] {
        defer { undelivered.removeAll() }
        return undelivered
    }

    /// Forgets every cached prefix.
    /// - Returns: false if requests run or wait; then nothing is forgotten.
    package func flush(now: Double = 0) -> Bool {
        requireNoStep("flush")
        guard sequences.isEmpty else { return false }
        cache.flush(now: now)
        noteFreedPages(keeping: false)
        return true
    }

    package var hasWork: Bool { !sequences.isEmpty }

    /// Pages of the pool that have been in use, from the first one on.
    package var usedPages: Int { cache.pool.firstUnused }

    package var statistics: EngineStatistics {
        var result = counters
        result.totalPages = cache.pool.total
        result.freePages = cache.pool.free
        result.cachedPages = cache.pool.cached
        result.leasedPages = cache.pool.leased
        result.treeNodes = cache.nodeCount
        result.evictedPages = cache.evictedPages
        result.flushedPages = cache.flushedPages
        result.pins = pins.pins.count
        result.pinnedPages = pins.pageCount
        result.pinnablePages = pins.budget
        result.runningRequests = running.count
        result.waitingRequests = queue.count
        if let tiering {
            result.tiers = tiering.settings.names.enumerated().map { index, name in
                TierStatistics(
                    name: name.rawValue, hitTokens: tiering.hitTokens[index], loadedPages: tiering.loadedPages[index],
                    slowerPages: tiering.slowerPages[index])
            }
        }
        return result
    }

    /// - Precondition: the sequence is live.
    package func samplingState(of number: Int) -> SamplingState {
        guard let sequence = sequences[number] else { preconditionFailure("sequence \(number) is not live") }
        let forbidden = sequence.generated.count < sequence.sampling.minTokens ? sequence.endIDs : []
        return SamplingState(
            sampling: sequence.sampling, prompt: sequence.prompt, generated: sequence.generated,
            forbiddenTokenIDs: forbidden, scoring: sequence.scoring, constraint: sequence.constraint,
            endIDs: sequence.endIDs, remainingTokens: sequence.newTokenLimit - sequence.generated.count)
    }

    // MARK: Shared by the phases

    func requireNoStep(_ what: String) {
        precondition(outstanding.isEmpty, "\(what) while a step is being carried out")
    }

    func pages(for tokens: Int) -> Int { (tokens + configuration.pageSize - 1) / configuration.pageSize }

    /// Gives lease and pages back. Whatever was fed has been published before.
    func releasePages(of sequence: SequenceState, now: Double) {
        guard let lease = sequence.lease.take() else { return }
        cache.release(lease, held: &sequence.held, now: now)
    }

    /// Forgets a sequence that holds no pages any more.
    func end(_ sequence: SequenceState, _ reason: FinishReason) -> SchedulerEvent {
        sequences[sequence.number] = nil
        numbersByID[sequence.id] = nil
        return event(sequence, .finished(reason, sequence.usage))
    }

    func event(_ sequence: SequenceState, _ event: GenerationEvent) -> SchedulerEvent {
        SchedulerEvent(sequence: sequence.number, requestID: sequence.id, event: event)
    }
}
