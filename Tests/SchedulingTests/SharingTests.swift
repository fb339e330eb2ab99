import EngineInterface
import Scheduling
import Testing

/// No token of a shared prefix is computed twice: rows fed are counted.
struct SharingTests {
    private func engine(
        pages: Int = 1000, chunk: Int = 128, _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> SimulatedEngine {
        var configuration = SchedulerConfiguration(totalPages: pages, contextLength: 4096, vocabularySize: 5000)
        configuration.chunkedPrefillSize = chunk
        configuration.maxRunningRequests = 32
        configuration.maxBatchTokens = chunk + 32
        change(&configuration)
        return SimulatedEngine(configuration)
    }

    private func document(_ length: Int, from first: Int32 = 0) -> [Int32] { (0..<Int32(length)).map { first + $0 } }

    /// Document lengths around multiples of the chunk: also the last few tokens are computed once only.
    @Test(arguments: [1000, 1023, 1024, 1025, 1040, 130, 17])
    func fiveQuestionsAtOnceOnANewDocumentComputeItOnce(length: Int) throws {
        var engine = engine()
        let questions = (0..<5).map { [Int32(4000 + $0), 4100, 4101, 4102] }
        for (number, question) in questions.enumerated() {
            _ = try engine.submit(request("\(number)", document(length) + question, maxTokens: 1))
        }
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        #expect(engine.rows == length + 5 * 4)
        #expect((1..<5).allSatisfy { engine.reports[$0]?.cachedTokens == length })
    }

    @Test(arguments: [3, 40, 500])
    func identicalPromptsAtOnceComputeOneAndTheLastTokenOfTheOthers(length: Int) throws {
        var engine = engine()
        for number in 0..<16 { _ = try engine.submit(request("\(number)", document(length), maxTokens: 1)) }
        engine.finish()
        engine.checkOutputs()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        #expect(engine.rows == length + 15)
    }

    @Test func aRepeatedPromptRecomputesOnlyItsLastToken() throws {
        var engine = engine()
        for turn in 0..<3 {
            let before = engine.rows
            let number = try engine.submit(request("\(turn)", document(501), maxTokens: 1))
            engine.finish()
            #expect(engine.rows - before == (turn == 0 ? 501 : 1))
            let report = try #require(engine.reports[number])
            #expect(report.cachedTokens == (turn == 0 ? 0 : 500))
            #expect(
                report.missed == [
                    turn == 0
                        ? MissedTokens(reason: .firstSeen, tokens: 501) : MissedTokens(reason: .lastToken, tokens: 1)
                ])
        }
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func theNextTurnReusesWhatWasGenerated() throws {
        var engine = engine()
        var conversation = document(100)
        var generatedBefore = 0
        for turn in 0..<5 {
            let number = try engine.submit(request("\(turn)", conversation, maxTokens: 21))
            engine.finish()
            // All but the last sampled token, which was never fed, and what is new in this turn.
            if turn > 0 {
                #expect(engine.reports[number]?.cachedTokens == conversation.count - 8)
                #expect(generatedBefore == 21)
            }
            let output = try #require(engine.outputs[number])
            generatedBefore = output.count
            conversation += output + document(7, from: 4000 + Int32(turn) * 10)
        }
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        // One page table's worth of pages: earlier half pages were replaced, not kept beside.
        let fed = conversation.count - 8
        #expect(engine.scheduler.statistics.cachedPages == (fed + 15) / 16)
    }

    @Test func whoWaitedGoesOnWhenTheComputingRequestIsAborted() throws {
        var engine = engine()
        for number in 0..<4 {
            _ = try engine.submit(request("\(number)", document(1000) + [Int32(4000 + number)], maxTokens: 1))
        }
        engine.step()
        engine.step()
        #expect(engine.rows == 256 && engine.scheduler.statistics.runningRequests == 1)
        engine.abort("0")
        engine.step()
        #expect(engine.rows == 384, "the next one continues where the aborted one stopped")
        #expect(engine.reports[1]?.cachedTokens == 256)
        #expect(engine.reports[1]?.awaitedTokens == 256, "it came before anything of it was computed")
        engine.finish()
        engine.checkOutputs()
        #expect(engine.endings[0] == .aborted)
        #expect(engine.rows == 1000 + 3, "the document once, and each question")
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func tenantsWithDifferentSaltsShareNothingAndDoNotWaitForEachOther() throws {
        var engine = engine(chunk: 512)
        for number in 0..<2 {
            _ = try engine.submit(request("\(number)", document(100), maxTokens: 1, namespace: "tenant \(number)"))
        }
        engine.step()
        #expect(engine.rows == 200 && engine.endings.count == 2)
        #expect(engine.reports[1]?.cachedTokens == 0)
    }

    /// A few tokens in common are no reason to lose a step.
    @Test func aShortCommonBeginningIsNotWaitedFor() throws {
        var engine = engine()
        for number in 0..<3 {
            _ = try engine.submit(
                request("\(number)", [1, 2, 3] + document(30, from: Int32(number) * 100 + 50), maxTokens: 1))
        }
        engine.step()
        #expect(engine.endings.count == 3)
    }

    @Test func withoutTheCacheEverythingIsComputedAndNothingWaits() throws {
        var engine = engine(chunk: 512) { $0.disableRadixCache = true }
        for number in 0..<4 { _ = try engine.submit(request("\(number)", document(100), maxTokens: 1)) }
        engine.step()
        #expect(engine.rows == 400 && engine.endings.count == 4)
        #expect(engine.scheduler.statistics.freePages == 1000)
    }
}
