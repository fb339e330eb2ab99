import Engine
import EngineInterface
import TestSupport
import Testing

/// Every request ends exactly once and gives everything back, whatever the phase it ends in.
struct EndingTests {
    @Test func abortWhileWaiting() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate, { $0.maxRunningRequests = 1 }) { engine in
            gate.close()
            let running = try engine.submit(Demo.request("running", Demo.prompt(20, seed: 1), tokens: 8))
            #expect(await gate.pass(2))
            let waiting = try engine.submit(Demo.request("waiting", Demo.prompt(20, seed: 2)))
            #expect(await gate.pass(1))
            engine.abort(requestID: "waiting")
            gate.open()
            let aborted = await Answer.of(waiting)
            #expect(aborted.flaws == [] && aborted.ends == [.aborted])
            #expect(aborted.starts.isEmpty && aborted.tokens.isEmpty)
            let answer = await Answer.of(running)
            #expect(answer.flaws == [] && answer.ends == [.length] && answer.tokens.count == 8)
            let statistics = await engine.statistics()
            #expect(statistics.abortedRequests == 1 && statistics.finishedRequests == 1)
        }
    }

    @Test func abortInThePrompt() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate, { $0.chunkedPrefillSize = 16 }) { engine in
            gate.close()
            let stream = try engine.submit(Demo.request("prefilling", Demo.prompt(100, seed: 1)))
            // Another one that waits for the same chunks.
            let follower = try engine.submit(Demo.request("follower", Demo.prompt(100, seed: 1), tokens: 4))
            #expect(await gate.pass(2))
            engine.abort(requestID: "prefilling")
            gate.open()
            let aborted = await Answer.of(stream)
            #expect(aborted.flaws == [] && aborted.ends == [.aborted])
            #expect(aborted.starts.count == 1 && aborted.tokens.isEmpty)
            let answer = await Answer.of(follower)
            #expect(answer.flaws == [] && answer.ends == [.length] && answer.tokens.count == 4)
            // What was computed before the abort is kept and used.
            #expect(answer.starts.first?.cachedTokens == 48)
        }
    }

    @Test func abortWhileDecoding() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate) { engine in
            gate.close()
            let stream = try engine.submit(Demo.request("decoding", Demo.prompt(20, seed: 1), tokens: 500))
            #expect(await gate.pass(5))
            engine.abort(requestID: "decoding")
            gate.open()
            let answer = await Answer.of(stream)
            #expect(answer.flaws == [] && answer.ends == [.aborted])
            // Five steps, and the one that was at the gate.
            #expect(answer.tokens.count == 6)
        }
    }

    @Test func abortAfterRetraction() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate, { $0.maxTotalTokens = 128 }) { engine in
            gate.close()
            let first = try engine.submit(Demo.request("first", Demo.prompt(16, seed: 1), tokens: 100))
            let second = try engine.submit(Demo.request("second", Demo.prompt(16, seed: 2), tokens: 100))
            var steps = 0
            var statistics = EngineStatistics()
            while statistics.retractions == 0, steps < 120 {
                statistics = await gate.passing { await engine.statistics() }
                steps += 1
            }
            #expect(statistics.retractions == 1 && statistics.waitingRequests == 1)
            engine.abort(requestID: "second")
            gate.open()
            let aborted = await Answer.of(second)
            #expect(aborted.flaws == [] && aborted.ends == [.aborted])
            #expect(aborted.tokens.count > 16)
            let answer = await Answer.of(first)
            #expect(answer.flaws == [] && answer.tokens.count == 100)
        }
    }

    @Test func abortOfNobody() async throws {
        try await Demo.withEngine { engine in
            engine.abort(requestID: "nobody")
            let answer = try await engine.answer(Demo.request("somebody", Demo.prompt(5, seed: 1), tokens: 3))
            engine.abort(requestID: "somebody")
            #expect(answer.ends == [.length])
            #expect(await engine.statistics().abortedRequests == 0)
        }
    }

    @Test func droppedStreamAborts() async throws {
        try await Demo.withEngine { engine in
            var stream: AsyncStream<GenerationEvent>? = try engine.submit(
                Demo.request("dropped", Demo.prompt(20, seed: 1), tokens: 2000))
            #expect(await engine.reaches { $0.runningRequests == 1 })
            #expect(stream != nil)
            stream = nil
            #expect(await engine.reaches { $0.runningRequests == 0 && $0.abortedRequests == 1 })
        }
    }

    @Test func cancelledReaderAborts() async throws {
        try await Demo.withEngine { engine in
            let stream = try engine.submit(Demo.request("cancelled", Demo.prompt(20, seed: 1), tokens: 2000))
            let reader = Task { await Answer.of(stream) }
            #expect(await engine.reaches { $0.generatedTokens > 2 })
            reader.cancel()
            #expect(await engine.reaches { $0.runningRequests == 0 && $0.abortedRequests == 1 })
            let answer = await reader.value
            #expect(answer.ends.isEmpty)
        }
    }

    @Test func duplicateIDs() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate) { engine in
            gate.close()
            let first = try engine.submit(Demo.request("same", Demo.prompt(20, seed: 1), tokens: 6))
            let second = try engine.submit(Demo.request("same", Demo.prompt(9, seed: 2), tokens: 6))
            // Neither the refused one's end nor its reader's leaving may touch the first one.
            _ = try engine.submit(Demo.request("same", Demo.prompt(9, seed: 3), tokens: 6))
            #expect(await gate.pass(1))
            gate.open()
            let refused = await Answer.of(second)
            #expect(refused.flaws == [] && refused.ends == [.failed(.duplicateID("same"))])
            #expect(refused.usages == [GenerationUsage(promptTokens: 9, completionTokens: 0, cachedTokens: 0)])
            let answer = await Answer.of(first)
            #expect(answer.ends == [.length] && answer.tokens.count == 6)
            // Free again.
            let again = try await engine.answer(Demo.request("same", Demo.prompt(20, seed: 1), tokens: 6))
            #expect(again.ends == [.length] && again.ids == answer.ids)
        }
    }

    @Test func flush() async throws {
        let gate = StepGate()
        try await Demo.withEngine(gate: gate) { engine in
            let prompt = Demo.prompt(100, seed: 1)
            _ = try await engine.answer(Demo.request("first", prompt))
            let cached = try await engine.answer(Demo.request("cached", prompt))
            #expect(cached.starts.map(\.cachedTokens) == [99])
            gate.close()
            let running = try engine.submit(Demo.request("running", prompt, tokens: 500))
            #expect(await gate.pass(1))
            #expect(await gate.passing { await engine.flushCache() } == false)
            engine.abort(requestID: "running")
            gate.open()
            _ = await Answer.of(running)
            #expect(await engine.flushCache())
            let statistics = await engine.statistics()
            #expect(statistics.cachedPages == 0 && statistics.freePages == statistics.totalPages)
            let anew = try await engine.answer(Demo.request("anew", prompt))
            #expect(anew.starts.first?.cachedTokens == 0)
            #expect(anew.ids == cached.ids)
        }
    }

    @Test func namespacesShareNothing() async throws {
        try await Demo.withEngine { engine in
            var request = Demo.request("first", Demo.prompt(50, seed: 1))
            let first = try await engine.answer(request)
            request.id = "salted"
            request.cacheNamespace = "tenant"
            let salted = try await engine.answer(request)
            #expect(salted.starts.first?.cachedTokens == 0 && salted.ids == first.ids)
            request.id = "salted again"
            #expect(try await engine.answer(request).starts.first?.cachedTokens == 49)
        }
    }

    /// Hundreds of requests that are submitted, aborted, dropped and refused at random, on a pool that is too small.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func storm(seed: UInt64) async throws {
        try await Demo.withEngine({
            $0.maxTotalTokens = 768
            $0.chunkedPrefillSize = 48
            $0.maxRunningRequests = 16
        }) { engine in
            var dice = SeededGenerator(seed: seed)
            var accepted = 0
            let answers = try await withThrowingTaskGroup(of: Answer?.self) { group in
                for index in 0..<300 {
                    // Some ids are those of requests that may still live.
                    let reused = Int.random(in: 0..<10, using: &dice) == 0
                    let id = "storm-\(reused ? Int.random(in: 0...index, using: &dice) : index + 1000)"
                    let start = Demo.prompt(60, seed: UInt64.random(in: 0..<4, using: &dice))
                    let prompt = start.prefix(.random(in: 1...60, using: &dice)) + [Int32(index + 100)]
                    let tokens = Int.random(in: 1...60, using: &dice)
                    let seed = dice.next()
                    let stream = try engine.submit(
                        Demo.request(id, Array(prompt), tokens: tokens) {
                            $0.temperature = 1
                            $0.seed = seed
                            $0.ignoreEOS = seed % 2 == 0
                        })
                    accepted += 1
                    let fate = Int.random(in: 0..<10, using: &dice)
                    let pause = Int.random(in: 0..<30, using: &dice)
                    group.addTask {
                        switch fate {
                        case 0, 1:
                            try? await Task.sleep(for: .milliseconds(pause))
                            engine.abort(requestID: id)
                        case 2:
                            // Reads a little and goes.
                            var left = pause
                            for await _ in stream {
                                left -= 1
                                if left < 0 { return nil }
                            }
                            return nil
                        case 3: return nil
                        default: break
                        }
                        return await Answer.of(stream)
                    }
                    if pause == 0 { try await Task.sleep(for: .milliseconds(5)) }
                }
                var answers: [Answer] = []
                for try await answer in group { if let answer { answers.append(answer) } }
                return answers
            }
            #expect(answers.count > 200)
            for answer in answers { #expect(answer.flaws == [], "seed \(seed)") }
            let refused = answers.count { answer in
                if case .failed(.duplicateID)? = answer.ends.first { true } else { false }
            }
            #expect(answers.contains { $0.ends == [.aborted] })
            #expect(answers.contains { $0.ends == [.length] })
            #expect(await engine.reaches { $0.runningRequests + $0.waitingRequests == 0 }, "seed \(seed)")
            let statistics = await engine.statistics()
            let ended = statistics.finishedRequests + statistics.abortedRequests
            // Of those whose stream was dropped nobody saw whether their id was taken.
            #expect(ended <= accepted - refused && ended >= accepted - refused - 90, "seed \(seed)")
        }
    }
}
