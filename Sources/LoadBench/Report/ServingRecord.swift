import Statistics
package import WireTypes

/// One line of the result file: SGLang's keys in SGLang's order, then one key of our own, `radish`.
package enum ServingRecord {
    /// What SGLang 0.5 writes for every run, in its order.
    package static let keys = [
        "tag", "backend", "dataset_name", "request_rate", "max_concurrency", "sharegpt_output_len",
        "random_input_len", "random_output_len", "random_range_ratio", "server_info", "duration", "completed",
        "total_input_tokens", "total_input_text_tokens", "total_input_vision_tokens", "total_output_tokens",
        "total_output_tokens_retokenized", "request_throughput", "input_throughput", "output_throughput",
        "total_throughput", "mean_e2e_latency_ms", "median_e2e_latency_ms", "std_e2e_latency_ms",
        "p90_e2e_latency_ms", "p95_e2e_latency_ms", "p99_e2e_latency_ms", "mean_ttft_ms", "median_ttft_ms",
        "std_ttft_ms", "p90_ttft_ms", "p95_ttft_ms", "p99_ttft_ms", "mean_tpot_ms", "median_tpot_ms", "std_tpot_ms",
        "p90_tpot_ms", "p95_tpot_ms", "p99_tpot_ms", "mean_itl_ms", "median_itl_ms", "std_itl_ms", "p90_itl_ms",
        "p95_itl_ms", "p99_itl_ms", "concurrency", "accept_length", "max_output_tokens_per_s",
        "max_concurrent_requests",
    ]

    /// - Parameter details: adds lengths, times and texts of each request (`--output-details`).
    package static func object(_ run: ServingRun, details: Bool = false) -> JSONObject {
        let summary = run.summary
        let arguments = run.arguments
        var object = JSONObject()
        object.set("tag", arguments.tag.map { .string($0) } ?? .null)
        object.set("backend", .string(arguments.backend.rawValue))
        object.set("dataset_name", .string(arguments.datasetName))
        // JSON has no infinity; the word reads back as one in Python's float().
        let rate = arguments.requestRate
        object.set("request_rate", rate.map { $0.isFinite ? .number($0) : .string("inf") } ?? .string("trace"))
        object.set("max_concurrency", arguments.maxConcurrency.map { .int($0) } ?? .null)
        object.set("sharegpt_output_len", arguments.sharegptOutputLength.map { .int($0) } ?? .null)
        object.set("random_input_len", .int(arguments.randomInputLength))
        object.set("random_output_len", .int(arguments.randomOutputLength))
        object.set("random_range_ratio", .number(arguments.randomRangeRatio))
        object.set("server_info", run.serverInformation)
        object.set("duration", .number(summary.seconds))
        object.set("completed", .int(summary.completed))
        object.set("total_input_tokens", .int(summary.inputTokens))
        object.set("total_input_text_tokens", .int(summary.inputTokens))
        object.set("total_input_vision_tokens", .int(0))
        object.set("total_output_tokens", .int(summary.outputTokens))
        object.set("total_output_tokens_retokenized", .int(summary.retokenizedOutputTokens))
        object.set("request_throughput", .number(summary.requestThroughput))
        object.set("input_throughput", .number(summary.inputThroughput))
        object.set("output_throughput", .number(summary.outputThroughput))
        object.set("total_throughput", .number(summary.totalThroughput))
        for (name, values) in [
            ("e2e_latency", summary.latency), ("ttft", summary.timeToFirstToken), ("tpot", summary.timePerOutputToken),
            ("itl", summary.interTokenTime),
        ] {
            object.set("mean_\(name)_ms", .number(values.mean * 1000))
            object.set("median_\(name)_ms", .number(values.median * 1000))
            object.set("std_\(name)_ms", .number(values.deviation * 1000))
            for percent in [90, 95, 99] {
                object.set("p\(percent)_\(name)_ms", .number(values.percentile(Double(percent)) * 1000))
            }
        }
        object.set("concurrency", .number(summary.concurrency))
        object.set("accept_length", run.acceptLength.map { .number($0) } ?? .null)
        object.set("max_output_tokens_per_s", .number(summary.peakOutputTokens))
        object.set("max_concurrent_requests", .int(summary.peakConcurrency))
        if let goodput = run.goodput { add(goodput, to: &object) }
        if run.reportsCache { object.set("cache_report", cacheReport(summary)) }
        object.set("radish", own(run))
        if details { add(run.outcomes, to: &object) }
        return object
    }

    private static func add(_ goodput: Goodput, to object: inout JSONObject) {
        object.set(
            "goodput_slos_ms",
            .object(JSONObject(goodput.limits.map { ($0.metric.rawValue, .number($0.milliseconds)) })))
        object.set("request_goodput", .number(goodput.requestsPerSecond))
        object.set("slo_attainment", .number(goodput.attainment))
        object.set(
            "slo_attainment_by_metric",
            .object(JSONObject(goodput.attainmentByMetric.map { ($0.metric.rawValue, .number($0.share)) })))
    }

    private static func cacheReport(_ summary: ServingSummary) -> JSONValue {
        let prompt = summary.serverInputTokens ?? summary.inputTokens
        return .object(
            JSONObject([
                ("total_prompt_tokens", .int(prompt)), ("total_cached_tokens", .int(summary.cachedTokens ?? 0)),
                ("cache_hit_rate_pct", .number(((summary.cacheHitRate ?? 0) * 10000).rounded() / 100)),
                ("device_cached_tokens", summary.cachedByTier.map { .int($0.device) } ?? .null),
                ("host_cached_tokens", summary.cachedByTier.map { .int($0.host) } ?? .null),
                (
                    "storage_cached_tokens",
                    summary.cachedByTier.flatMap { $0.storage > 0 ? .int($0.storage) : nil } ?? .null
                ),
                ("storage_backend", summary.cachedByTier?.storageBackend.map { .string($0) } ?? .null),
            ]))
    }

    private static func own(_ run: ServingRun) -> JSONValue {
        let overhead = run.overhead
        var object = JSONObject([
            ("seed", .int(run.arguments.seed)), ("num_prompts", .int(run.arguments.promptCount)),
            ("failed", .int(run.summary.failed)),
            ("server_input_tokens", run.summary.serverInputTokens.map { .int($0) } ?? .null),
            ("max_itl_ms", .number(run.summary.interTokenTime.maximum * 1000)),
            ("p50_p90_p95_p99_max_send_delay_ms", milliseconds(Distribution(overhead.sendDelays))),
            ("p50_p90_p95_p99_max_timer_delay_ms", milliseconds(Distribution(overhead.timerDelays))),
            ("client_cpu_share", .number(overhead.processorShare)),
            ("client_reading_share", .number(overhead.readingShare)),
            ("events_per_second", .number(overhead.chunksPerSecond)),
        ])
        object.set("cache", .object(run.cache.json(clientHitRate: run.summary.cacheHitRate)))
        object.set("shared_prompts", run.sharedPrompts.map { .object($0.json) } ?? .null)
        return .object(object)
    }

    private static func milliseconds(_ values: Distribution) -> JSONValue {
        guard values.count > 0 else { return .null }
        return .array(
            [50, 90, 95, 99].map { .number(values.percentile($0) * 1000) } + [.number(values.maximum * 1000)])
    }

    private static func add(_ outcomes: [RequestOutcome], to object: inout JSONObject) {
        func list(_ name: String, _ value: (RequestOutcome) -> JSONValue) {
            object.set(name, .array(outcomes.map(value)))
        }
        list("input_lens") { .int($0.promptTokens) }
        list("output_lens") { .int($0.isSuccess ? $0.outputTokens : 0) }
        list("ttfts") { .number($0.timeToFirstToken) }
        list("itls") { .array($0.interTokenTimes.map { .number($0) }) }
        list("generated_texts") { .string($0.text) }
        list("errors") { .string($0.error ?? "") }
        list("cached_tokens") { $0.cachedTokens.map { .int($0) } ?? .null }
        list("cached_tokens_details") { outcome in
            outcome.cachedByTier.map { tiers in
                .object(
                    JSONObject([
                        ("device", .int(tiers.device)), ("host", .int(tiers.host)), ("storage", .int(tiers.storage)),
                        ("storage_backend", tiers.storageBackend.map { .string($0) } ?? .null),
                    ]))
            } ?? .null
        }
        list("start_times") { .number($0.start) }
        list("latencies") { .number($0.latency) }
    }

    /// SGLang's name for a result file when none is given.
    ///
    /// - Parameter date: month and day, four digits.
    package static func fileName(_ arguments: ServingRun.Arguments, date: String) -> String {
        let start = "\(arguments.backend.rawValue)_\(date)_\(arguments.promptCount)_"
        if arguments.datasetName.hasPrefix("random") {
            return start + "\(arguments.randomInputLength)_\(arguments.randomOutputLength).jsonl"
        }
        return start + "\(arguments.datasetName).jsonl"
    }
}
