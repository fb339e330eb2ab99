import EngineInterface
import Hummingbird
import NIOCore
import TextGeneration

/// `GET /metrics`: the names of SGLang's and vLLM's dashboards, and our own about the cache.
struct MetricsRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        if case .embedding(let service) = parts.model.phase {
            var text = PrometheusText(common: [("model_name", parts.configuration.servedModelNames[0])])
            EmbeddingMetrics.write(
                await service.engine.statistics(), parts.model.embeddingMetrics.snapshot, to: &text)
            return Self.response(text)
        }
        let textEngine = try parts.model.engine()
        let engine = textEngine.engine
        let statistics = await engine.statistics()
        let requests = parts.model.metrics.snapshot
        var text = PrometheusText(common: [("model_name", parts.configuration.servedModelNames[0])])
        Self.writeSGLang(statistics, requests, engine.information, to: &text)
        Self.writeGrammars(textEngine.grammars.statistics, requests, forced: statistics.forcedTokens, to: &text)
        Self.writeVLLM(statistics, requests, to: &text)
        Self.writeCache(statistics, engine.information, to: &text)
        return Self.response(text)
    }

    private static func response(_ text: PrometheusText) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
    }

    /// Share of the pages that running requests hold.
    private static func usage(_ statistics: EngineStatistics) -> Double {
        statistics.totalPages == 0 ? 0 : Double(statistics.leasedPages) / Double(statistics.totalPages)
    }

    // MARK: SGLang

    private static func writeSGLang(
        _ engine: EngineStatistics, _ requests: RequestMetrics.State, _ information: EngineInformation,
        to text: inout PrometheusText
    ) {
        let page = information.pageSize
        text.gauge("sglang:num_running_reqs", "Requests that run.", engine.runningRequests)
        text.gauge("sglang:num_queue_reqs", "Requests that wait.", engine.waitingRequests)
        text.gauge("sglang:token_usage", "Share of the KV pool that running requests hold.", usage(engine))
        text.gauge(
            "sglang:num_used_tokens", "Tokens of the KV pool that running requests hold.", engine.leasedPages * page)
        text.gauge("sglang:max_total_num_tokens", "Tokens the KV pool holds.", engine.totalPages * page)
        text.gauge("sglang:kv_used_tokens", "The same by its newer name.", engine.leasedPages * page)
        text.gauge("sglang:kv_available_tokens", "Tokens of the KV pool that hold nothing.", engine.freePages * page)
        text.gauge("sglang:kv_evictable_tokens", "Tokens cached for nobody in particular.", engine.cachedPages * page)
        text.gauge("sglang:num_pages", "Pages of the KV pool.", engine.totalPages)
        text.gauge("sglang:page_size", "Tokens of a page.", page)
        text.gauge("sglang:context_len", "Longest prompt and answer together.", information.contextLength)
        text.gauge("sglang:gen_throughput", "Generated tokens a second, over the last ten.", requests.throughput)
        text.gauge("sglang:cache_hit_rate", "Cached share of the prompt tokens of the last minute.", requests.hitRate)
        text.family(
            "sglang:cached_tokens_total", "Prompt tokens found in the cache.", .counter, label: "cache_source",
            [
                ("device", engine.cachedTokensByTier[.memory] ?? 0),
                ("host", engine.cachedTokensByTier[.host] ?? 0),
                (
                    "storage",
                    (engine.cachedTokensByTier[.disk] ?? 0) + (engine.cachedTokensByTier[.remote] ?? 0)
                ),
            ])
        text.counter("sglang:prompt_tokens_total", "Prompt tokens of admitted requests.", engine.promptTokens)
        text.counter("sglang:generation_tokens_total", "Tokens generated.", engine.generatedTokens)
        text.counter("sglang:num_requests_total", "Requests taken in.", requests.submitted)
        text.counter("sglang:num_aborted_requests_total", "Requests ended early.", engine.abortedRequests)
        text.counter(
            "sglang:num_retracted_requests_total", "Times a request lost its pages to another one.", engine.retractions)
        text.gauge("sglang:num_retracted_reqs", "Times a request lost its pages to another one.", engine.retractions)
        text.counter("sglang:evicted_tokens_total", "Tokens evicted to make room.", engine.evictedPages * page)
        text.gauge("sglang:startup_time_seconds", "Start to readiness.", requests.startupSeconds ?? 0)
        text.family(
            "sglang:per_stage_req_latency_seconds", "Time of requests in each stage.", label: "stage",
            [
                ("request_waiting", requests.queue), ("prefill_forward", requests.prefill),
                ("decode_forward", requests.decode),
            ])
        text.histogram("sglang:time_to_first_token_seconds", "Submission to first token.", requests.timeToFirstToken)
        text.histogram("sglang:inter_token_latency_seconds", "Token to token.", requests.betweenTokens)
        text.histogram(
            "sglang:time_per_output_token_seconds", "Mean token to token of a request.", requests.perOutputToken)
        text.histogram("sglang:e2e_request_latency_seconds", "Submission to end.", requests.endToEnd)
        text.histogram("sglang:queue_time_seconds", "Submission to admission.", requests.queue)
        text.histogram("sglang:prompt_tokens_histogram", "Prompt lengths.", requests.promptTokens)
        text.histogram(
            "sglang:uncached_prompt_tokens_histogram", "Prompt tokens not in the cache.",
            requests.uncachedPromptTokens)
        text.histogram("sglang:generation_tokens_histogram", "Answer lengths.", requests.generatedTokens)
    }

    private static func writeGrammars(
        _ grammars: GrammarCompiler.Statistics, _ requests: RequestMetrics.State, forced: Int,
        to text: inout PrometheusText
    ) {
        text.histogram(
            "sglang:grammar_compilation_time_seconds", "Compilation of constraints that were not known yet.",
            requests.constraintCompilation)
        text.counter(
            "sglang:num_grammar_cache_hit_total", "Constrained requests whose constraint was known.", grammars.known)
        text.counter("sglang:num_grammar_total", "Constrained requests.", grammars.requests)
        text.gauge("sglang:num_grammar_queue_reqs", "Requests whose constraint is being compiled.", grammars.waiting)
        text.counter(
            "radish_forced_tokens_total", "Generated tokens that constraints left no choice about.", forced)
    }

    // MARK: vLLM

    private static func writeVLLM(
        _ engine: EngineStatistics, _ requests: RequestMetrics.State, to text: inout PrometheusText
    ) {
        text.gauge("vllm:num_requests_running", "Requests that run.", engine.runningRequests)
        text.gauge("vllm:num_requests_waiting", "Requests that wait.", engine.waitingRequests)
        text.gauge(
            "vllm:kv_cache_usage_perc", "Share of the KV pool that running requests hold, 0 to 1.", usage(engine))
        // Dashboards of older versions add it to the others; requests here wait or run.
        text.gauge("vllm:num_requests_swapped", "Always 0: no request is swapped out.", 0)
        text.gauge("vllm:gpu_cache_usage_perc", "The same by its older name.", usage(engine))
        text.counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up.", engine.promptTokens)
        text.counter("vllm:prefix_cache_hits_total", "Prompt tokens found in the cache.", engine.cachedPromptTokens)
        text.counter("vllm:prompt_tokens_total", "Prompt tokens of admitted requests.", engine.promptTokens)
        text.counter("vllm:prompt_tokens_cached_total", "Prompt tokens found in the cache.", engine.cachedPromptTokens)
        text.family(
            "vllm:prompt_tokens_by_source_total", "Prompt tokens by where they came from.", .counter, label: "source",
            [
                ("local_compute", engine.promptTokens - engine.cachedPromptTokens),
                ("local_cache_hit", engine.cachedPromptTokens),
            ])
        text.counter("vllm:generation_tokens_total", "Tokens generated.", engine.generatedTokens)
        text.counter("vllm:num_preemptions_total", "Times a request lost its pages to another one.", engine.retractions)
        text.family(
            "vllm:request_success_total", "Requests that have ended, by reason.", .counter, label: "finished_reason",
            requests.finished.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        text.histogram("vllm:time_to_first_token_seconds", "Submission to first token.", requests.timeToFirstToken)
        text.histogram("vllm:inter_token_latency_seconds", "Token to token.", requests.betweenTokens)
        text.histogram(
            "vllm:time_per_output_token_seconds", "Token to token, by its older name.", requests.betweenTokens)
        text.histogram(
            "vllm:request_time_per_output_token_seconds", "Mean token to token of a request.",
            requests.perOutputToken)
        text.histogram("vllm:e2e_request_latency_seconds", "Submission to end.", requests.endToEnd)
        text.histogram("vllm:request_queue_time_seconds", "Submission to admission.", requests.queue)
        text.histogram("vllm:request_prefill_time_seconds", "Admission to first token.", requests.prefill)
        text.histogram("vllm:request_decode_time_seconds", "First to last token.", requests.decode)
        text.histogram("vllm:request_inference_time_seconds", "Admission to last token.", requests.inference)
        text.histogram("vllm:request_prompt_tokens", "Prompt lengths.", requests.promptTokens)
        text.histogram("vllm:request_generation_tokens", "Answer lengths.", requests.generatedTokens)
    }

    // MARK: Radish

    private static func writeCache(
        _ engine: EngineStatistics, _ information: EngineInformation, to text: inout PrometheusText
    ) {
        text.family(
            "radish_cache_hit_tokens_total", "Prompt tokens found in the cache, by where they were.", .counter,
            label: "tier", CacheTierName.allCases.map { ($0.rawValue, engine.cachedTokensByTier[$0] ?? 0) })
        text.family(
            "radish_cache_missed_tokens_total", "Prompt tokens computed, by why they were not in the cache.", .counter,
            label: "reason", MissReason.allCases.map { ($0.rawValue, engine.missedTokensByReason[$0] ?? 0) })
        text.gauge(
            "radish_cache_hit_rate", "Cached share of all prompt tokens since start.",
            engine.promptTokens == 0 ? 0 : Double(engine.cachedPromptTokens) / Double(engine.promptTokens))
        text.family(
            "radish_cache_evicted_pages_total", "Pages forgotten, by cause.", .counter, label: "cause",
            [("room", engine.evictedPages), ("flush", engine.flushedPages)])
        text.family(
            "radish_cache_pages",
            "Pages of the KV pool: free, cached for nobody in particular, held by requests and pins.",
            .gauge, label: "state",
            [("free", engine.freePages), ("cached", engine.cachedPages), ("leased", engine.leasedPages)])
        text.gauge("radish_cache_page_tokens", "Tokens of a page.", information.pageSize)
        text.gauge("radish_cache_tree_nodes", "Nodes of the radix tree.", engine.treeNodes)
        text.counter(
            "radish_inflight_waits_total", "Requests that waited for what another one was computing.",
            engine.inFlightWaits)
        text.counter(
            "radish_inflight_awaited_tokens_total", "Prompt tokens computed once because others waited for them.",
            engine.awaitedTokens)
        text.gauge("radish_pins", "Pinned prefixes.", engine.pins)
        text.gauge("radish_pinned_pages", "Pages that pins keep.", engine.pinnedPages)
        text.gauge("radish_pinnable_pages", "Pages that pins may keep.", engine.pinnablePages)
        text.counter("radish_dropped_pins_total", "Pins that gave way to a running request.", engine.droppedPins)
        text.counter("radish_steps_total", "Batches computed.", engine.steps)
        text.counter("radish_retractions_total", "Times a request lost its pages.", engine.retractions)
    }
}
