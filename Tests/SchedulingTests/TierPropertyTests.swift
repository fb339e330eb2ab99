import EngineInterface
import PrefixCache
import Scheduling
import TestSupport
import Testing

/// Random traffic with lower tiers that are late, forgetful and faulty: nobody gets another token than alone.
struct TierPropertyTests {
    @Test(arguments: TierWritePolicy.allCases)
    func everyRequestGetsExactlyWhatItWouldGetAlone(policy: TierWritePolicy) {
        var loaded = 0
        var failed = 0
        var cancelled = 0
        var hits = 0
        for seed in 0..<500 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let configuration = randomConfiguration(&random, policy)
            var tiers = SimulatedTiers(tiers: configuration.tiers?.names.count ?? 1, seed: seed)
            // The second server starts with an empty pool and what the first one left in the tiers.
            for life in 0..<2 {
                var engine = SimulatedEngine(configuration, tiers: tiers)
                drive(&engine, &random)
                engine.settleTiers()
                let statistics = engine.scheduler.statistics
                if statistics.leasedPages != 0 { engine.fail("\(statistics.leasedPages) pages are still leased") }
                hits += statistics.tiers.reduce(0) { $0 + $1.hitTokens }
                guard let after = engine.tiers else { return }
                tiers = after
                if let breach = engine.breach {
                    Issue.record("policy \(policy), seed \(seed), life \(life): \(breach)")
                    return
                }
            }
            loaded += tiers.loaded
            failed += tiers.failedLoads
            cancelled += tiers.cancelled
        }
        #expect(loaded > 200 && failed > 50 && cancelled > 20 && hits > 200, "\(loaded) \(failed) \(cancelled) \(hits)")
    }

    private func drive(_ engine: inout SimulatedEngine, _ random: inout SeededGenerator) {
        let configuration = engine.configuration
        var live: [String] = []
        for action in 0..<50 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let longest = min(configuration.contextLength - 1, configuration.totalPages * configuration.pageSize)
                let prompt = (0..<Int.random(in: 1...longest, using: &random)).map { _ in
                    Int.random(in: 0..<8, using: &random) == 0 ? 2 : 1 as Int32
                }
                let wanted = request(
                    "\(action)", prompt, maxTokens: Int.random(in: 1...10, using: &random),
                    namespace: Int.random(in: 0..<5, using: &random) == 0 ? "tenant" : "")
                if (try? engine.submit(wanted)) != nil { live.append(wanted.id) }
            case 4:
                if let id = live.randomElement(using: &random) { engine.abort(id) }
            case 5:
                _ = engine.scheduler.flush()
            default:
                engine.step()
            }
            if engine.breach != nil { return }
        }
        engine.finish(limit: 5000)
        engine.checkOutputs()
    }

    private func randomConfiguration(
        _ random: inout SeededGenerator, _ policy: TierWritePolicy
    ) -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(
            totalPages: Int.random(in: 4...20, using: &random), contextLength: Int.random(in: 12...40, using: &random),
            vocabularySize: 3)
        configuration.pageSize = Int.random(in: 1...5, using: &random)
        configuration.maxRunningRequests = Int.random(in: 1...6, using: &random)
        configuration.chunkedPrefillSize = Int.random(in: 1...12, using: &random)
        configuration.maxBatchTokens = configuration.chunkedPrefillSize + configuration.maxRunningRequests
        configuration.decodeHeadroomTokens = Int.random(in: 0...6, using: &random)
        configuration.inFlightMinimumTokens = Int.random(in: 1...4, using: &random)
        configuration.agingSeconds = 0.1
        configuration.endOfSequenceIDs = Bool.random(using: &random) ? [0] : []
        var settings = TierSettings(
            fingerprint: TierFingerprint(parts: [[1]]),
            names: Bool.random(using: &random) ? [.disk] : [.disk, .remote])
        settings.writePolicy = policy
        settings.patienceSeconds = 0.05
        configuration.tiers = settings
        return configuration
    }
}
