import EngineInterface
import Scheduling
import Testing

/// What is refused at submission, and when a generation ends.
struct EndingTests {
    private func configuration() -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(totalPages: 8, contextLength: 40, vocabularySize: 10)
        configuration.pageSize = 4
        configuration.endOfSequenceIDs = [7]
        return configuration
    }

    private func refusal(_ request: GenerationRequest, _ scheduler: Scheduler) -> RequestError? {
        do throws(RequestError) {
            _ = try scheduler.submit(request, now: 0)
            return nil
        } catch { return error }
    }

    @Test func whatCanNeverRunIsRefusedWithTheReason() {
        let scheduler = Scheduler(configuration())
        let long = Array(repeating: Int32(1), count: 40)
        #expect(refusal(request("a", []), scheduler) == .emptyPrompt)
        #expect(refusal(request("a", [1, 10]), scheduler) == .tokenOutOfRange(id: 10, vocabularySize: 10))
        #expect(refusal(request("a", [-1]), scheduler) == .tokenOutOfRange(id: -1, vocabularySize: 10))
        #expect(
            refusal(request("a", long, maxTokens: 3), scheduler)
                == .contextLengthExceeded(promptTokens: 40, maxNewTokens: 3, contextLength: 40))
        #expect(
            refusal(request("a", Array(long.prefix(33))), scheduler) == .poolTooSmall(promptTokens: 33, poolTokens: 32))
        #expect(refusal(request("a", Array(long.prefix(32))), scheduler) == nil)
        #expect(refusal(request("a", [1]), scheduler) == .duplicateID("a"))
        _ = scheduler.abort(requestID: "a", now: 0)
        #expect(refusal(request("a", [1]), scheduler) == nil, "the id is free again")
    }

    @Test func theQueueIsBounded() {
        var limits = configuration()
        limits.maxRunningRequests = 2
        limits.maxQueuedRequests = 3
        let scheduler = Scheduler(limits)
        for number in 0..<5 { #expect(refusal(request("\(number)", [1]), scheduler) == nil) }
        #expect(refusal(request("5", [1]), scheduler) == .queueFull(limit: 3))
        #expect(scheduler.statistics.waitingRequests == 5)
    }

    /// Commits the given tokens one after the other and returns all events of the request.
    private func events(_ tokens: [Int32], _ change: (inout SamplingParameters) -> Void) throws -> [GenerationEvent] {
        let scheduler = Scheduler(configuration())
        var wanted = request("a", [1, 2, 3])
        change(&wanted.sampling)
        let number = try scheduler.submit(wanted, now: 0)
        var events: [GenerationEvent] = []
        for token in tokens {
            guard scheduler.plan(now: 0) != nil else { break }
            let sample = StepResult.Sample(sequence: number, token: GeneratedToken(id: token))
            events += scheduler.commit(StepResult(samples: [sample]), now: 0).map(\.event)
        }
        return events
    }

    private func ending(_ events: [GenerationEvent]) -> FinishReason? {
        if case .finished(let reason, _) = events.last { return reason }
        return nil
    }

    @Test func endIDsEndAndAreDelivered() throws {
        let plain = try events([4, 7, 5]) { _ in }
        var report = CacheReport(promptTokens: 3, cachedTokens: 0)
        report.missed = [MissedTokens(reason: .firstSeen, tokens: 3)]
        #expect(
            plain == [
                .started(report), .token(GeneratedToken(id: 4)),
                .token(GeneratedToken(id: 7)),
                .finished(.stopToken(7), GenerationUsage(promptTokens: 3, completionTokens: 2, cachedTokens: 0)),
            ])
        #expect(ending(try events([4, 7, 5]) { $0.ignoreEOS = true }) == nil)
        #expect(ending(try events([4, 7, 5]) { $0.stopTokenIDs = [4] }) == .stopToken(4))
        #expect(ending(try events([7, 4]) { $0.stopTokenIDs = [4] }) == .stopToken(7))
        #expect(
            ending(
                try events([7, 4]) {
                    $0.stopTokenIDs = [4]; $0.ignoreEOS = true
                }) == .stopToken(4))
        #expect(ending(try events([4, 4, 7]) { $0.maxTokens = 2 }) == .length)
        #expect(ending(try events([4, 7]) { $0.maxTokens = 2 }) == .stopToken(7))
    }

    @Test func theContextIsTheLastLimit() throws {
        // 8 pages of 4 hold the context of 30 tokens.
        var limits = configuration()
        limits.contextLength = 30
        var engine = SimulatedEngine(limits)
        let number = try engine.submit(request("a", [1, 2, 3], maxTokens: 500))
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        #expect(engine.endings[number] != nil && (engine.outputs[number]?.count ?? 0) <= 27)
    }

    @Test func endIDsAreForbiddenBelowTheMinimum() throws {
        let scheduler = Scheduler(configuration())
        var wanted = request("a", [1, 2, 3])
        wanted.sampling.minTokens = 2
        wanted.sampling.stopTokenIDs = [5]
        let number = try scheduler.submit(wanted, now: 0)
        var forbidden: [Set<Int32>] = []
        var seen: [[Int32]] = []
        for token: Int32 in [4, 6, 3] {
            _ = scheduler.plan(now: 0)
            let state = scheduler.samplingState(of: number)
            forbidden.append(state.forbiddenTokenIDs)
            seen.append(state.generated)
            let sample = StepResult.Sample(sequence: number, token: GeneratedToken(id: token))
            _ = scheduler.commit(StepResult(samples: [sample]), now: 0)
        }
        #expect(forbidden == [[5, 7], [5, 7], []])
        #expect(seen == [[], [4], [4, 6]])
    }

    @Test func anIdleSchedulerPlansNothing() {
        let scheduler = Scheduler(configuration())
        #expect(scheduler.plan(now: 0) == nil && !scheduler.hasWork && scheduler.takeEvents() == [])
        #expect(scheduler.abort(requestID: "a", now: 0) == [])
        #expect(scheduler.flush())
    }
}
