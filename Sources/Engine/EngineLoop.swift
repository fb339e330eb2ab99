import Compute
import EngineInterface
import Scheduling

/// Plan, forward, sample, commit, until told to end. Owns all mutable state of the engine; runs on the engine thread.
final class EngineLoop {
    private let scheduler: Scheduler
    private let runner: ModelRunner
    private let backend: any Backend
    private let mailbox: Mailbox
    private let live: LiveRequests
    private var streams: [Int: AsyncStream<GenerationEvent>.Continuation] = [:]
    private var shutdowns: [CheckedContinuation<Void, Never>] = []

    init(scheduler: Scheduler, runner: ModelRunner, backend: any Backend, mailbox: Mailbox, live: LiveRequests) {
        self.scheduler = scheduler
        self.runner = runner
        self.backend = backend
        self.mailbox = mailbox
        self.live = live
    }

    func run() {
        let clock = ContinuousClock()
        let start = clock.now
        var now: Double { start.duration(to: clock.now) / .seconds(1) }
        while true {
            for command in mailbox.drain() { obey(command, now: now) }
            guard let plan = scheduler.plan(now: now) else {
                if !shutdowns.isEmpty { break }
                mailbox.waitForCommand()
                continue
            }
            deliver(scheduler.takeEvents())
            backend.beginStep()
            let result = runner.run(plan, scheduler: scheduler)
            backend.endStep()
            deliver(scheduler.commit(result, now: now))
        }
        for command in mailbox.close() { refuse(command) }
        for continuation in shutdowns { continuation.resume() }
    }

    private func obey(_ command: Mailbox.Command, now: Double) {
        switch command {
        case .submit(let request, let stream):
            do {
                let sequence = try scheduler.submit(request, now: now)
                streams[sequence] = stream
            } catch {
                end(stream, .failed(error), promptTokens: request.prompt.count)
            }
        case .abort(let id): deliver(scheduler.abort(requestID: id, now: now))
        case .flush(let answer): answer.resume(returning: scheduler.flush())
        case .statistics(let answer): answer.resume(returning: scheduler.statistics)
        case .shutdown(let answer): shutdowns.append(answer)
        }
    }

    private func deliver(_ events: [SchedulerEvent]) {
        for event in events {
            guard let stream = streams[event.sequence] else { continue }
            stream.yield(event.event)
            if case .finished = event.event {
                stream.finish()
                streams[event.sequence] = nil
                runner.forget(sequence: event.sequence)
                live.leave()
            }
        }
    }

    /// Commands that arrived after the last look into the mailbox still get their answer.
    private func refuse(_ command: Mailbox.Command) {
        switch command {
        case .submit(let request, let stream):
            end(stream, .failed(.shuttingDown), promptTokens: request.prompt.count)
        case .abort: break
        case .flush(let answer): answer.resume(returning: false)
        case .statistics(let answer): answer.resume(returning: scheduler.statistics)
        case .shutdown(let answer): answer.resume()
        }
    }

    private func end(
        _ stream: AsyncStream<GenerationEvent>.Continuation, _ reason: FinishReason, promptTokens: Int
    ) {
        stream.yield(
            .finished(reason, GenerationUsage(promptTokens: promptTokens, completionTokens: 0, cachedTokens: 0)))
        stream.finish()
        live.leave()
    }
}
