import Engine
import EngineInterface
import Testing

/// Every sampling parameter acts, and acts as it says.
struct SamplingParameterTests {
    private static let prompt = Demo.prompt(40, seed: 31)

    /// The greedy continuation.
    private static func plain(_ engine: EngineHandle, tokens: Int = 24) async throws -> [Int32] {
        try await engine.answer(Demo.request("plain", prompt, tokens: tokens)).ids
    }

    @Test func logitBias() async throws {
        try await Demo.withEngine { engine in
            let plain = try await Self.plain(engine)
            let forced = try await engine.answer(Demo.request("forced", Self.prompt) { $0.logitBias = [777: 100] })
            #expect(forced.ids == [Int32](repeating: 777, count: 16))
            // Greedy and forbidden: the second most likely token is first.
            let first = Demo.request("first", Self.prompt, tokens: 1) { $0.topLogprobs = 2 }
            let best = try #require(try await engine.answer(first).tokens.first).top
            #expect(best[0].id == plain[0])
            let forbidden = try await engine.answer(
                Demo.request("forbidden", Self.prompt, tokens: 1) { $0.logitBias = [plain[0]: -100] })
            #expect(forbidden.ids == [best[1].id])
        }
    }

    /// Log-probabilities are those of the model, whatever was done to choose another token.
    @Test func logprobsAreTheModelsOwn() async throws {
        try await Demo.withEngine { engine in
            let raw = try await engine.answer(Demo.request("raw", Self.prompt, tokens: 1) { $0.topLogprobs = 20 })
            let steered = try await engine.answer(
                Demo.request("steered", Self.prompt, tokens: 1) {
                    $0.topLogprobs = 20
                    $0.temperature = 0.3
                    $0.topK = 3
                    $0.repetitionPenalty = 1.7
                    $0.logitBias = [raw.tokens[0].top[7].id: 100]
                })
            #expect(steered.ids == [raw.tokens[0].top[7].id])
            #expect(steered.tokens[0].logprob == raw.tokens[0].top[7].logprob)
            #expect(steered.tokens[0].top == raw.tokens[0].top)
            #expect(raw.tokens[0].top.map(\.logprob) == raw.tokens[0].top.map(\.logprob).sorted(by: >))
            let none = try await engine.answer(Demo.request("none", Self.prompt, tokens: 1))
            #expect(none.tokens[0].logprob == nil && none.tokens[0].top.isEmpty)
            let own = try await engine.answer(Demo.request("own", Self.prompt, tokens: 1) { $0.topLogprobs = 0 })
            #expect(own.tokens[0].logprob == raw.tokens[0].logprob && own.tokens[0].top.isEmpty)
        }
    }

