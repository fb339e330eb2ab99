import Engine
import EngineInterface
import Testing

/// What the model says about a prompt's own tokens. The measure is what it said while it generated the same tokens.
struct PromptLogprobTests {
    private static let prompt = Demo.prompt(90, seed: 21)

    private static func scoring(
        _ id: String, _ tokens: [Int32], start: Int, top: Int = 0, count: Int = 0
    ) -> GenerationRequest {
        var request = Demo.request(id, tokens, tokens: count)
        request.promptLogprobs = PromptLogprobs(start: start, top: top)
        return request
    }

    @Test(arguments: [(16, true), (512, true), (16, false)])
    func scoresAreThoseOfTheGeneration(chunk: Int, cache: Bool) async throws {
        try await Demo.withEngine({
            $0.chunkedPrefillSize = chunk
            $0.disableRadixCache = !cache
        }) { engine in
            let written = try await engine.answer(
                Demo.request("written", Self.prompt, tokens: 40) {
                    $0.topLogprobs = 3
                    $0.logprobTokenIDs = [5, 9]
                })
            // All of it is cached now; what is asked for has to be fed again all the same.
            var request = Self.scoring("read", Self.prompt + written.ids, start: Self.prompt.count, top: 3)
            request.sampling.logprobTokenIDs = [5, 9]
            let read = try await engine.answer(request)
            #expect(read.flaws == [])
            #expect(read.tokens.isEmpty && read.ends == [.length])
            #expect(read.scores == written.tokens)
            #expect(read.scores.allSatisfy { $0.asked.map(\.id) == [5, 9] })
            if cache { #expect(read.starts.map(\.cachedTokens) == [Self.prompt.count - 1]) }
        }
    }

    @Test func theWholePromptIsScoredInFewRowsAStep() async throws {
        try await Demo.withEngine { engine in
            let answer = try await engine.answer(Self.scoring("all", Self.prompt, start: 0, count: 4))
            #expect(answer.flaws == [])
            #expect(answer.scores.map(\.id) == Self.prompt)
            #expect(answer.scores[0].logprob == nil)
            #expect(answer.scores.dropFirst().allSatisfy { ($0.logprob ?? 1) <= 0 })
            #expect(answer.tokens.count == 4)
            let plain = try await engine.answer(Demo.request("plain", Self.prompt, tokens: 4))
            #expect(plain.ids == answer.ids)
        }
    }

    @Test func severalAtOnceGetTheirOwn() async throws {
        try await Demo.withEngine({ $0.maxTotalTokens = 512 }) { engine in
            let requests = (0..<6).map { index in
                Self.scoring("r\(index)", Demo.prompt(70, seed: UInt64(index)), start: index, top: 1, count: 20)
            }
            var alone: [Answer] = []
            for request in requests { alone.append(try await engine.answer(request)) }
            let together = try await engine.answers(requests)
            for (index, answer) in together.enumerated() {
                #expect(answer.flaws == [])
                #expect(answer.scores == alone[index].scores, "request \(index)")
                #expect(answer.scores.count == 70 - index)
            }
        }
    }

    @Test func rangesAreChecked() async throws {
        try await Demo.withEngine { engine in
            #expect(throws: RequestError.self) { try engine.submit(Self.scoring("a", [10, 11], start: 3)) }
            #expect(throws: RequestError.self) { try engine.submit(Self.scoring("b", [10, 11], start: 0, top: 21)) }
            let nothing = try await engine.answer(Self.scoring("c", [10, 11], start: 2))
            #expect(nothing.scores.isEmpty && nothing.flaws == [])
            let one = try await engine.answer(Self.scoring("d", [10], start: 0))
            #expect(one.scores == [GeneratedToken(id: 10)])
        }
    }
}
