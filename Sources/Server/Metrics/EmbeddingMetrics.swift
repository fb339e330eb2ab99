import EngineInterface
import Synchronization

/// Times of the requests for vectors and scores.
final class EmbeddingMetrics: Sendable {
    private let state = Mutex(Histogram(Histogram.seconds))

    var snapshot: Histogram { state.withLock { $0 } }

    func add(_ seconds: Double) { state.withLock { $0.add(seconds) } }

    /// By SGLang's and vLLM's names where they have any.
    static func write(_ engine: EmbeddingStatistics, _ times: Histogram, to text: inout PrometheusText) {
        text.gauge("sglang:num_running_reqs", "Texts in the batch that is computed.", engine.runningTexts)
        text.gauge("sglang:num_queue_reqs", "Texts that wait.", engine.waitingTexts)
        text.counter("sglang:prompt_tokens_total", "Tokens computed.", engine.tokens)
        text.counter("sglang:num_requests_total", "Requests answered.", times.total)
        text.histogram("sglang:e2e_request_latency_seconds", "Submission to end.", times)
        text.gauge("vllm:num_requests_running", "Texts in the batch that is computed.", engine.runningTexts)
        text.gauge("vllm:num_requests_waiting", "Texts that wait.", engine.waitingTexts)
        text.counter("vllm:prompt_tokens_total", "Tokens computed.", engine.tokens)
        text.histogram("vllm:e2e_request_latency_seconds", "Submission to end.", times)
        text.counter("radish_embedded_texts_total", "Texts, or pairs of them, computed.", engine.texts)
        text.counter("radish_steps_total", "Batches computed.", engine.batches)
    }
}
