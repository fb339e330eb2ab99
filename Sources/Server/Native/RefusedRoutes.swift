import EngineInterface
import HTTPTypes
import Hummingbird
import TextGeneration
import WireTypes

/// Endpoints of SGLang and vLLM that this server has no use for. A client that calls one learns why, and what to do.
enum RefusedRoutes {
    private static let pooling = "Use /v1/embeddings for vectors, /v1/rerank or /v1/score for scores of pairs."
    private static let weights = """
        Weights come from files only: save them as a model directory and use /update_weights_from_disk.
        """
    private static let sleep = """
        This server has no sleep mode: weights and cache stay in memory. /pause_generation stops the computing, \
        /flush_cache gives the cache back.
        """
    private static let library = "This server serves the model it was started with and keeps no library of models."
    private static let adapters = "LoRA adapters are not supported. Merge the adapter into the model's weights."

    static let post: [(path: String, reason: String)] = [
        ("/classify", pooling), ("/v1/classify", pooling), ("/pooling", pooling),
        ("/update_weights_from_tensor", weights),
        ("/update_weights_from_distributed", weights), ("/init_weights_update_group", weights),
        ("/sleep", sleep), ("/wake_up", sleep), ("/release_memory_occupation", sleep),
        ("/resume_memory_occupation", sleep), ("/load_lora_adapter", adapters), ("/unload_lora_adapter", adapters),
        ("/v1/load_lora_adapter", adapters), ("/v1/unload_lora_adapter", adapters),
        ("/api/embed", pooling), ("/api/embeddings", pooling), ("/api/pull", library), ("/api/push", library),
        ("/api/create", library), ("/api/copy", library),
        ("/v1/audio/transcriptions", "The served model reads text, not sound."),
        ("/v1/audio/translations", "The served model reads text, not sound."),
        ("/v1/images/generations", "The served model writes text, not images."),
    ]

    static let get: [(path: String, reason: String)] = [("/is_sleeping", sleep)]

    static func handler(_ reason: String) -> RouteTable.Handler {
        { _, _ in
            throw RequestFailure(.badRequest, ErrorBody(message: reason, code: "unsupported_endpoint"))
        }
    }
}
