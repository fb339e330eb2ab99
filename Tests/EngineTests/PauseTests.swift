import Engine
import EngineInterface
import Testing

struct PauseTests {
    @Test func pausedRequestsGoOnWithTheSameText() async throws {
        try await Demo.withEngine { engine in
            let request = Demo.request("plain", Demo.prompt(40, seed: 3), tokens: 30)
            let expected = try await engine.answer(request)
            for mode in [PauseMode.inPlace, .retract] {
                let stream = try engine.submit(request)
                await engine.pause(mode)
                let statistics = await engine.statistics()
                if mode == .retract { #expect(statistics.leasedPages == 0 && statistics.runningRequests == 0) }
                let steps = statistics.steps
                try await Task.sleep(for: .milliseconds(30))
                #expect(await engine.statistics().steps == steps)
                engine.resume()
                #expect(await Answer.of(stream).ids == expected.ids)
            }
        }
    }

    @Test func aPauseThatAbortsEndsAll() async throws {
        try await Demo.withEngine { engine in
            let streams = try (0..<3).map { try engine.submit(Demo.request("r\($0)", [10, 11], tokens: 3000)) }
            await engine.pause(.abort)
            for stream in streams { #expect(await Answer.of(stream).ends == [.aborted]) }
            let waiting = try engine.submit(Demo.request("w", [10, 11], tokens: 2))
            engine.resume()
            #expect(await Answer.of(waiting).tokens.count == 2)
        }
    }

    @Test func aRecordingHasThePhasesOfEachStep() async throws {
        try await Demo.withEngine { engine in
            #expect(await engine.stopProfile().isEmpty)
            engine.startProfile()
            _ = try await engine.answer(Demo.request("r", Demo.prompt(20, seed: 4), tokens: 3))
            let spans = await engine.stopProfile()
            let forwards = spans.filter { $0.name == "forward" }
            #expect(forwards.map(\.rows) == [20, 1, 1])
            #expect(forwards.map(\.sequences) == [1, 1, 1])
            for name in ["plan", "sample", "commit"] { #expect(spans.count { $0.name == name } >= 3) }
            for (earlier, later) in zip(spans, spans.dropFirst()) {
                // A sample lies in no forward; each begins when the one before has ended.
                #expect(later.start >= earlier.start + earlier.duration - 0.001)
            }
            #expect(await engine.stopProfile().isEmpty)
        }
    }
}
