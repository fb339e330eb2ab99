import EngineInterface
import Scheduling
import TestSupport
import Testing

/// Random traffic on a pool of few pages and a vocabulary so small that prefixes collide.
struct SchedulerPropertyTests {
    @Test(arguments: SchedulePolicy.allCases)
    func everyRequestGetsExactlyWhatItWouldGetAlone(policy: SchedulePolicy) {
        var totals = EngineStatistics()
        for seed in 0..<500 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var configuration = randomConfiguration(&random)
            configuration.policy = policy
            let (engine, statistics) = run(configuration, &random)
            totals.retractions += statistics.retractions
            totals.evictedPages += statistics.evictedPages
            totals.cachedPromptTokens += statistics.cachedPromptTokens
            totals.abortedRequests += statistics.abortedRequests
            if let breach = engine.breach {
                Issue.record("policy \(policy), seed \(seed): \(breach)")
                return
            }
        }
        #expect(totals.retractions > 200, "\(totals)")
        #expect(totals.evictedPages > 200)
        #expect(totals.cachedPromptTokens > 200)
        #expect(totals.abortedRequests > 200)
    }

    @Test func theSameHoldsWithoutAnyReuse() {
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var configuration = randomConfiguration(&random)
            configuration.disableRadixCache = true
            let (engine, statistics) = run(configuration, &random)
            #expect(statistics.cachedPromptTokens == 0 && statistics.cachedPages == 0 && engine.copies == 0)
            if let breach = engine.breach {
                Issue.record("seed \(seed): \(breach)")
                return
            }
        }
    }

    @Test func thePlanOfTheSameTrafficIsTheSame() {
        for policy in SchedulePolicy.allCases {
            for seed in 0..<20 as Range<UInt64> {
                var plans: [[StepPlan]] = []
                for _ in 0..<2 {
                    var random = SeededGenerator(seed: seed)
                    var configuration = randomConfiguration(&random)
                    configuration.policy = policy
                    let scheduler = Scheduler(configuration)
                    var made: [StepPlan] = []
                    for number in 0..<8 {
                        let prompt = randomPrompt(&random, configuration)
                        _ = try? scheduler.submit(request("\(number)", prompt, maxTokens: 6), now: 0)
                    }
                    while let plan = scheduler.plan(now: Double(made.count)) {
                        made.append(plan)
                        let samples = plan.entries.filter(\.samples).map {
                            StepResult.Sample(sequence: $0.sequence, token: GeneratedToken(id: 1))
                        }
                        _ = scheduler.commit(StepResult(samples: samples), now: Double(made.count))
                    }
                    plans.append(made)
                }
                #expect(plans[0] == plans[1], "policy \(policy), seed \(seed)")
            }
        }
    }

    private func run(
        _ configuration: SchedulerConfiguration, _ random: inout SeededGenerator
    ) -> (SimulatedEngine, EngineStatistics) {
        var engine = SimulatedEngine(configuration)
        var live: [String] = []
        for action in 0..<60 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                var wanted = request(
                    "\(action)", randomPrompt(&random, configuration),
                    namespace: Int.random(in: 0..<5, using: &random) == 0 ? "tenant" : "",
                    priority: Int.random(in: 0..<6, using: &random) == 0 ? 1 : 0)
                if Bool.random(using: &random) { wanted.sampling.maxTokens = Int.random(in: 1...12, using: &random) }
                if Int.random(in: 0..<4, using: &random) == 0 { wanted.sampling.ignoreEOS = true }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let start = Int.random(in: 0...wanted.prompt.count, using: &random)
                    wanted.promptLogprobs = PromptLogprobs(start: start)
                    if Bool.random(using: &random) { wanted.sampling.maxTokens = 0 }
                }
                if Int.random(in: 0..<4, using: &random) == 0 { wanted.sampling.stopTokenIDs = [2] }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    wanted.sampling.minTokens = min(4, wanted.sampling.maxTokens ?? 4)
                }
                do {
                    _ = try engine.submit(wanted)
                    live.append(wanted.id)
                } catch RequestError.queueFull {
                } catch {
                    engine.fail("refused: \(error)")
                }
            case 4:
                if let id = live.randomElement(using: &random) { engine.abort(id) }
            case 5:
                let idle = !engine.scheduler.hasWork
                if engine.scheduler.flush() != idle { engine.fail("flush") }
                if idle, engine.scheduler.statistics.freePages != configuration.totalPages {
                    engine.fail("flush left pages")
                }
            default:
                engine.step()
            }
            if engine.breach != nil { return (engine, engine.scheduler.statistics) }
        }
        engine.finish(limit: 5000)
        engine.checkOutputs()
        let statistics = engine.scheduler.statistics
        if statistics.leasedPages != 0 { engine.fail("\(statistics.leasedPages) pages are still leased") }
        if statistics.finishedRequests + statistics.abortedRequests != engine.requests.count { engine.fail("endings") }
        return (engine, statistics)
    }

    private func randomConfiguration(_ random: inout SeededGenerator) -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(
            totalPages: Int.random(in: 4...24, using: &random), contextLength: Int.random(in: 12...40, using: &random),
            vocabularySize: 3)
        configuration.pageSize = Int.random(in: 1...5, using: &random)
        configuration.maxRunningRequests = Int.random(in: 1...8, using: &random)
        configuration.maxQueuedRequests = Int.random(in: 1...20, using: &random)
        configuration.chunkedPrefillSize = Int.random(in: 1...12, using: &random)
        configuration.maxBatchTokens = configuration.chunkedPrefillSize + configuration.maxRunningRequests
        configuration.decodeHeadroomTokens = Int.random(in: 0...6, using: &random)
        configuration.inFlightMinimumTokens = Int.random(in: 1...4, using: &random)
        configuration.agingSeconds = 0.1
        configuration.endOfSequenceIDs = Bool.random(using: &random) ? [0] : []
        configuration.randomSeed = 1
        return configuration
    }

    private func randomPrompt(_ random: inout SeededGenerator, _ configuration: SchedulerConfiguration) -> [Int32] {
        let longest = min(configuration.contextLength - 1, configuration.totalPages * configuration.pageSize)
        let length = Int.random(in: 1...longest, using: &random)
        // Mostly one token, so that long prefixes are shared.
        return (0..<length).map { _ in Int.random(in: 0..<6, using: &random) == 0 ? 2 : 1 }
    }
}
