import Engine
import EngineInterface
import Testing

/// A way to run the same requests.
struct Scenario: Sendable, CustomTestStringConvertible {
    var name: String
    var threads = 2
    var chunk = 512
    var cache = true
    var poolTokens = 16384
    /// Whether all requests, and twenty others, run at the same time.
    var together = true
    /// Whether the same engine answers everything twice, the second time from its cache.
    var twice = false

    var testDescription: String { name }

    static let all = [
        Scenario(name: "alone, cache on", together: false),
        Scenario(name: "alone, cache on, twice", together: false, twice: true),
        Scenario(name: "alone, cache off, chunks of 1", chunk: 1, cache: false, together: false),
        Scenario(name: "together"),
        Scenario(name: "together, twice", twice: true),
        Scenario(name: "together, cache off", cache: false),
        Scenario(name: "together, 1 thread", threads: 1),
        Scenario(name: "together, 3 threads", threads: 3),
        Scenario(name: "together, chunks of 1", chunk: 1),
        Scenario(name: "together, chunks of 7", chunk: 7),
        Scenario(name: "together, chunks of 64", chunk: 64),
        Scenario(name: "together, whole prompts", chunk: -1),
        Scenario(name: "together, cache off, chunks of 7", chunk: 7, cache: false),
        Scenario(name: "together, small pool", chunk: 64, poolTokens: 512),
        Scenario(name: "together, small pool, chunks of 29, twice", chunk: 29, poolTokens: 448, twice: true),
        Scenario(name: "together, small pool, cache off", chunk: 64, cache: false, poolTokens: 512),
    ]
}

/// The rule of chapter 5 of docs/ARCHITECTURE.md, through the engine's door: a request's tokens and log-probabilities
/// are the same bits, whatever else the engine is doing.
struct BatchInvarianceTests {
    /// Prompts that end before, at and behind page borders, some with a common beginning, some the same.
    private static let requests: [GenerationRequest] = {
        let shared = Demo.prompt(150, seed: 1)
        let prompts = [
            Demo.prompt(1, seed: 2), Demo.prompt(15, seed: 3), Demo.prompt(16, seed: 4), Demo.prompt(17, seed: 5),
            shared, shared, Array(shared.prefix(149)) + [11], Array(shared.prefix(40)) + Demo.prompt(100, seed: 6),
            Array(shared.prefix(16)), shared + Demo.prompt(171, seed: 7),
        ]
        return prompts.enumerated().map { index, prompt in
            Demo.request("request-\(index)", prompt, tokens: 40) { sampling in
                sampling.topLogprobs = 5
                if index % 2 == 1 {
                    sampling.temperature = 1.5
                    sampling.seed = UInt64(index / 4)
                }
                if index % 3 == 1 {
                    sampling.frequencyPenalty = 0.5
                    sampling.repetitionPenalty = 1.3
                }
                if index % 5 == 3 {
                    sampling.topP = 0.9
                    sampling.topK = 200
                    sampling.minP = 0.001
                }
            }
        }
    }()

    private static let others: [GenerationRequest] = (0..<20).map { index in
        let prompt =
            requests[index % requests.count].prompt.prefix(10 + index) + Demo.prompt(60, seed: 100 + UInt64(index))
        return Demo.request("other-\(index)", Array(prompt), tokens: 50) { $0.temperature = index % 2 == 0 ? 0 : 1 }
    }

    /// Each request alone, on one thread, without a cache, its prompt in one step.
    private static let expected = Task {
        try await Demo.withEngine(
            threads: 1,
            {
                $0.disableRadixCache = true
                $0.chunkedPrefillSize = -1
            }
        ) { engine in
            var answers: [Answer] = []
            for request in requests { answers.append(try await engine.answer(request)) }
            return answers
        }
    }

    @Test(.serialized, arguments: Scenario.all)
    func sameBits(_ scenario: Scenario) async throws {
        let expected = try await Self.expected.value
        try await Demo.withEngine(
            threads: scenario.threads,
            {
                $0.chunkedPrefillSize = scenario.chunk
                $0.disableRadixCache = !scenario.cache
                $0.maxTotalTokens = scenario.poolTokens
            }
        ) { engine in
            for _ in 0..<(scenario.twice ? 2 : 1) {
                try await Self.run(scenario, engine, expected)
            }
            let statistics = await engine.statistics()
            if scenario.poolTokens < 1024 { #expect(statistics.retractions > 0, "the pool was not small enough") }
            if !scenario.cache { #expect(statistics.cachedPromptTokens == 0) }
            if scenario.twice { #expect(statistics.cachedPromptTokens > 0) }
        }
    }

    private static func run(_ scenario: Scenario, _ engine: EngineHandle, _ expected: [Answer]) async throws {
        var answers: [Answer] = []
        if scenario.together {
            // Some others first, so that the requests meet a running batch.
            let all = Array(others.prefix(10)) + requests + others.dropFirst(10)
            let found = try await engine.answers(all)
            #expect(found.count == all.count)
            for (request, answer) in zip(all, found) { #expect(answer.flaws == [], "\(request.id)") }
            answers = Array(found.dropFirst(10).prefix(requests.count))
        } else {
            for request in requests { answers.append(try await engine.answer(request)) }
        }
        for (index, answer) in answers.enumerated() {
            #expect(answer.ends == [.length])
            #expect(answer.tokens.count == 40)
            #expect(answer.tokens.allSatisfy { $0.top.count == 5 && $0.logprob?.isFinite == true })
            #expect(answer.ids == expected[index].ids, "request \(index)")
            #expect(answer.bits == expected[index].bits, "request \(index)")
        }
    }

    /// Questions about a document that is longer than what attention reads at a time, some behind more that they share:
    /// the pages are read once for all of them.
    @Test(arguments: [1, 2])
    func manyBehindOneDocument(threads: Int) async throws {
        let document = Demo.prompt(1200, seed: 20)
        let chapter = document + Demo.prompt(500, seed: 21)
        let requests = (0..<10).map { index in
            Demo.request(
                "\(index)",
                (index % 3 == 0 ? chapter : document) + Demo.prompt(1 + 5 * index, seed: 30 + UInt64(index)),
                tokens: 20
            ) { $0.topLogprobs = 3 }
        }
        let alone = try await Demo.withEngine(threads: 1, { $0.disableRadixCache = true }) { engine in
            var answers: [[[UInt32]]] = []
            for request in requests { answers.append(try await engine.answer(request).bits) }
            return answers
        }
        try await Demo.withEngine(threads: threads) { engine in
            let together = try await engine.answers(requests).map(\.bits)
            #expect(together == alone)
            let statistics = await engine.statistics()
            #expect(statistics.cachedPromptTokens > 9 * 1200)
        }
    }
}
