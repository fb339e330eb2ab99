import EngineInterface
import Scheduling
import Testing

/// The time between two tokens of a running stream, on a simulated machine whose steps cost what they would.
struct PacingTests {
    /// Seconds of a step: reading the weights, then each row, dearer as its context grows.
    private struct Machine {
        var step = 0.02
        var row = 0.001
        var perContext = 0.000_000_5

        func seconds(_ plan: StepPlan) -> Double {
            plan.entries.reduce(step) { sum, entry in
                entry.tokens.indices.reduce(sum) { $0 + row + Double(entry.startPosition + $1) * perContext }
            }
        }
    }

    /// Runs two streams, and long prompts that keep coming.
    /// - Returns: the longest gap of the streams, and the rows of prompts computed in a second.
    private func run(limit: Double?, machine: Machine, running: Int = 4) throws -> (gap: Double, speed: Double) {
        var configuration = SchedulerConfiguration(totalPages: 4000, contextLength: 20000, vocabularySize: 50000)
        configuration.chunkedPrefillSize = 512
        configuration.maxBatchTokens = 512 + running
        configuration.maxRunningRequests = running
        configuration.maxGapSeconds = limit
        let scheduler = Scheduler(configuration)
        var now = 0.0
        var lastToken: [Int: Double] = [:]
        var gap = 0.0
        var rows = 0
        var documents = 0
        let streams = try (0..<2).map { number in
            try scheduler.submit(request("s\(number)", [Int32(number), 7], maxTokens: 2000), now: 0)
        }
        for step in 0..<1500 {
            if step % 40 == 20 {
                let first = Int32(1000 + documents * 10)
                _ = try scheduler.submit(
                    request("d\(documents)", (0..<4000).map { first + $0 }, maxTokens: 1), now: now)
                documents += 1
            }
            guard let plan = scheduler.plan(now: now) else { break }
            now += machine.seconds(plan)
            rows += plan.entries.reduce(0) { $0 + ($1.tokens.count > 1 ? $1.tokens.count : 0) }
            let samples = plan.entries.filter(\.samples).map {
                StepResult.Sample(sequence: $0.sequence, token: GeneratedToken(id: 9))
            }
            for event in scheduler.commit(StepResult(samples: samples), now: now) {
                guard streams.contains(event.sequence), case .token = event.event else { continue }
                if let last = lastToken[event.sequence] { gap = max(gap, now - last) }
                lastToken[event.sequence] = now
            }
            if step > 1400 { break }
        }
        #expect(documents > 20 && scheduler.checkInvariants().isEmpty)
        return (gap, Double(rows) / now)
    }

    /// The smallest chunk takes up to 0.07 s on this machine, so no smaller bound can be kept.
    @Test(arguments: [0.1, 0.25, 1])
    func theGapOfRunningStreamsIsBounded(limit: Double) throws {
        let result = try run(limit: limit, machine: Machine())
        #expect(result.gap <= limit, "\(result.gap) s")
        #expect(result.speed > 100, "prefill goes on: \(result.speed) tokens a second")
    }

    @Test func withoutABoundAChunkIsAsLongAsItIs() throws {
        let free = try run(limit: nil, machine: Machine())
        #expect(free.gap > 0.5)
        let bounded = try run(limit: 0.25, machine: Machine())
        #expect(bounded.speed > 0.75 * free.speed, "\(bounded.speed) against \(free.speed)")
    }

    /// On a machine ten times slower the same bound makes the chunks ten times smaller.
    @Test func theBoundFollowsTheMeasuredSpeed() throws {
        let slow = Machine(step: 0.05, row: 0.01, perContext: 0.000_001)
        let result = try run(limit: 0.7, machine: slow)
        #expect(result.gap <= 0.7, "\(result.gap) s")
    }

    /// A bound that no step can keep does not stop prefill.
    @Test func prefillNeverStandsStill() throws {
        let result = try run(limit: 0.001, machine: Machine())
        #expect(result.speed > 100)
        #expect(result.gap < 0.1)
    }
}
