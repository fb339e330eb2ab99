import Engine
import EngineInterface
import Grammar
import Testing

/// Constrained generations through the engine's door: whatever the model wants, the text is of the grammar, and nobody
/// else notices.
struct ConstraintTests {
    /// A vocabulary over the demo model's ids: every byte, and pairs of characters.
    private enum Letters {
        static let pairs = Array("abcdefghijklmnopqrstuvwxyz0123456789\"{}[]:,".utf8)

        static func bytes(_ id: Int32) -> [UInt8]? {
            switch id {
            case 0, 1, 2: return nil
            case 3..<259: return [UInt8(id - 3)]
            default:
                let place = Int(id) - 259
                return place / pairs.count < pairs.count
                    ? [pairs[place / pairs.count], pairs[place % pairs.count]] : nil
            }
        }

        static func ids(_ text: [UInt8]) -> [Int32] {
            var ids: [Int32] = []
            var rest = text[...]
            while let first = rest.popFirst() {
                if let second = rest.first, let a = pairs.firstIndex(of: first), let b = pairs.firstIndex(of: second),
                    259 + a * pairs.count + b < Demo.vocabularySize
                {
                    ids.append(Int32(259 + a * pairs.count + b))
                    rest.removeFirst()
                } else {
                    ids.append(Int32(first) + 3)
                }
            }
            return ids
        }

        static func text(_ answer: Answer) -> String {
            String(decoding: answer.ids.flatMap { bytes($0) ?? [] }, as: UTF8.self)
        }

        static let vocabulary = TokenVocabulary(
            size: Demo.vocabularySize, endTokens: Demo.endOfSequenceIDs.sorted(), specialTokens: [1],
            tokenBytes: bytes)
    }

    private static func constraint(
        _ ebnf: String, jumpsForward: Bool = true, closesInTime: Bool = false
    ) throws -> OutputConstraint {
        var builder = GrammarBuilder()
        let root = try EBNFGrammar.expression(ebnf, in: &builder)
        let grammar = try CompiledGrammar(
            GrammarIR(builder: builder, root: root), vocabulary: Letters.vocabulary)
        return OutputConstraint(
            grammar: grammar, tokenize: { Letters.ids($0) }, jumpsForward: jumpsForward, closesInTime: closesInTime)
    }

    private static let record = """
        root ::= "{\\"name\\":\\"" [a-z]{2,6} "\\",\\"kind\\":\\"" ("alpha" | "beta" | "gamma") "\\",\\"size\\":" [0-9]{1,3} "}"
        """
    nonisolated(unsafe) private static let recordText =
        /\{"name":"[a-z]{2,6}","kind":"(alpha|beta|gamma)","size":[0-9]{1,3}\}/

