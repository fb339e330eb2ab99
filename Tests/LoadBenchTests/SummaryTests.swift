import LoadBench
import Statistics
import Testing
import WireTypes

struct SummaryTests {
    private func outcome(
        start: Double, first: Double, gaps: [Double], latency: Double, cached: Int? = nil
    ) -> RequestOutcome {
        var outcome = RequestOutcome(
            item: 0, planned: start, start: start, promptTokens: 10, outputTokens: gaps.count + 1)
        outcome.timeToFirstToken = first
        outcome.interTokenTimes = gaps
        outcome.latency = latency
        outcome.serverPromptTokens = 12
        outcome.cachedTokens = cached
        outcome.text = "abc"
        return outcome
    }

    private var outcomes: [RequestOutcome] {
        var failed = RequestOutcome(item: 2, planned: 0, start: 0.5, promptTokens: 10, outputTokens: 4)
        failed.error = "no"
        return [
            outcome(start: 0, first: 0.5, gaps: [0.5, 0.5], latency: 1.5, cached: 6),
            outcome(start: 0.25, first: 0.25, gaps: [1], latency: 1.25, cached: 0), failed,
        ]
    }

    @Test func numbersAreSGLangs() {
        let summary = ServingSummary(outcomes, seconds: 2) { $0.utf8.count }
        #expect(summary.completed == 2 && summary.failed == 1)
        #expect(summary.inputTokens == 20 && summary.outputTokens == 5 && summary.retokenizedOutputTokens == 6)
        #expect(summary.serverInputTokens == 24 && summary.cacheHitRate == 0.25)
        #expect(summary.requestThroughput == 1 && summary.outputThroughput == 2.5 && summary.totalThroughput == 12.5)
        #expect(summary.timeToFirstToken.mean == 0.375)
        #expect(summary.timePerOutputToken.sorted == [0.5, 1])
        #expect(summary.interTokenTime.sorted == [0.5, 0.5, 1])
        #expect(summary.concurrency == 1.375)
        // Seconds after the first start: tokens at 0.5, 1, 1.5 and at 0.5, 1.5.
        #expect(summary.peakOutputTokens == 3 && summary.peakConcurrency == 2)
    }

    @Test func goodputNeedsEveryLimit() {
        let limits = ["ttft:300", "tpot:600"].compactMap(Goodput.Limit.init)
        let goodput = Goodput(outcomes, limits: limits, seconds: 2)
        // The first meets only tpot, the second only ttft, the third failed.
        #expect(goodput.requestsPerSecond == 0 && goodput.attainment == 0)
        #expect(goodput.attainmentByMetric.map(\.share) == [1.0 / 3, 1.0 / 3])
        let one = Goodput(outcomes, limits: [Goodput.Limit(.e2el, milliseconds: 1300)], seconds: 2)
        #expect(one.requestsPerSecond == 0.5 && one.attainment == 1.0 / 3)
        #expect(Goodput.Limit("ttft:0") == nil && Goodput.Limit("itl:5") == nil && Goodput.Limit("ttft") == nil)
    }

    private func run() -> ServingRun {
        var arguments = ServingRun.Arguments(backend: .sglang, datasetName: "random")
        arguments.requestRate = .infinity
        return ServingRun(
            arguments: arguments, outcomes: outcomes,
            summary: ServingSummary(outcomes, seconds: 2) { $0.utf8.count },
            overhead: ClientOverhead(
                sendDelays: [0.001], timerDelays: [0.0001], processorSeconds: 0.1, readingSeconds: 0.01, seconds: 2,
                chunks: 5),
            cache: CacheState(
                start: .init(promptTokens: 100, cachedPromptTokens: 10, residentTokens: 64),
                end: .init(promptTokens: 124, cachedPromptTokens: 16, residentTokens: 80), flushed: false),
            serverInformation: .null)
    }

