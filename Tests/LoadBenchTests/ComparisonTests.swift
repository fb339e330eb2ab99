import Glibc
import LoadBench
import Statistics
import Testing
import WireTypes

struct ComparisonTests {
    /// Latencies of both servers for the same requests, with noise between requests and between repetitions.
    private func pairs(
        repetitions: Int, count: Int, ratio: Double, runNoise: Double, _ random: inout RandomSource
    ) -> [[(a: Double, b: Double)]] {
        func noise(_ size: Double) -> Double {
            // Twelve uniform numbers make a normal one, near enough.
            exp(size * ((0..<12).reduce(0.0) { sum, _ in sum + random.unit() } - 6))
        }
        return (0..<repetitions).map { _ in
            let runA = noise(runNoise)
            let runB = noise(runNoise) * ratio
            return (0..<count).map { _ in
                let shared = noise(0.4)
                return (shared * noise(0.2) * runA, shared * noise(0.2) * runB)
            }
        }
    }

    @Test func aRealDifferenceIsFoundAndTheIntervalHoldsIt() {
        var random = RandomSource(seed: 5)
        var found = 0
        var holds = 0
        for _ in 0..<40 {
            let interval = Bootstrap.interval(
                pairs(repetitions: 5, count: 40, ratio: 1.5, runNoise: 0.05, &random), rounds: 200, statistic: \.median)
            if interval.isDifferent, interval.low > 1 { found += 1 }
            if interval.low <= 1.5, interval.high >= 1.5 { holds += 1 }
        }
        #expect(found >= 38 && holds >= 34, "\(found) found, \(holds) hold the truth")
    }

    /// The test that matters: a server compared with itself must not win.
    @Test(arguments: [3, 5]) func equalServersGetNoVerdict(repetitions: Int) {
        var random = RandomSource(seed: 6)
        var wrong = 0
        for _ in 0..<60 {
            let pairs = pairs(repetitions: repetitions, count: 30, ratio: 1, runNoise: 0.1, &random)
            if Bootstrap.interval(pairs, rounds: 200, statistic: \.median).isDifferent { wrong += 1 }
        }
        // 5% are allowed; 60 trials give up to 8 with a probability of 99.8%.
        #expect(wrong <= 8, "\(wrong) of 60")
    }

    @Test func wholeRunsUseStudentsT() {
        let interval = Bootstrap.interval(runs: [(100, 110), (100, 121), (100, 110)])
        #expect(abs(interval.ratio - exp((2 * log(1.1) + log(1.21)) / 3)) < 1e-12)
        // Half width: t(2) * s / sqrt(3) with s = log(1.1) / sqrt(3).
        #expect(abs(log(interval.high / interval.ratio) - 4.303 * log(1.1) / 3) < 1e-9)
        #expect(!Bootstrap.interval(runs: [(1, 2)]).isDifferent)
        #expect(!Bootstrap.interval(runs: [(1, 2), (1, 2)]).isDifferent)
        #expect(Bootstrap.interval(runs: [(1, 2), (1, 2.01), (1, 2)]).isDifferent)
    }

    @Test func targetsAreReadInAllSpellings() {
        #expect(
            Comparison.Target("http://h:1", backend: .sglang) == .init(name: "h:1", url: "http://h:1", backend: .sglang)
        )
        #expect(
            Comparison.Target("llama.cpp=http://h:1", backend: .radish)
                == .init(name: "llama.cpp", url: "http://h:1", backend: .llamaCpp))
        #expect(
            Comparison.Target("b=vllm@https://h/x", backend: .radish)
                == .init(name: "b", url: "https://h/x", backend: .vllm))
        #expect(Comparison.Target("b=h:1", backend: .radish) == nil)
    }

    @Test func runsAreInterleavedAndTurnAround() {
        let targets = ["a=http://a", "b=http://b"].compactMap { Comparison.Target($0, backend: .radish) }
        let comparison = Comparison(targets: targets, rates: [.infinity], repetitions: 4)
        #expect(comparison.schedule.map(\.target) == [0, 1, 1, 0, 0, 1, 1, 0])
    }

    @Test func aReportIsOneFileWithoutNetwork() {
        let targets = ["a<b=http://a", "b=http://b"].compactMap { Comparison.Target($0, backend: .radish) }
        var comparison = Comparison(targets: targets, rates: [2, 4], repetitions: 3)
        for step in comparison.schedule {
            comparison.samples.append(
                .init(
                    target: step.target, rate: step.rate, repetition: step.repetition,
                    run: run(slow: step.target == 1 ? 2 : 1, repetition: step.repetition)))
        }
        let line = comparison.lines(rate: 4, other: 1).first { $0.metric == .medianTTFT }
        #expect(line.map { ComparisonTable.verdict($0, base: "a", other: "b") } == "a better")
        #expect(line.map { abs($0.advantage.ratio - 0.5) < 0.01 } == true)
        let page = HTMLReport.page(comparison, work: "w", machine: "m", command: "c", date: "d")
        #expect(page.contains("a&lt;b") && !page.contains("a<b"))
        #expect(page.count(of: "<svg ") >= 20 && page.count(of: "<svg ") == page.count(of: "</svg>"))
        for external in ["<script", "src=", "href=", "@import", "url("] { #expect(!page.contains(external)) }
        #expect(!page.contains("NaN") && !page.contains("nan") && !page.contains("inf"))
        #expect(ComparisonTable.text(comparison).contains("0.50x"))
    }

    private func run(slow: Double, repetition: Int) -> ServingRun {
        let outcomes = (0..<20).map { index -> RequestOutcome in
            var outcome = RequestOutcome(
                item: index, planned: 0, start: Double(index) / 10, promptTokens: 8, outputTokens: 5)
            let noise = 1 + Double((index * 7 + repetition * 3) % 5) / 100
            outcome.timeToFirstToken = 0.1 * slow * noise
            outcome.interTokenTimes = Array(repeating: 0.02 * slow * noise, count: 4)
            outcome.latency = outcome.timeToFirstToken + 0.08 * slow * noise
            return outcome
        }
        return ServingRun(
            arguments: .init(backend: .radish, datasetName: "random"), outcomes: outcomes,
            summary: ServingSummary(outcomes, seconds: 2 * slow) { _ in 5 },
            overhead: ClientOverhead(
                sendDelays: [], timerDelays: [], processorSeconds: 0, readingSeconds: 0, seconds: 2, chunks: 0),
            cache: CacheState(start: .init(), end: .init(), flushed: true), serverInformation: .null)
    }
}

extension String {
    fileprivate func count(of part: String) -> Int {
        split(separator: part, omittingEmptySubsequences: false).count - 1
    }
}
