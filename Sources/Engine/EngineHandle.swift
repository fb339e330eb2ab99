package import EngineInterface
import Scheduling
import Synchronization

/// The Sendable front of the engine: everything goes through the mailbox.
package final class EngineHandle: GenerationEngine {
    package let information: EngineInformation
    package let resolved: ResolvedConfiguration
    private let mailbox: Mailbox
    private let configuration: SchedulerConfiguration
    private let live: LiveRequests

    init(
        information: EngineInformation, resolved: ResolvedConfiguration, configuration: SchedulerConfiguration,
        mailbox: Mailbox, live: LiveRequests
    ) {
        self.information = information
        self.resolved = resolved
        self.configuration = configuration
        self.mailbox = mailbox
        self.live = live
    }

    /// Nobody can submit any more: the engine ends when the last stream has.
    deinit { _ = mailbox.post(.shutdown(nil)) }

    package func submit(_ request: GenerationRequest) throws(RequestError) -> AsyncStream<GenerationEvent> {
        var request = request
        request.sampling = try request.sampling.validated(vocabularySize: information.vocabularySize)
        try configuration.validate(request)
        let ticket = try live.enter()
        let (stream, continuation) = AsyncStream.makeStream(of: GenerationEvent.self)
        let mailbox = mailbox
        continuation.onTermination = { reason in
            // Whoever read the stream has gone: give the pages back.
            if case .cancelled = reason { _ = mailbox.post(.drop(ticket: ticket)) }
        }
        guard mailbox.post(.submit(request, continuation, ticket: ticket)) else {
            live.leave()
            throw .shuttingDown
        }
        return stream
    }

    package func abort(requestID: String) { _ = mailbox.post(.abort(requestID: requestID)) }

    package func flushCache() async -> Bool {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.flush(continuation)) { continuation.resume(returning: false) }
        }
    }

    package func statistics() async -> EngineStatistics {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.statistics(continuation)) { continuation.resume(returning: EngineStatistics()) }
        }
    }

    package func pause(_ mode: PauseMode) async {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.pause(mode, continuation)) { continuation.resume() }
        }
    }

    package func resume() { _ = mailbox.post(.resume) }

    package func startProfile() { _ = mailbox.post(.startProfile) }

    package func stopProfile() async -> [ProfileSpan] {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.stopProfile(continuation)) { continuation.resume(returning: []) }
        }
    }

    package func probeCache(_ prompt: [Int32], cacheNamespace: String) async -> CacheReport {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.probe(prompt, cacheNamespace: cacheNamespace, continuation)) {
                continuation.resume(returning: CacheReport(promptTokens: prompt.count, cachedTokens: 0))
            }
        }
    }

    package func cachedPrefixes(
        _ order: PrefixOrder, limit: Int, previewTokens: Int
    ) async -> [CachedPrefixInformation] {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.prefixes(order, limit: limit, previewTokens: previewTokens, continuation)) {
                continuation.resume(returning: [])
            }
        }
    }

    package func pins() async -> [PinnedPrefix] {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.pins(continuation)) { continuation.resume(returning: []) }
        }
    }

    package func unpin(id: String) async -> Bool {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.unpin(id: id, continuation)) { continuation.resume(returning: false) }
        }
    }

    package func shutdown() async {
        live.close()
        await withCheckedContinuation { continuation in
            if !mailbox.post(.shutdown(continuation)) { continuation.resume() }
        }
    }
}

/// Counts requests between submission and their last event, so that `submit` can refuse at once what would overflow
/// the queue, without asking the engine thread.
final class LiveRequests: Sendable {
    private let limit: Int
    private let queueLimit: Int
    private let state = Mutex((count: 0, open: true, tickets: 0))

    init(running: Int, queued: Int) {
        limit = running + queued
        queueLimit = queued
    }

    /// - Returns: a ticket that no other request has, whatever its id.
    func enter() throws(RequestError) -> Int {
        let (open, ticket): (Bool, Int?) = state.withLock { state in
            guard state.open, state.count < limit else { return (state.open, nil) }
            state.count += 1
            state.tickets += 1
            return (true, state.tickets)
        }
        guard open else { throw .shuttingDown }
        guard let ticket else { throw .queueFull(limit: queueLimit) }
        return ticket
    }

    func leave() { state.withLock { $0.count -= 1 } }

    func close() { state.withLock { $0.open = false } }
}
