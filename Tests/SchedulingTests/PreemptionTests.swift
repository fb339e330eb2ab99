import EngineInterface
import Scheduling
import TestSupport
import Testing

/// Urgent requests stop others, which lose time and nothing else.
struct PreemptionTests {
    private func configuration(
        pages: Int = 40, running: Int = 2, threshold: Int? = 10
    ) -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(totalPages: pages, contextLength: 400, vocabularySize: 5000)
        configuration.pageSize = 4
        configuration.maxRunningRequests = running
        configuration.chunkedPrefillSize = 64
        configuration.maxBatchTokens = 64 + running
        configuration.decodeHeadroomTokens = 4
        configuration.preemptionThreshold = threshold
        return configuration
    }

    private func prompt(_ length: Int, _ first: Int32) -> [Int32] { (0..<Int32(length)).map { first + $0 } }

    @Test func anUrgentRequestGetsARowAtOnce() throws {
        for threshold in [nil, 10, 11] as [Int?] {
            var engine = SimulatedEngine(configuration(threshold: threshold))
            let low = try engine.submit(request("low", prompt(20, 0), maxTokens: 30, priority: 0))
            let middle = try engine.submit(request("middle", prompt(20, 100), maxTokens: 30, priority: 5))
            for _ in 0..<5 { engine.step() }
            let urgent = try engine.submit(request("urgent", prompt(20, 200), maxTokens: 3, priority: 10))
            engine.step()
            let isStarted = engine.startSteps[urgent] != nil
            #expect(isStarted == (threshold == 10))
            #expect(engine.scheduler.statistics.preemptions == (threshold == 10 ? 1 : 0))
            let before = engine.rows
            engine.finish()
            engine.checkOutputs()
            #expect(engine.breach == nil, "\(engine.breach ?? "")")
            #expect(engine.endings.count == 3 && engine.reports.count == 3)
            if threshold == 10 {
                // The least urgent was stopped, and resumed without computing anything again but its last token.
                #expect((engine.outputs[low]?.count, engine.outputs[middle]?.count) == (30, 30))
                #expect(engine.rows - before <= 2 + 25 + 25 + 1)
            }
        }
    }

    @Test func anUrgentRequestGetsPages() throws {
        var engine = SimulatedEngine(configuration(pages: 20, running: 8))
        for number in 0..<4 {
            _ = try engine.submit(request("\(number)", prompt(12, Int32(number) * 100), maxTokens: 4, priority: 0))
        }
        engine.step()
        let urgent = try engine.submit(request("urgent", prompt(60, 1000), maxTokens: 2, priority: 20))
        engine.step()
        #expect(engine.startSteps[urgent] != nil)
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    /// However many urgent ones come, who was stopped three times is not stopped again.
    @Test func nobodyIsStoppedForEver() throws {
        var engine = SimulatedEngine(configuration(running: 1))
        let low = try engine.submit(request("low", prompt(20, 0), maxTokens: 40))
        engine.step()
        for number in 0..<30 {
            _ = try engine.submit(
                request("urgent \(number)", prompt(9, 500), maxTokens: 2, priority: 100))
            for _ in 0..<4 { engine.step() }
        }
        engine.finish()
        engine.checkOutputs()
        #expect(engine.scheduler.statistics.preemptions == 3)
        #expect(engine.outputs[low]?.count == 40)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func randomPrioritiesChangeNobodysTokens() {
        var preemptions = 0
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var configuration = configuration(
                pages: Int.random(in: 8...30, using: &random), running: Int.random(in: 1...5, using: &random),
                threshold: Int.random(in: 1...3, using: &random))
            configuration.agingSeconds = 0.1
            configuration.policy = SchedulePolicy.allCases.randomElement(using: &random) ?? .lpm
            var engine = SimulatedEngine(configuration)
            for number in 0..<40 {
                let length = Int.random(in: 1...30, using: &random)
                let wanted = request(
                    "\(number)", (0..<length).map { _ in Int.random(in: 0..<6, using: &random) == 0 ? 2 : 1 },
                    maxTokens: Int.random(in: 1...12, using: &random),
                    priority: Int.random(in: -3...3, using: &random))
                _ = try? engine.submit(wanted)
                for _ in 0..<Int.random(in: 0...3, using: &random) { engine.step() }
            }
            engine.finish(limit: 5000)
            engine.checkOutputs()
            preemptions += engine.scheduler.statistics.preemptions
            if let breach = engine.breach {
                Issue.record("seed \(seed): \(breach)")
                return
            }
        }
        #expect(preemptions > 200, "\(preemptions)")
    }
}
