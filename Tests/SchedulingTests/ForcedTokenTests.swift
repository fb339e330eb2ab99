import EngineInterface
import Scheduling
import Testing

/// Tokens that a constraint forces are appended with the sampled one and fed in one step.
struct ForcedTokenTests {
    private func scheduler() -> Scheduler {
        var configuration = SchedulerConfiguration(totalPages: 8, contextLength: 40, vocabularySize: 10)
        configuration.pageSize = 4
        configuration.endOfSequenceIDs = [7]
        return Scheduler(configuration)
    }

    private func run(
        maxTokens: Int, _ samples: [(token: Int32, forced: [Int32], isComplete: Bool)]
    ) throws -> (events: [GenerationEvent], fed: [[Int32]], scheduler: Scheduler) {
        let scheduler = scheduler()
        let number = try scheduler.submit(request("a", [1, 2, 3], maxTokens: maxTokens), now: 0)
        var events: [GenerationEvent] = []
        var fed: [[Int32]] = []
        for sample in samples {
            guard let plan = scheduler.plan(now: 0) else { break }
            fed += plan.entries.map(\.tokens)
            let result = StepResult.Sample(
                sequence: number, token: GeneratedToken(id: sample.token), forced: sample.forced,
                isComplete: sample.isComplete)
            events += scheduler.commit(StepResult(samples: [result]), now: 0).map(\.event)
            #expect(scheduler.checkInvariants() == [])
        }
        return (events, fed, scheduler)
    }

    private func ids(_ events: [GenerationEvent]) -> [Int32] {
        events.compactMap { if case .token(let token) = $0 { token.id } else { nil } }
    }

    @Test func theyAreFedTogether() throws {
        let (events, fed, scheduler) = try run(maxTokens: 20, [(4, [5, 6, 8], false), (9, [], true)])
        #expect(fed == [[1, 2, 3], [4, 5, 6, 8]])
        #expect(ids(events) == [4, 5, 6, 8, 9])
        guard case .finished(.complete, let usage)? = events.last else {
            Issue.record("\(String(describing: events.last))")
            return
        }
        #expect(usage.completionTokens == 5 && usage.forcedTokens == 3)
        #expect(scheduler.statistics.forcedTokens == 3 && scheduler.statistics.generatedTokens == 5)
        #expect(scheduler.statistics.steps == 2)
    }

    @Test func theTokenLimitCutsThem() throws {
        let (events, _, _) = try run(maxTokens: 3, [(4, [5, 6, 8], true)])
        #expect(ids(events) == [4, 5, 6])
        guard case .finished(.length, _)? = events.last else {
            Issue.record("\(String(describing: events.last))")
            return
        }
    }

    @Test func aTextThatIsCompleteAtTheLimitWasNotCut() throws {
        let (events, _, _) = try run(maxTokens: 3, [(4, [5, 6], true)])
        guard case .finished(.complete, _)? = events.last else {
            Issue.record("\(String(describing: events.last))")
            return
        }
    }
}
