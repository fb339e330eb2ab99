import EngineInterface
import PrefixCache
import Scheduling
import Testing

/// Every token that had to be computed has a reason.
struct ReportTests {
    private func engine(
        pages: Int = 200, _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> SimulatedEngine {
        var configuration = SchedulerConfiguration(totalPages: pages, contextLength: 4096, vocabularySize: 5000)
        configuration.chunkedPrefillSize = 128
        change(&configuration)
        return SimulatedEngine(configuration)
    }

    private func document(_ count: Int, from: Int32 = 0) -> [Int32] { Array(from..<from + Int32(count)) }

    private func report(
        _ prompt: [Int32], _ engine: inout SimulatedEngine, namespace: String = ""
    ) throws -> CacheReport {
        let probed = engine.scheduler.probe(prompt, namespace: Namespace(salt: namespace), now: engine.now)
        let number = try engine.submit(
            request("\(engine.requests.count)", prompt, maxTokens: 1, namespace: namespace))
        engine.finish()
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        let report = try #require(engine.reports[number])
        #expect(report.cachedTokens + report.missed.reduce(0) { $0 + $1.tokens } == prompt.count)
        #expect(report.tiers.reduce(0) { $0 + $1.tokens } == report.cachedTokens)
        #expect(probed == report, "a probe just before says the same")
        return report
    }

    @Test func firstSeenThenTheLastTokenThenWhatIsNew() throws {
        var engine = engine()
        #expect(try report(document(300), &engine).missed == [MissedTokens(reason: .firstSeen, tokens: 300)])
        #expect(try report(document(300), &engine).missed == [MissedTokens(reason: .lastToken, tokens: 1)])
        let longer = try report(document(300) + [4000, 4001], &engine)
        #expect(longer.cachedTokens == 300 && longer.missed == [MissedTokens(reason: .firstSeen, tokens: 2)])
        #expect(longer.divergence == nil)
        let counted = engine.scheduler.statistics
        #expect(counted.missedTokensByReason == [.firstSeen: 302, .lastToken: 1])
        #expect(counted.cachedTokensByTier == [.memory: 599])
    }

    @Test func aClockAtTheTopIsADivergenceWithMostOfThePromptBehindIt() throws {
        var engine = engine()
        let rest = document(400, from: 1000)
        _ = try report([1, 2, 3, 100, 101] + rest, &engine)
        let report = try report([1, 2, 3, 200, 201, 202] + rest, &engine)
        #expect(report.cachedTokens == 3)
        #expect(
            report.missed == [
                MissedTokens(reason: .diverged, tokens: 399), MissedTokens(reason: .firstSeen, tokens: 4),
            ], "the last token is always computed")
        let divergence = try #require(report.divergence)
        #expect(divergence.position == 3 && divergence.cached.starts(with: [100, 101, 1000]))
        #expect(divergence.differingPromptTokens == 3 && divergence.differingCachedTokens == 2)
    }

    @Test func evictionIsToldWithItsAge() throws {
        var engine = engine(pages: 30)
        _ = try report(document(300), &engine)
        _ = try report(document(400, from: 1000), &engine)
        engine.now += 7
        let report = try report(document(300), &engine)
        let evicted = try #require(report.missed.first { $0.reason == .evicted })
        #expect(evicted.tokens + report.cachedTokens >= 288 && evicted.tokens + report.cachedTokens <= 299)
        let ago = try #require(report.evictedSecondsAgo)
        #expect(ago >= 7 && ago < 9)
    }

    @Test func anotherSaltIsAReasonForOperatorsAndOnlyThePublicOneForTenants() throws {
        var engine = engine()
        _ = try report(document(100), &engine, namespace: "a")
        let secret = try report(document(100), &engine, namespace: "b")
        #expect(secret.missed.first == MissedTokens(reason: .saltDiffers, tokens: 99))
        #expect(secret.forTenant.missed == [MissedTokens(reason: .firstSeen, tokens: 100)])
        _ = try report(document(80, from: 2000), &engine)
        let open = try report(document(80, from: 2000), &engine, namespace: "b")
        #expect(open.forTenant.missed.first == MissedTokens(reason: .saltDiffers, tokens: 79))
    }

    @Test func tooLittleInFlightToWaitForIsTold() throws {
        var engine = engine { $0.inFlightMinimumTokens = 64 }
        let shared = document(20)
        _ = try engine.submit(request("a", shared + document(300, from: 1000), maxTokens: 1))
        engine.step()
        let first = try engine.submit(request("b", document(40, from: 3000), maxTokens: 1))
        engine.finish()
        #expect(engine.reports[first]?.missed == [MissedTokens(reason: .firstSeen, tokens: 40)])
        _ = try engine.submit(request("c", document(500, from: 3500) + [1], maxTokens: 1))
        let late = try engine.submit(request("d", document(30, from: 3500) + [2, 3, 4], maxTokens: 1))
        engine.finish()
        let report = try #require(engine.reports[late])
        #expect(report.cachedTokens + report.missed.reduce(0) { $0 + $1.tokens } == 33)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func prefixesAreRanked() throws {
        var engine = engine()
        for question in 0..<5 as Range<Int32> { _ = try report(document(200) + [3000 + question], &engine) }
        _ = try report(document(300, from: 1000), &engine)
        engine.scheduler.noteStep(rows: 100, prefillRows: 100, seconds: 0.5)
        let saved = engine.scheduler.prefixes(.saved, limit: 3, previewTokens: 4, bytesPerToken: 10, now: engine.now)
        let top = try #require(saved.first)
        #expect(top.prefixTokens == 192, "a lease splits at the page border")
        #expect(top.hits == 4 && top.savedTokens == 768 && abs(top.savedSeconds - 3.84) < 1e-9)
        #expect(top.head == [0, 1, 2, 3] && top.tail == [188, 189, 190, 191])
        let largest = engine.scheduler.prefixes(.tokens, limit: 1, previewTokens: 4, bytesPerToken: 10, now: 9)
        #expect(largest.count == 1 && largest[0].prefixTokens == 300 && largest[0].bytes == 304 * 10)
    }
}
