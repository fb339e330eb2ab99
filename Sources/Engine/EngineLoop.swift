import Compute
import EngineInterface
import PrefixCache
import Scheduling

/// Plan, forward, sample, commit, until told to end. Owns all mutable state of the engine; runs on the engine thread.
final class EngineLoop {
    private let scheduler: Scheduler
    private let runner: ModelRunner
    private let backend: any Backend
    private let mailbox: Mailbox
    private let live: LiveRequests
    /// Keys and values of one token.
    private let bytesPerToken: Int
    private let tiers: TierDriver?
    /// By the scheduler's number of the sequence.
    private var owners: [Int: Owner] = [:]
    private var sequencesByTicket: [Int: Int] = [:]
    private var isEnding = false
    private var isPaused = false
    private var shutdowns: [CheckedContinuation<Void, Never>] = []

    /// Who is told about a sequence.
    private struct Owner {
        var requestID: String
        var ticket: Int
        var stream: AsyncStream<GenerationEvent>.Continuation
    }

    init(
        scheduler: Scheduler, runner: ModelRunner, backend: any Backend, mailbox: Mailbox, live: LiveRequests,
        bytesPerToken: Int, tiers: TierDriver?
    ) {
        self.tiers = tiers
        self.scheduler = scheduler
        self.runner = runner
        self.backend = backend
        self.mailbox = mailbox
        self.live = live
        self.bytesPerToken = bytesPerToken
    }

    func run() {
        let clock = ContinuousClock()
        let start = clock.now
        var now: Double { start.duration(to: clock.now) / .seconds(1) }
        let trace = runner.trace
        while true {
            for command in mailbox.drain() { obey(command, now: now) }
            // Whoever waits for the end must not wait for a pause.
            let isStopped = isPaused && !isEnding
            let plan = isStopped ? nil : trace.measure("plan", nil, { scheduler.plan(now: now) })
            // Before the step writes to pages that have just been freed.
            tiers?.carryOut(scheduler.takeTierOrders(), scheduler)
            guard let plan else {
                if isEnding, !scheduler.hasWork { break }
                if runner.warm(beyond: scheduler.usedPages) { continue }
                mailbox.waitForCommand(
                    atMost: isStopped ? nil : scheduler.nextDeadline.map { max(0.001, $0 - now) })
                continue
            }
            deliver(scheduler.takeEvents())
            let begin = now
            backend.beginStep()
            let result = runner.run(plan, scheduler: scheduler)
            backend.endStep()
            let end = now
            scheduler.noteStep(rows: plan.rowCount, prefillRows: plan.prefillRowCount, seconds: end - begin)
            deliver(trace.measure("commit") { scheduler.commit(result, now: end) })
            tiers?.carryOut(scheduler.takeTierOrders(), scheduler)
        }
        tiers?.finish(scheduler)
        for command in mailbox.close() { refuse(command) }
        for continuation in shutdowns { continuation.resume() }
    }

    private func obey(_ command: Mailbox.Command, now: Double) {
        switch command {
        case .submit(let request, let stream, let ticket):
            do {
                let sequence = try scheduler.submit(request, now: now)
                owners[sequence] = Owner(requestID: request.id, ticket: ticket, stream: stream)
                sequencesByTicket[ticket] = sequence
            } catch {
                end(stream, .failed(error), promptTokens: request.prompt.count)
            }
        case .abort(let id): deliver(scheduler.abort(requestID: id, now: now))
        case .drop(let ticket):
            // A ticket that is known is a live request's, and of those each id is unique.
            guard let sequence = sequencesByTicket[ticket], let owner = owners[sequence] else { return }
            deliver(scheduler.abort(requestID: owner.requestID, now: now))
        case .probed(let fetch, let tiers, let seconds):
            scheduler.probed(fetch: fetch, tiers: tiers, seconds: seconds, now: now)
        case .loaded(let fetch, let pages, let seconds):
            scheduler.loaded(fetch: fetch, pages: pages, seconds: seconds, now: now)
            tiers?.forget(fetch: fetch)
        case .flush(let answer): answer.resume(returning: scheduler.flush(now: now))
        case .statistics(let answer): answer.resume(returning: statistics)
        case .pause(let mode, let answer):
            pause(mode, now: now)
            answer.resume()
        case .resume: isPaused = false
        case .startProfile: runner.trace.begin()
        case .stopProfile(let answer): answer.resume(returning: runner.trace.end())
        case .probe(let prompt, let namespace, let answer):
            answer.resume(
                returning: scheduler.probe(prompt, namespace: Namespace(salt: namespace), now: now))
        case .prefixes(let order, let limit, let previewTokens, let answer):
            answer.resume(
                returning: scheduler.prefixes(
                    order, limit: limit, previewTokens: previewTokens, bytesPerToken: bytesPerToken, now: now))
        case .pins(let answer): answer.resume(returning: scheduler.pinned(now: now))
        case .unpin(let id, let answer): answer.resume(returning: scheduler.unpin(id: id, now: now))
        case .shutdown(let answer):
            isEnding = true
            if let answer { shutdowns.append(answer) }
        }
    }

    private func pause(_ mode: PauseMode, now: Double) {
        isPaused = true
        switch mode {
        case .abort:
            for owner in owners.values.sorted(by: { $0.ticket < $1.ticket }) {
                deliver(scheduler.abort(requestID: owner.requestID, now: now))
            }
        case .retract: scheduler.retractAll(now: now)
        case .inPlace: break
        }
    }

    private var statistics: EngineStatistics {
        var result = scheduler.statistics
        tiers?.complete(&result)
        return result
    }

    private func deliver(_ events: [SchedulerEvent]) {
        for event in events {
            guard let owner = owners[event.sequence] else { continue }
            guard case .finished = event.event else {
                owner.stream.yield(event.event)
                continue
            }
            owners[event.sequence] = nil
            sequencesByTicket[owner.ticket] = nil
            runner.forget(sequence: event.sequence)
            // First, so that whoever answers the last event with a new request finds room.
            live.leave()
            owner.stream.yield(event.event)
            owner.stream.finish()
        }
    }

    /// Commands that arrived after the last look into the mailbox still get their answer.
    private func refuse(_ command: Mailbox.Command) {
        switch command {
        case .submit(let request, let stream, _):
            end(stream, .failed(.shuttingDown), promptTokens: request.prompt.count)
        case .abort, .drop, .resume, .startProfile, .probed, .loaded: break
        case .pause(_, let answer): answer.resume()
        case .stopProfile(let answer): answer.resume(returning: runner.trace.end())
        case .flush(let answer): answer.resume(returning: false)
        case .statistics(let answer): answer.resume(returning: statistics)
        case .probe(let prompt, _, let answer):
            answer.resume(returning: CacheReport(promptTokens: prompt.count, cachedTokens: 0))
        case .prefixes(_, _, _, let answer): answer.resume(returning: [])
        case .pins(let answer): answer.resume(returning: [])
        case .unpin(_, let answer): answer.resume(returning: false)
        case .shutdown(let answer): answer?.resume()
        }
    }

    private func end(
        _ stream: AsyncStream<GenerationEvent>.Continuation, _ reason: FinishReason, promptTokens: Int
    ) {
        live.leave()
        stream.yield(
            .finished(reason, GenerationUsage(promptTokens: promptTokens, completionTokens: 0, cachedTokens: 0)))
        stream.finish()
    }
}
