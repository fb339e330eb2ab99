import Engine
import EngineInterface
import PrefixCache
import TestSupport
import Testing

/// What the cache does changes times, never an answer: the same bits with it, without it, and when it has to forget.
struct CacheInvarianceTests {
    /// Prompts that share beginnings of all lengths, answers included, in bursts.
    private static func workload(seed: UInt64) -> [[GenerationRequest]] {
        var dice = SeededGenerator(seed: seed)
        var known: [[Int32]] = [Demo.prompt(90, seed: seed)]
        return (0..<6).map { round in
            (0..<5).map { place in
                let parent = known.randomElement(using: &dice) ?? []
                let kept = parent.prefix(Int.random(in: 0...min(parent.count, 150), using: &dice))
                let prompt = kept + Demo.prompt(Int.random(in: 1...60, using: &dice), seed: dice.next())
                known.append(Array(prompt))
                var request = Demo.request(
                    "\(round)-\(place)", Array(prompt), tokens: Int.random(in: 1...12, using: &dice)
                ) {
                    $0.topLogprobs = 3
                    if Bool.random(using: &dice) { ($0.temperature, $0.seed) = (0.8, dice.next()) }
                }
                request.priority = Int.random(in: 0...2, using: &dice)
                if Int.random(in: 0..<5, using: &dice) == 0 { request.cacheNamespace = "tenant" }
                if Int.random(in: 0..<6, using: &dice) == 0 {
                    request.pins = [PinRequest(id: "\(place)", timeToLive: Bool.random(using: &dice) ? 0.01 : nil)]
                }
                return request
            }
        }
    }

    private static func answers(
        _ seed: UInt64, _ change: (inout EngineConfiguration) -> Void
    ) async throws -> (bits: [[[UInt32]]], statistics: EngineStatistics) {
        let engine = try await Demo.start(threads: 1) { configuration in
            configuration.chunkedPrefillSize = 48
            change(&configuration)
        }
        var bits: [[[UInt32]]] = []
        for burst in workload(seed: seed) { bits += try await engine.answers(burst).map(\.bits) }
        for pin in await engine.pins() { _ = await engine.unpin(id: pin.id) }
        let statistics = await engine.statistics()
        #expect(statistics.freePages + statistics.cachedPages == statistics.totalPages)
        await engine.shutdown()
        return (bits, statistics)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func answersAreTheSameBitsWhateverTheCacheDoes(seed: UInt64) async throws {
        let plain = try await Self.answers(seed) { $0.disableRadixCache = true }
        #expect(plain.statistics.cachedPromptTokens == 0)
        let cached = try await Self.answers(seed) { _ in }
        #expect(cached.bits == plain.bits, "seed \(seed)")
        #expect(cached.statistics.cachedPromptTokens > 0 && cached.statistics.evictedPages == 0)
        for policy in EvictionPolicyName.allCases {
            let pressured = try await Self.answers(seed) { configuration in
                configuration.evictionPolicy = policy
                configuration.maxTotalTokens = 288
            }
            #expect(pressured.bits == plain.bits, "seed \(seed), policy \(policy)")
            #expect(pressured.statistics.evictedPages > 0, "the pool was never tight")
        }
    }
}
