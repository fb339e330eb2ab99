import EngineInterface
import Scheduling
import Testing

/// When pages run out.
struct PressureTests {
    private func configuration(pages: Int, pageSize: Int = 4) -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(totalPages: pages, contextLength: 1000, vocabularySize: 5000)
        configuration.pageSize = pageSize
        configuration.maxRunningRequests = 8
        configuration.chunkedPrefillSize = 64
        configuration.maxBatchTokens = 72
        configuration.decodeHeadroomTokens = 0
        return configuration
    }

    private func prompt(_ length: Int, _ first: Int32) -> [Int32] { (0..<Int32(length)).map { first + $0 } }

    @Test func theYoungestIsRetractedAndGoesOnWhereItWas() throws {
        var engine = SimulatedEngine(configuration(pages: 20))
        let old = try engine.submit(request("old", prompt(20, 0), maxTokens: 40))
        let young = try engine.submit(request("young", prompt(20, 100), maxTokens: 40))
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        let statistics = engine.scheduler.statistics
        #expect(statistics.retractions >= 1)
        #expect(engine.endings[old] == .length && engine.endings[young] == .length)
        #expect(engine.outputs[young]?.count == 40)
        // 2 × (20 + 39) rows are needed; resuming may cost what was evicted meanwhile, not everything.
        #expect(engine.rows < 2 * 59 + 59, "\(engine.rows) rows")
    }

    /// Pool sizes at which the request fills the last page, with a cache full of others' pages and of half of its own
    /// prefix: nothing may be held that it does not need.
    @Test(arguments: [1, 2, 3, 4, 16])
    func whatFitsThePoolByItselfRuns(pageSize: Int) throws {
        for cachedPart in 0...20 {
            let pages = (20 + 11 + pageSize - 1) / pageSize
            var engine = SimulatedEngine(configuration(pages: pages, pageSize: pageSize))
            if cachedPart > 0 { _ = try engine.submit(request("a", prompt(cachedPart, 0) + [999], maxTokens: 1)) }
            engine.finish()
            _ = try engine.submit(request("b", prompt(20, 0), maxTokens: 12))
            engine.finish()
            engine.checkOutputs()
            #expect(engine.breach == nil, "\(engine.breach ?? "") page size \(pageSize), \(cachedPart) cached")
            #expect(engine.scheduler.statistics.retractions == 0)
        }
    }

    @Test func outputIsClippedToWhatThePoolHolds() throws {
        var engine = SimulatedEngine(configuration(pages: 5))
        let number = try engine.submit(request("a", prompt(18, 0)))
        engine.finish()
        // 20 slots: 18 for the prompt, 2 for generated tokens, and the last one is never fed.
        #expect(engine.outputs[number]?.count == 3 && engine.endings[number] == .length)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func admissionKeepsRoomForThoseWhoRun() throws {
        var wanted = configuration(pages: 20)
        wanted.decodeHeadroomTokens = 40
        var engine = SimulatedEngine(wanted)
        for number in 0..<4 {
            _ = try engine.submit(request("\(number)", prompt(20, Int32(number) * 100), maxTokens: 20))
        }
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        #expect(engine.scheduler.statistics.retractions == 0)
    }

    @Test func pagesComeBackWhateverPhaseAnAbortFinds() throws {
        var engine = SimulatedEngine(configuration(pages: 60))
        for (number, length) in [100, 20, 20].enumerated() {
            _ = try engine.submit(request("\(number)", prompt(length, Int32(number) * 200), maxTokens: 30))
        }
        engine.step()
        engine.abort("0")
        for _ in 0..<3 { engine.step() }
        engine.abort("1")
        engine.abort("nobody")
        _ = try engine.submit(request("3", prompt(20, 900), maxTokens: 30))
        engine.abort("3")
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        let statistics = engine.scheduler.statistics
        #expect(statistics.leasedPages == 0 && statistics.abortedRequests == 3 && statistics.finishedRequests == 1)
        #expect(engine.scheduler.flush())
        #expect(engine.scheduler.statistics.freePages == 60)
    }
}