    private static func request(
        _ id: String, seed: UInt64, _ constraint: OutputConstraint?, tokens: Int = 80,
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> GenerationRequest {
        var request = Demo.request(id, Demo.prompt(20 + Int(seed) * 7, seed: seed), tokens: tokens) { sampling in
            sampling.ignoreEOS = false
            if seed % 2 == 1 {
                sampling.temperature = 1.3
                sampling.seed = seed
            }
            if seed % 3 == 1 { sampling.frequencyPenalty = 0.7 }
            if seed % 4 == 2 { sampling.logitBias = [40: 5, 300: -100] }
            change(&sampling)
        }
        request.constraint = constraint
        return request
    }

    @Test(arguments: [true, false])
    func everyTextIsOfTheGrammar(jumpsForward: Bool) async throws {
        let constraint = try Self.constraint(Self.record, jumpsForward: jumpsForward)
        // So small that requests are retracted.
        for pool in [16384, 448] {
            try await Demo.withEngine({ $0.maxTotalTokens = pool }) { engine in
                let requests = (0..<12).map { Self.request("r\($0)", seed: UInt64($0), constraint) }
                for answer in try await engine.answers(requests) {
                    #expect(answer.flaws == [])
                    #expect(answer.ends == [.complete])
                    #expect(Letters.text(answer).wholeMatch(of: Self.recordText) != nil, "\(Letters.text(answer))")
                    if jumpsForward {
                        #expect(answer.usages[0].forcedTokens > 12)
                    } else {
                        #expect(answer.usages[0].forcedTokens == 0)
                    }
                }
                let statistics = await engine.statistics()
                #expect((statistics.forcedTokens > 0) == jumpsForward)
            }
        }
    }

    /// Forced text is fed in one step with the token before it.
    @Test func jumpingForwardSavesSteps() async throws {
        var steps: [Int] = []
        for jumpsForward in [true, false] {
            let constraint = try Self.constraint(
                "root ::= [a-c] \"the-only-way-to-go-on-from-here-\" [a-c]", jumpsForward: jumpsForward)
            steps.append(
                try await Demo.withEngine { engine in
                    let answer = try await engine.answer(Self.request("r", seed: 2, constraint))
                    #expect(answer.ends == [.complete])
                    #expect(Letters.text(answer).contains("the-only-way-to-go-on-from-here-"))
                    return await engine.statistics().steps
                })
        }
        #expect(steps[0] <= 3)
        #expect(steps[1] > 15)
    }

    /// Neighbours with constraints, long or short, change nothing: neither texts nor log-probabilities.
    @Test func nobodyElseNotices() async throws {
        let constraint = try Self.constraint(Self.record)
        let free = (0..<6).map { seed in
            Self.request("free\(seed)", seed: UInt64(seed), nil, tokens: 30) { $0.topLogprobs = 2 }
        }
        let constrained = (0..<10).map { Self.request("c\($0)", seed: UInt64($0 + 20), constraint) }
        let alone = try await Demo.withEngine { engine in
            var answers: [Answer] = []
            for request in free + constrained { answers.append(try await engine.answer(request)) }
            return answers
        }
        let together = try await Demo.withEngine { try await $0.answers(constrained + free) }
        #expect(together.suffix(6).map(\.bits) == alone.prefix(6).map(\.bits))
        #expect(together.prefix(10).map(\.ids) == alone.suffix(10).map(\.ids))
    }

    @Test func logprobsAreTheModelsOwnAndOneForEachToken() async throws {
        let constraint = try Self.constraint(Self.record)
        try await Demo.withEngine { engine in
            let answer = try await engine.answer(Self.request("r", seed: 4, constraint) { $0.topLogprobs = 3 })
            #expect(Letters.text(answer).wholeMatch(of: Self.recordText) != nil)
            #expect(answer.tokens.allSatisfy { $0.logprob != nil && $0.top.count == 3 })
            let free = try await engine.answer(Self.request("f", seed: 4, nil, tokens: 1) { $0.topLogprobs = 3 })
            #expect(answer.tokens[0].top == free.tokens[0].top)
        }
    }

    @Test func aTextMayEndWhereTheGrammarMayAndNowhereElse() async throws {
        let constraint = try Self.constraint("root ::= \"ab\"+")
        try await Demo.withEngine { engine in
            // The end is liked best wherever it is allowed.
            let biased = try await engine.answer(
                Self.request("r", seed: 2, constraint) { $0.logitBias = [0: 100] })
            #expect(Letters.text(biased) == "ab")
            #expect(biased.ends == [.stopToken(0)])
            let long = try await engine.answer(
                Self.request("m", seed: 2, constraint, tokens: 60) {
                    $0.logitBias = [0: 100]
                    $0.minTokens = 7
                })
            #expect(long.ends == [.stopToken(0)] && Letters.text(long).hasPrefix("ababab"))
            let endless = try await engine.answer(
                Self.request("e", seed: 2, constraint, tokens: 9) {
                    $0.logitBias = [0: 100]
                    $0.ignoreEOS = true
                })
            #expect(endless.ends == [.length] && endless.ids.count == 9)
        }
    }

    /// Lists that could go on for ever are closed in time, whatever the budget.
    @Test(arguments: 1..<24)
    func aTextCanBeClosedWithinItsBudget(budget: Int) async throws {
        let constraint = try Self.constraint(
            "root ::= list\nlist ::= \"[\" (list (\",\" list)*)? \"]\"", closesInTime: true)
        try await Demo.withEngine { engine in
            for seed in [3, 5, 7] as [UInt64] {
                let answer = try await engine.answer(
                    Self.request("r\(seed)", seed: seed, constraint, tokens: budget) { sampling in
                        // Opening is liked better than closing.
                        for id in 259..<Int32(Demo.vocabularySize) where Letters.bytes(id) == Array("[[".utf8) {
                            sampling.logitBias[id] = 100
                        }
                    })
                let text = Letters.text(answer)
                let depth = text.utf8.reduce(0) {
                    $0 + ($1 == UInt8(ascii: "[") ? 1 : $1 == UInt8(ascii: "]") ? -1 : 0)
                }
                #expect(answer.ids.count <= budget)
                // One token of two bytes, or two, are enough for the shortest list.
                if budget >= 2 { #expect(depth == 0 && answer.ends != [.length], "\(text) \(answer.ends)") }
            }
        }
    }

    /// Something optional that there is no room for is not begun. It was, and the answer was cut off inside of it.
    @Test(arguments: [4, 12, 30])
    func whatCannotBeEndedInTimeIsNotBegun(budget: Int) async throws {
        let constraint = try Self.constraint("root ::= \"ab\" (\"cd\" [e-z]{70})?", closesInTime: true)
        try await Demo.withEngine { engine in
            let answer = try await engine.answer(
                Self.request("r", seed: 2, constraint, tokens: budget) { sampling in
                    // The end is liked least.
                    sampling.logitBias = [0: -100]
                })
            #expect(Letters.text(answer) == "ab")
            #expect(answer.ids.count <= budget && answer.ends != [.length])
        }
    }
}
