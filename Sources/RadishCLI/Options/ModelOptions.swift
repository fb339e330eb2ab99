import ArgumentParser
import Compute
import Engine
import Tensors

/// Which model, and how it is read.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.customLong("model-path"), .customLong("model")],
        help: ArgumentHelp(
            "Directory of a Hugging Face model (config.json, tokenizer.json, *.safetensors), or a GGUF file.",
            discussion: "Without it the embedded demo model is used.", valueName: "path"))
    var modelPath: String?

    @Option(
        name: [.customLong("tokenizer-path"), .customLong("tokenizer")],
        help: ArgumentHelp("Directory with the tokenizer files, if not the model's.", valueName: "dir"))
    var tokenizerPath: String?

    @Option(
        name: .customLong("chat-template"),
        help: ArgumentHelp(
            "Jinja chat template, as a file or as text, in place of the model's own.", valueName: "file|text"))
    var chatTemplate: String?

    @Option(
        name: .customLong("reasoning-parser"),
        help: ArgumentHelp(
            "What splits reasoning from answers: auto (by the chat template), none, deepseek-r1, qwen3, kimi, gpt-oss …",
            valueName: "name"))
    var reasoningParser: String?

    @Option(
        name: .customLong("tool-call-parser"),
        help: ArgumentHelp(
            "What reads tool calls in answers: auto (by the chat template), none, hermes, llama3, mistral …",
            valueName: "name"))
    var toolCallParser: String?

    @Flag(
        name: [.customLong("enable-auto-tool-choice"), .customLong("enable-reasoning")],
        help: .hidden)
    var parsesAnswers = false

    @Option(help: "Type of the weights: auto (as stored), float32, float16 (half) or bfloat16.")
    var dtype: WeightType = .auto

    @Option(
        help: ArgumentHelp(
            "Quantize the weights while they load: int8 (also w8a8_int8), int4, fp8 or mxfp4.",
            discussion: """
                int8: a scale for each output, activations quantized row by row; int4: a scale for each 32 inputs, \
                embedding and output projection in int8. fp8: E4M3 with a scale for each output; mxfp4: E2M1 with a \
                power of two for each 32 inputs, embedding and output projection in fp8; both leave activations alone.
                """))
    var quantization: WeightQuantization?

    @Option(
        name: .customLong("weight-cache-dir"),
        help: ArgumentHelp(
            "Keep packed weights in this directory: the next start maps them instead of packing them again.",
            discussion: """
                A file for each model and setting, as large as the weights in memory; delete what is not needed any \
                more. A file that does not fit its model is replaced.
                """, valueName: "dir"))
    var weightCacheDirectory: String?

    @Option(
        name: [.customLong("context-length"), .customLong("max-model-len")],
        help: ArgumentHelp("Longest prompt + answer in tokens; the model's own by default.", valueName: "tokens"))
    var contextLength: Int?

    @Option(name: .customLong("random-seed"), help: ArgumentHelp("Seed for requests that bring none.", valueName: "n"))
    var randomSeed: UInt64?

    @Flag(
        name: .customLong("is-embedding"),
        help: ArgumentHelp(
            "Serve vectors or scores instead of text.",
            discussion: """
                Encoders and models with the files of sentence-transformers are recognised without it; it makes an \
                embedding model of any decoder (last token's state).
                """))
    var isEmbedding = false

    @Option(
        name: [.customLong("task"), .customLong("runner")],
        help: ArgumentHelp(
            "vLLM's way to say the same: auto, generate, or embed (also embedding, pooling, score).", valueName: "task")
    )
    var task: ModelTask = .auto

    @Flag(
        name: .customLong("trust-remote-code"),
        help: "Accepted for compatibility: Radish never runs code from a model directory.")
    var trustRemoteCode = false
}

enum WeightType: String, ExpressibleByArgument, CaseIterable {
    case auto, float32, float, float16, half, bfloat16

    /// Nil: as stored.
    var dtype: DType? {
        switch self {
        case .auto: nil
        case .float32, .float: .float32
        case .float16, .half: .float16
        case .bfloat16: .bfloat16
        }
    }
}

enum WeightQuantization: String, ExpressibleByArgument, CaseIterable {
    case int8
    case w8a8Int8 = "w8a8_int8"
    case int4, fp8, mxfp4

    var format: WeightFormat {
        switch self {
        case .int8, .w8a8Int8: .int8
        case .int4: .int4
        case .fp8: .fp8
        case .mxfp4: .mxfp4
        }
    }
}

enum ModelTask: String, ExpressibleByArgument, CaseIterable {
    case auto, generate, embed, embedding, pooling, score
}

extension ModelOptions {
    /// Nil: what the model's files say.
    var wantsEmbedding: Bool? {
        if isEmbedding { return true }
        return switch task {
        case .auto: nil
        case .generate: false
        case .embed, .embedding, .pooling, .score: true
        }
    }
}
