import Statistics

/// The table of SGLang's `bench_serving`, row for row, so that what reads one reads the other; what only Radish tells
/// comes behind it, inside the same frame.
package enum ServingTable {
    package static func text(_ run: ServingRun) -> String {
        let summary = run.summary
        var lines = [" Serving Benchmark Result ".centred(in: 50, fill: "=")]
        func row(_ name: String, _ value: String) { lines.append(name.padded(to: 40) + " " + value.padded(to: 10)) }
        func row(_ name: String, _ value: Int) { row(name, "\(value)") }
        func row(_ name: String, _ value: Double) { row(name, value.fixed(2)) }
        func section(_ name: String) { lines.append(name.centred(in: 50, fill: "-")) }
        func latencies(_ name: String, _ values: Distribution) {
            row("Mean \(name) (ms):", values.mean * 1000)
            row("Median \(name) (ms):", values.median * 1000)
            row("P90 \(name) (ms):", values.percentile(90) * 1000)
            row("P95 \(name) (ms):", values.percentile(95) * 1000)
            row("P99 \(name) (ms):", values.percentile(99) * 1000)
        }
        row("Backend:", run.arguments.backend.rawValue)
        row("Traffic request rate:", run.arguments.requestRateText)
        row("Max request concurrency:", run.arguments.maxConcurrency.map(String.init) ?? "not set")
        row("Successful requests:", summary.completed)
        row("Benchmark duration (s):", summary.seconds)
        row("Total input tokens:", summary.inputTokens)
        row("Total input text tokens:", summary.inputTokens)
        row("Total generated tokens:", summary.outputTokens)
        row("Total generated tokens (retokenized):", summary.retokenizedOutputTokens)
        row("Request throughput (req/s):", summary.requestThroughput)
        row("Input token throughput (tok/s):", summary.inputThroughput)
        row("Output token throughput (tok/s):", summary.outputThroughput)
        row("Peak output token throughput (tok/s):", summary.peakOutputTokens)
        row("Peak concurrent requests:", summary.peakConcurrency)
        row("Total token throughput (tok/s):", summary.totalThroughput)
        row("Concurrency:", summary.concurrency)
        if let acceptLength = run.acceptLength { row("Accept length:", acceptLength) }
        if let goodput = run.goodput {
            section("Goodput")
            row(
                "SLOs (ms):",
                goodput.limits.map { "\($0.metric.rawValue):\(short($0.milliseconds))" }.joined(separator: " "))
            row("Request goodput (req/s):", goodput.requestsPerSecond)
            row("SLO attainment (%):", goodput.attainment * 100)
            for (metric, share) in goodput.attainmentByMetric {
                row("\(metric.rawValue.uppercased()) SLO attainment (%):", share * 100)
            }
        }
        section("End-to-End Latency")
        latencies("E2E Latency", summary.latency)
        section("Time to First Token")
        latencies("TTFT", summary.timeToFirstToken)
        section("Time per Output Token (excl. 1st token)")
        latencies("TPOT", summary.timePerOutputToken)
        section("Inter-Token Latency")
        latencies("ITL", summary.interTokenTime)
        row("Max ITL (ms):", summary.interTokenTime.maximum * 1000)
        if run.reportsCache {
            section("Cache Hit Details")
            row("Total prompt tokens:", summary.serverInputTokens ?? summary.inputTokens)
            row("Total cached tokens:", summary.cachedTokens ?? 0)
            // Only where there is something to divide.
            let tiers = summary.cachedByTier.flatMap { summary.cachedTokens ?? 0 > 0 ? $0 : nil }
            let storage = "  Storage" + (tiers?.storageBackend.map { " (\($0)):" } ?? ":")
            if let tiers {
                row("  Device:", tiers.device)
                row("  Host:", tiers.host)
                if tiers.storage > 0 { row(storage, tiers.storage) }
            }
            row("Cache hit rate:", percent(summary.cacheHitRate ?? 0))
            if let tiers, let all = summary.cachedTokens {
                row("  Device:", percent(Double(tiers.device) / Double(all)))
                row("  Host:", percent(Double(tiers.host) / Double(all)))
                if tiers.storage > 0 { row(storage, percent(Double(tiers.storage) / Double(all))) }
            }
        }
        section("Prefix Cache")
        row("Cache before the run:", run.cache.before.words)
        row("Cached prompt tokens (client's view):", summary.cacheHitRate.map(percent) ?? "not told")
        row("Cached prompt tokens (server's view):", run.cache.serverHitRate.map(percent) ?? "not told")
        section("Client")
        let overhead = run.overhead
        if !overhead.sendDelays.isEmpty {
            let delays = Distribution(overhead.sendDelays)
            row("Median sending delay (ms):", delays.median * 1000)
            row("P99 sending delay (ms):", delays.percentile(99) * 1000)
        }
        row("P99 timer delay (ms):", Distribution(overhead.timerDelays).percentile(99) * 1000)
        row("Client CPU (% of one core):", overhead.processorShare * 100)
        row("Reading events (% of one core):", overhead.readingShare * 100)
        row("Streamed events (1/s):", overhead.chunksPerSecond)
        lines.append(String(repeating: "=", count: 50))
        lines += remarks(run)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Sentences below the table: what would make its numbers mean something else.
    static func remarks(_ run: ServingRun) -> [String] {
        var remarks: [String] = []
        if run.summary.failed > 0 {
            var kinds: [String: Int] = [:]
            for outcome in run.outcomes { if let error = outcome.error { kinds[error, default: 0] += 1 } }
            let worst = kinds.max { ($0.value, $1.key) < ($1.value, $0.key) }
            remarks.append(
                "\(run.summary.failed) requests failed; most often (\(worst?.value ?? 0)): \(worst?.key.prefix(300) ?? "")"
            )
        }
        if let overlap = run.sharedPrompts { remarks.append(overlap.sentence) }
        if run.overhead.isBusy {
            remarks.append(
                "The client was busy: its delays are part of these numbers. Use fewer streams, --client-threads, or "
                    + "another machine for it.")
        }
        return remarks
    }

    private static func percent(_ share: Double) -> String { (share * 100).fixed(1) + "%" }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? value.fixed(0) : "\(value)"
    }
}

extension ClientOverhead {
    package var processorShare: Double { seconds > 0 ? processorSeconds / seconds : 0 }
    package var readingShare: Double { seconds > 0 ? readingSeconds / seconds : 0 }
    package var chunksPerSecond: Double { seconds > 0 ? Double(chunks) / seconds : 0 }
    /// Whether the client's own delays may be seen in the results.
    package var isBusy: Bool {
        readingShare > 0.7 || Distribution(sendDelays).percentile(99) > 0.05
            || Distribution(timerDelays).percentile(99) > 0.02
    }
}
