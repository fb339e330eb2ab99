import Engine
import EngineInterface
import Testing

struct ShutdownTests {
    @Test func runningRequestsFinish() async throws {
        let gate = StepGate()
        let engine = try await Demo.start(gate: gate) { $0.maxRunningRequests = 1 }
        gate.close()
        let running = try engine.submit(Demo.request("running", Demo.prompt(20, seed: 1), tokens: 12))
        let waiting = try engine.submit(Demo.request("waiting", Demo.prompt(20, seed: 2), tokens: 12))
        #expect(await gate.pass(2))
        let ending = Task { await engine.shutdown() }
        let alsoEnding = Task { await engine.shutdown() }
        #expect(await Self.refuses(engine))
        // A second one is told the same.
        #expect(throws: RequestError.shuttingDown) { try engine.submit(Demo.request("late", [10])) }
        gate.open()
        for stream in [running, waiting] {
            let answer = await Answer.of(stream)
            #expect(answer.flaws == [] && answer.ends == [.length] && answer.tokens.count == 12)
        }
        await ending.value
        await alsoEnding.value
        #expect(throws: RequestError.shuttingDown) { try engine.submit(Demo.request("later", [10])) }
        // Nobody is there any more, but nobody waits for an answer either.
        engine.abort(requestID: "running")
        #expect(await engine.flushCache() == false)
        #expect(await engine.statistics() == EngineStatistics())
        await engine.shutdown()
        #expect(await gate.backendIsGone())
    }

    @Test func idleEngineEnds() async throws {
        let gate = StepGate()
        let engine = try await Demo.start(gate: gate)
        await engine.shutdown()
        #expect(await gate.backendIsGone())
    }

    @Test func abortDuringShutdown() async throws {
        let gate = StepGate()
        let engine = try await Demo.start(gate: gate)
        gate.close()
        let stream = try engine.submit(Demo.request("long", Demo.prompt(20, seed: 1), tokens: 1500))
        #expect(await gate.pass(2))
        let ending = Task { await engine.shutdown() }
        #expect(await Self.refuses(engine))
        engine.abort(requestID: "long")
        gate.open()
        let answer = await Answer.of(stream)
        #expect(answer.flaws == [] && answer.ends == [.aborted])
        await ending.value
    }

    /// The last handle's end is the engine's: running streams finish, then thread and memory go.
    @Test func droppedHandleEndsTheEngine() async throws {
        let gate = StepGate()
        var engine: EngineHandle? = try await Demo.start(gate: gate)
        gate.close()
        let stream = try #require(engine).submit(Demo.request("running", Demo.prompt(20, seed: 1), tokens: 12))
        #expect(await gate.pass(2))
        engine = nil
        gate.open()
        let answer = await Answer.of(stream)
        #expect(answer.flaws == [] && answer.ends == [.length] && answer.tokens.count == 12)
        #expect(await gate.backendIsGone())
    }

    /// Requests that race with the end are refused at once or answered to the end, never lost.
    @Test func submissionsRaceWithTheEnd() async throws {
        for round in 0..<10 {
            let engine = try await Demo.start()
            let counts = await withTaskGroup(of: (answered: Int, refused: Int).self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var counts = (answered: 0, refused: 0)
                        for number in 0..<200 where counts.refused == 0 {
                            let request = Demo.request("\(worker)-\(number)", [Int32(10 + worker)], tokens: 2)
                            guard let stream = try? engine.submit(request) else {
                                counts.refused += 1
                                continue
                            }
                            let answer = await Answer.of(stream)
                            #expect(answer.flaws == [])
                            #expect(answer.ends == [.length] || answer.ends == [.failed(.shuttingDown)])
                            counts.answered += 1
                        }
                        return counts
                    }
                }
                try? await Task.sleep(for: .milliseconds(round))
                await engine.shutdown()
                return await group.reduce(into: (answered: 0, refused: 0)) { sum, counts in
                    sum.answered += counts.answered
                    sum.refused += counts.refused
                }
            }
            #expect(counts.refused + counts.answered >= 4, "\(counts)")
        }
    }

    /// Waits until the engine takes no more requests.
    private static func refuses(_ engine: EngineHandle) async -> Bool {
        for number in 0..<5000 {
            do {
                // Dropped at once where it is still taken.
                _ = try engine.submit(Demo.request("probe-\(number)", [10], tokens: 1))
            } catch { return error == .shuttingDown }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }
}
