import Engine
import EngineInterface
import Testing

/// What is refused, when, and that refusing leaves nothing behind.
struct AdmissionTests {
    private static func refusal(_ engine: EngineHandle, _ request: GenerationRequest) -> RequestError? {
        do {
            _ = try engine.submit(request)
            return nil
        } catch { return error }
    }

    @Test func impossibleRequests() async throws {
        try await Demo.withEngine({
            $0.maxTotalTokens = 64
            $0.contextLength = 100
        }) { engine in
            func refusal(_ prompt: [Int32], _ change: (inout SamplingParameters) -> Void = { _ in }) -> RequestError? {
                Self.refusal(engine, Demo.request("wrong", prompt, tokens: 4, change))
            }
            #expect(refusal([]) == .emptyPrompt)
            #expect(refusal([5, 2048]) == .tokenOutOfRange(id: 2048, vocabularySize: 2048))
            #expect(refusal([-1]) == .tokenOutOfRange(id: -1, vocabularySize: 2048))
            #expect(
                refusal(Demo.prompt(100, seed: 1))
                    == .contextLengthExceeded(promptTokens: 100, maxNewTokens: 4, contextLength: 100))
            #expect(refusal(Demo.prompt(65, seed: 1)) == .poolTooSmall(promptTokens: 65, poolTokens: 64))
            #expect(
                refusal([5]) { $0.temperature = -1 }
                    == .invalidParameter(field: "temperature", found: "-1.0", expected: "a number ≥ 0"))
            #expect(refusal([5]) { $0.stopTokenIDs = [2048] } != nil)
            #expect(refusal([5]) { $0.logitBias = [5: .nan] } != nil)
            let statistics = await engine.statistics()
            #expect(statistics.steps == 0 && statistics.finishedRequests == 0 && statistics.abortedRequests == 0)
        }
    }

    /// One more than fits is refused, and every way of ending makes room for exactly one again.
    @Test func queueLimit() async throws {
        let gate = StepGate()
        try await Demo.withEngine(
            gate: gate,
            {
                $0.maxRunningRequests = 1
                $0.maxQueuedRequests = 2
            }
        ) { engine in
            let prompt = Demo.prompt(20, seed: 1)
            for round in 0..<8 {
                gate.close()
                var streams: [AsyncStream<GenerationEvent>] = []
                for index in 0..<3 {
                    streams.append(try engine.submit(Demo.request("\(round)-\(index)", prompt, tokens: 4)))
                }
                #expect(await gate.pass(1))
                #expect(Self.refusal(engine, Demo.request("more", prompt)) == .queueFull(limit: 2))
                switch round % 4 {
                case 0: break
                case 1: engine.abort(requestID: "\(round)-\(round / 4)")
                case 2: streams.removeLast()
                default:
                    engine.abort(requestID: "\(round)-2")
                    // Takes the place that becomes free, and is refused by the engine thread for its id.
                    #expect(await gate.pass(1))
                    let duplicate = await Answer.of(
                        try await Self.duplicate(of: "\(round)-1", prompt, engine, gate))
                    #expect(duplicate.ends == [.failed(.duplicateID("\(round)-1"))])
                }
                gate.open()
                for stream in streams { #expect(await Answer.of(stream).flaws == []) }
                #expect(await engine.reaches { $0.runningRequests + $0.waitingRequests == 0 })
            }
        }
    }

    private static func duplicate(
        of id: String, _ prompt: [Int32], _ engine: EngineHandle, _ gate: StepGate
    ) async throws -> AsyncStream<GenerationEvent> {
        let stream = try engine.submit(Demo.request(id, prompt))
        gate.open()
        return stream
    }

    /// Whoever answers a last event with a new request finds the place free.
    @Test func lastEventMeansRoom() async throws {
        try await Demo.withEngine({
            $0.maxRunningRequests = 1
            $0.maxQueuedRequests = 1
        }) { engine in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<2 {
                    group.addTask {
                        for round in 0..<100 {
                            let answer = try await engine.answer(
                                Demo.request("\(worker)-\(round)", [Int32(worker + 10)], tokens: 1))
                            #expect(answer.ends == [.length])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func idleEngineWakes() async throws {
        try await Demo.withEngine { engine in
            for round in 0..<50 {
                // Short pauses, so that requests meet the engine falling asleep.
                try await Task.sleep(for: .microseconds(round * 40))
                #expect(try await engine.answer(Demo.request("r", [Int32(round + 10)], tokens: 1)).ends == [.length])
            }
        }
    }
}