    @Test func resultLineHasSGLangsKeysInSGLangsOrder() throws {
        let object = ServingRecord.object(run())
        #expect(Array(object.members.map(\.name).prefix(ServingRecord.keys.count)) == ServingRecord.keys)
        #expect(object.members.map(\.name).dropFirst(ServingRecord.keys.count) == ["radish"])
        #expect(object["request_rate"] == .string("inf"))
        #expect(object["mean_ttft_ms"] == .number(375))
        var writer = JSONWriter()
        writer.value(.object(ServingRecord.object(run(), details: true)))
        #expect(try JSONParser.parse(writer.bytes) == .object(ServingRecord.object(run(), details: true)))
        #expect(ServingRecord.fileName(run().arguments, date: "1124") == "sglang_1124_1000_1024_1024.jsonl")
    }

    @Test func tableHasSGLangsRows() {
        var run = run()
        run.reportsCache = true
        run.goodput = Goodput(outcomes, limits: [Goodput.Limit(.ttft, milliseconds: 300)], seconds: 2)
        let lines = ServingTable.text(run).split(separator: "\n").map(String.init)
        #expect(lines[0] == "============ Serving Benchmark Result ============")
        #expect(lines.contains("Backend:                                 sglang    "))
        #expect(lines.contains("Traffic request rate:                    inf       "))
        #expect(lines.contains("Mean TTFT (ms):                          375.00    "))
        #expect(lines.contains("---------------Inter-Token Latency----------------"))
        #expect(lines.contains("SLOs (ms):                               ttft:300  "))
        for name in [
            "Max request concurrency:", "Successful requests:", "Benchmark duration (s):", "Total input tokens:",
            "Total input text tokens:", "Total generated tokens:", "Total generated tokens (retokenized):",
            "Request throughput (req/s):", "Input token throughput (tok/s):", "Output token throughput (tok/s):",
            "Peak output token throughput (tok/s):", "Peak concurrent requests:", "Total token throughput (tok/s):",
            "Concurrency:", "Mean E2E Latency (ms):", "Median E2E Latency (ms):", "P90 E2E Latency (ms):",
            "P95 E2E Latency (ms):", "P99 E2E Latency (ms):", "Median TTFT (ms):", "P99 TPOT (ms):", "P95 ITL (ms):",
            "Max ITL (ms):", "Total cached tokens:", "Cache hit rate:", "Cache before the run:",
            "P99 timer delay (ms):",
        ] {
            #expect(lines.contains { $0.hasPrefix(name) }, "\(name)")
        }
        #expect(lines.contains { $0.contains("primed (64 tokens)") })
        #expect(lines.contains { $0.contains("25.0%") })
    }

    @Test func cacheStateIsToldFromCounters() {
        let start = CacheState.Reading(promptTokens: 0)
        #expect(CacheState(start: start, end: start, flushed: false).before == .cold)
        let nothing = CacheState.Reading()
        #expect(CacheState(start: nothing, end: nothing, flushed: false).before == .unknown)
        #expect(CacheState(start: nothing, end: nothing, flushed: true).before == .cold)
        let metrics = """
            # HELP vllm:prefix_cache_queries_total tokens
            vllm:prefix_cache_queries_total{model="a"} 100.0
            vllm:prefix_cache_hits_total{model="a"} 25.0
            """
        #expect(CacheState.Reading(metrics: metrics) == .init(promptTokens: 100, cachedPromptTokens: 25))
    }

    @Test func promptsOfAnEarlierRunAreCalledOut() {
        let dataset = RandomDataset(count: 40, inputLength: 300, outputLength: 4, rangeRatio: 1)
        let items = dataset.items(codec: byteCodec, seed: 1)
        var history = PromptHistory()
        #expect(history.overlap(items, server: "a") == nil)
        history.add(items, server: "a", time: "then", forgets: false)
        history = PromptHistory(lines: DatasetFile.lines(history.bytes))
        #expect(history.overlap(items, server: "a") == .init(share: 1, earlier: "then"))
        #expect(history.overlap(items, server: "b") == nil)
        #expect(history.overlap(dataset.items(codec: byteCodec, seed: 2), server: "a") == nil)
        let mixed = Array(items.prefix(10)) + dataset.items(codec: byteCodec, seed: 3).prefix(30)
        #expect(history.overlap(mixed, server: "a")?.share == 0.25)
        history.add([], server: "a", time: "flushed", forgets: true)
        #expect(history.overlap(items, server: "a") == nil)
    }
}
