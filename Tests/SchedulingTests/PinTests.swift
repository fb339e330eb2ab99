import EngineInterface
import PrefixCache
import Scheduling
import TestSupport
import Testing

struct PinTests {
    private func engine(pages: Int, pinned: Int? = nil) -> SimulatedEngine {
        var configuration = SchedulerConfiguration(totalPages: pages, contextLength: 4096, vocabularySize: 5000)
        configuration.chunkedPrefillSize = 128
        configuration.maxPinnedTokens = pinned
        return SimulatedEngine(configuration)
    }

    private func document(_ count: Int, from: Int32 = 0) -> [Int32] { Array(from..<from + Int32(count)) }

    private func pinning(
        _ id: String, _ prompt: [Int32], tokens: Int? = nil, timeToLive: Double? = nil, namespace: String = "",
        yields: Bool = false
    ) -> GenerationRequest {
        var request = request("r" + id, prompt, maxTokens: 1, namespace: namespace)
        request.pins = [PinRequest(id: id, tokens: tokens, timeToLive: timeToLive, yields: yields)]
        return request
    }

    private func resident(_ prompt: [Int32], _ engine: SimulatedEngine) -> Int {
        engine.scheduler.probe(prompt, namespace: .shared, now: engine.now).cachedTokens
    }

    @Test func aPinnedPrefixOutlivesAnyFloodAndAFlush() throws {
        var engine = engine(pages: 40)
        _ = try engine.submit(pinning("system", document(200), tokens: 160))
        engine.finish()
        #expect(engine.scheduler.statistics.pinnedPages == 10)
        for flood in 0..<20 as Range<Int32> {
            _ = try engine.submit(request("\(flood)", document(300, from: 300 + flood * 100), maxTokens: 2))
            engine.finish()
            #expect(resident(document(200), engine) >= 160)
        }
        #expect(engine.scheduler.flush())
        #expect(resident(document(200), engine) == 160)
        let pins = engine.scheduler.pinned(now: engine.now)
        #expect(pins.map(\.id) == ["system"] && pins[0].pinnedTokens == 160 && pins[0].expiresInSeconds == nil)
        #expect(engine.scheduler.unpin(id: "system", now: engine.now))
        #expect(!engine.scheduler.unpin(id: "system", now: engine.now))
        #expect(engine.scheduler.flush())
        #expect(resident(document(200), engine) == 0)
        #expect(engine.scheduler.statistics.freePages == 40)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func aPinEndsWithItsTimeAndIsRenewedByTheSameTokens() throws {
        var engine = engine(pages: 40)
        _ = try engine.submit(pinning("a", document(64), timeToLive: 5))
        engine.finish()
        engine.now += 4
        _ = try engine.submit(pinning("b", document(64), timeToLive: 5))
        engine.finish()
        engine.now += 4
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["a"], "renewed, not doubled")
        engine.now += 2
        #expect(engine.scheduler.pinned(now: engine.now).isEmpty)
        #expect(engine.scheduler.statistics.pinnedPages == 0)
    }

    @Test func beyondTheBudgetNothingIsPinned() throws {
        var engine = engine(pages: 40, pinned: 128)
        _ = try engine.submit(pinning("a", document(96)))
        _ = try engine.submit(pinning("b", document(64, from: 1000)))
        _ = try engine.submit(pinning("c", document(96) + document(32, from: 2000)))
        engine.finish()
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["a", "c"], "shared pages count once")
        #expect(engine.scheduler.statistics.pinnedPages == 8)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    /// What clients wish to keep never stands in the way of what the operator keeps.
    @Test func wishesGiveWayToPinsAndNeverShortenThem() throws {
        var engine = engine(pages: 40, pinned: 128)
        _ = try engine.submit(pinning("a", document(64), timeToLive: 300, yields: true))
        _ = try engine.submit(pinning("b", document(64, from: 1000), timeToLive: 600, yields: true))
        _ = try engine.submit(pinning("c", document(64, from: 2000), timeToLive: 900, yields: true))
        engine.finish()
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["a", "b"], "the budget is full")
        _ = try engine.submit(pinning("d", document(64, from: 3000)))
        engine.finish()
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["b", "d"])
        // Of the same pages: one token more does not fill another one.
        _ = try engine.submit(pinning("e", document(65, from: 3000), timeToLive: 1, yields: true))
        _ = try engine.submit(pinning("f", document(64, from: 1000), timeToLive: 1, yields: true))
        engine.finish()
        engine.now += 500
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["b", "d"])
        _ = try engine.submit(pinning("g", document(64, from: 1000), timeToLive: 1000))
        engine.finish()
        engine.now += 900
        #expect(engine.scheduler.pinned(now: engine.now).map(\.id) == ["b", "d"], "made to last by the operator")
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func aRequestThatFitsThePoolAloneMakesPinsGiveWay() throws {
        var engine = engine(pages: 20, pinned: 320)
        _ = try engine.submit(pinning("a", document(150)))
        _ = try engine.submit(pinning("b", document(100, from: 1000), timeToLive: 1000))
        engine.finish()
        #expect(engine.scheduler.pinned(now: engine.now).count == 2)
        let large = try engine.submit(request("large", document(250, from: 2000), maxTokens: 60))
        engine.finish()
        engine.checkOutputs()
        #expect(engine.outputs[large]?.count == 60)
        #expect(engine.scheduler.statistics.droppedPins == 2)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func outputsAreTheSameUnderAnyPolicyWithPinsComingAndGoing() throws {
        for policy in EvictionPolicyName.allCases {
            for seed in 0..<40 as Range<UInt64> {
                var random = SeededGenerator(seed: seed)
                var configuration = SchedulerConfiguration(
                    totalPages: Int.random(in: 4...24, using: &random), contextLength: 64, vocabularySize: 40)
                configuration.pageSize = [1, 4, 16].randomElement(using: &random) ?? 4
                configuration.chunkedPrefillSize = 8
                configuration.maxBatchTokens = 12
                configuration.maxRunningRequests = 4
                configuration.evictionPolicy = policy
                configuration.maxPinnedTokens = configuration.poolTokens
                var engine = SimulatedEngine(configuration)
                for number in 0..<25 {
                    let length = Int.random(in: 1...min(40, configuration.poolTokens), using: &random)
                    var next = request(
                        "\(number)", (0..<length).map { _ in Int32.random(in: 0..<2, using: &random) },
                        maxTokens: Int.random(in: 1...12, using: &random),
                        namespace: Int.random(in: 0..<4, using: &random) == 0 ? "t" : "",
                        priority: Int.random(in: 0...2, using: &random))
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        next.pins = (0..<Int.random(in: 1...2, using: &random)).map { _ in
                            PinRequest(
                                id: "\(Int.random(in: 0..<3, using: &random))",
                                tokens: Int.random(in: 1...length, using: &random),
                                timeToLive: Bool.random(using: &random) ? 0.05 : nil,
                                yields: Bool.random(using: &random))
                        }
                    }
                    _ = try engine.submit(next)
                    for _ in 0..<Int.random(in: 0...6, using: &random) { engine.step() }
                    if Int.random(in: 0..<6, using: &random) == 0 {
                        _ = engine.scheduler.unpin(id: "\(number % 3)", now: engine.now)
                    }
                }
                engine.finish()
                engine.checkOutputs()
                guard engine.breach == nil else {
                    Issue.record("policy \(policy), seed \(seed): \(engine.breach ?? "")")
                    return
                }
            }
        }
    }
}