    /// Follows a penalized generation token by token: what the model says about each position, less the penalties of
    /// the tokens so far, must have the chosen token on top.
    @Test(arguments: [(2, 0), (0, 2), (0.7, 0.9), (-1, -0.5)] as [(Float, Float)])
    func countPenalties(frequency: Float, presence: Float) async throws {
        try await Demo.withEngine { engine in
            let plain = try await Self.plain(engine)
            let penalized = try await engine.answer(
                Demo.request("penalized", Self.prompt, tokens: 24) {
                    $0.frequencyPenalty = frequency
                    $0.presencePenalty = presence
                })
            #expect(penalized.ids != plain)
            var counts: [Int32: Float] = [:]
            for (index, id) in penalized.ids.enumerated() {
                let probe = Demo.request("probe", Self.prompt + penalized.ids.prefix(index), tokens: 1) {
                    $0.topLogprobs = 20
                }
                let top = try #require(try await engine.answer(probe).tokens.first).top
                let scores = top.map { candidate -> Float in
                    let count = counts[candidate.id] ?? 0
                    return candidate.logprob - frequency * count - (count > 0 ? presence : 0)
                }
                let best = try #require(scores.indices.max { scores[$0] < scores[$1] })
                // Tokens outside the twenty have a lower logit, and win only by a reward.
                let outside = counts.filter { count in !top.contains { $0.id == count.key } }.values
                let reward = outside.map { -frequency * $0 - presence }.max() ?? 0
                let bound = top[19].logprob + max(0, reward)
                if scores[best] > bound { #expect(top[best].id == id, "token \(index)") }
                if index < 4 { #expect(scores[best] > bound, "nothing was compared") }
                counts[id, default: 0] += 1
            }
        }
    }

    @Test func repetitionPenalty() async throws {
        try await Demo.withEngine { engine in
            let plain = try await Self.plain(engine, tokens: 40)
            func ids(_ penalty: Float) async throws -> [Int32] {
                try await engine.answer(
                    Demo.request("repetition", Self.prompt, tokens: 40) { $0.repetitionPenalty = penalty }
                ).ids
            }
            #expect(try await ids(1) == plain)
            let strict = try await ids(2)
            #expect(strict != plain)
            #expect(Set(strict).count > Set(plain).count)
            // Next to nothing: positive logits of what was seen become huge, so nothing new is ever said.
            let parrot = try await ids(0.01)
            for (index, id) in parrot.enumerated() {
                #expect(Self.prompt.contains(id) || parrot.prefix(index).contains(id), "token \(index)")
            }
        }
    }

    @Test func temperatureAndFilters() async throws {
        try await Demo.withEngine { engine in
            let plain = try await Self.plain(engine)
            func ids(_ change: @escaping (inout SamplingParameters) -> Void) async throws -> [Int32] {
                try await engine.answer(
                    Demo.request("filtered", Self.prompt, tokens: 24) {
                        $0.temperature = 3
                        $0.seed = 1
                        change(&$0)
                    }
                ).ids
            }
            #expect(try await ids { _ in } != plain)
            #expect(try await ids { $0.topK = 1 } == plain)
            #expect(try await ids { $0.topP = 1e-6 } == plain)
            #expect(try await ids { $0.minP = 1 } == plain)
            #expect(try await ids { $0.temperature = .leastNonzeroMagnitude } == plain)
            #expect(try await ids { $0.temperature = .greatestFiniteMagnitude } != plain)
        }
    }

    @Test func stopTokens() async throws {
        try await Demo.withEngine { engine in
            let plain = try await Self.plain(engine)
            let stop = plain[9]
            let place = try #require(plain.firstIndex(of: stop))
            let stopped = try await engine.answer(
                Demo.request("stop", Self.prompt, tokens: 24) { $0.stopTokenIDs = [stop] })
            #expect(stopped.ids == Array(plain.prefix(place + 1)))
            #expect(stopped.ends == [.stopToken(stop)])
            #expect(stopped.usages.first?.completionTokens == place + 1)
            // Not before enough tokens: then it is not even sampled.
            let late = try await engine.answer(
                Demo.request("late", Self.prompt, tokens: 24) {
                    $0.stopTokenIDs = [stop]
                    $0.minTokens = place + 4
                })
            #expect(late.tokens.count >= place + 4)
            #expect(!late.ids.prefix(place + 4).contains(stop))
            #expect(late.ids.prefix(place) == plain.prefix(place))
        }
    }

    @Test func endOfSequence() async throws {
        try await Demo.withEngine { engine in
            // Both ends of the model become as likely as anything.
            func answer(_ id: String, _ change: (inout SamplingParameters) -> Void) async throws -> Answer {
                try await engine.answer(
                    Demo.request(id, Self.prompt, tokens: 12) {
                        $0.ignoreEOS = false
                        $0.logitBias = [2: 100, 0: 99]
                        change(&$0)
                    })
            }
            let ended = try await answer("ended") { _ in }
            #expect(ended.ids == [2] && ended.ends == [.stopToken(2)])
            let ignored = try await answer("ignored") { $0.ignoreEOS = true }
            #expect(ignored.ids == [Int32](repeating: 2, count: 12) && ignored.ends == [.length])
            let late = try await answer("late") { $0.minTokens = 5 }
            #expect(late.tokens.count == 6 && late.ends == [.stopToken(2)])
            #expect(!late.ids.prefix(5).contains(2) && !late.ids.prefix(5).contains(0))
            let own = try await answer("own") {
                $0.ignoreEOS = true
                $0.stopTokenIDs = [2]
            }
            #expect(own.ids == [2] && own.ends == [.stopToken(2)])
            let all = try await answer("all") { $0.minTokens = 12 }
            #expect(all.tokens.count == 12 && all.ends == [.length])
        }
    }

    @Test func contextIsTheLimit() async throws {
        try await Demo.withEngine({ $0.contextLength = 64 }) { engine in
            #expect(engine.information.contextLength == 64)
            let full = try await engine.answer(Demo.request("full", Self.prompt) { $0.maxTokens = nil })
            #expect(full.tokens.count == 24 && full.ends == [.length])
            let asked = try await engine.answer(Demo.request("asked", Self.prompt, tokens: 1000))
            #expect(asked.ids == full.ids && asked.ends == [.length])
            let last = try await engine.answer(Demo.request("last", Demo.prompt(63, seed: 1), tokens: 9))
            #expect(last.tokens.count == 1 && last.ends == [.length])
        }
    }

    @Test func poolIsTheLimit() async throws {
        try await Demo.withEngine({ $0.maxTotalTokens = 48 }) { engine in
            // The last token is never fed, so it needs no place.
            let full = try await engine.answer(Demo.request("full", Self.prompt, tokens: 100))
            #expect(full.tokens.count == 9 && full.ends == [.length])
            let whole = try await engine.answer(Demo.request("whole", Demo.prompt(48, seed: 3), tokens: 100))
            #expect(whole.tokens.count == 1 && whole.ends == [.length])
        }
    }
}
