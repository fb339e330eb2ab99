import Checkpoint
import Compute

/// gpt-oss (OpenAI 2025, arXiv 2508.10925): sinks, every second layer with a window, biases everywhere, experts with a
/// clamped gate whose matrices are published as MXFP4.
enum GptOss: DecoderFamily {
    static let architecture = "GptOssForCausalLM"
    static let modelType = "gpt_oss"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config, defaultHeadDimension: 64)
        let section = config.section
        let types =
            config.layerTypes ?? (0..<config.layerCount).map { $0 % 2 == 0 ? "sliding_attention" : "full_attention" }
        spec.windows = try config.windows(types, size: config.windowSize(128))
        spec.hasSinks = true
        spec.biases = .experts
        if config.attentionBias ?? true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        let limit = Float(try section.positive("swiglu_limit") ?? 7)
        let alpha = Float(try section.positive("swiglu_alpha") ?? 1.702)
        spec.gate = .clamped(limit: limit, alpha: alpha)
        let count = try section.integer("num_local_experts", in: 1...4_096) ?? 128
        let key = section.has("num_experts_per_tok") ? "num_experts_per_tok" : "experts_per_token"
        var experts = ExpertSpec(
            count: count, intermediateSize: config.intermediateSize,
            rule: RoutingRule(.softmaxOfChosen, chosen: try section.integer(key, in: 1...count) ?? 4))
        experts.names.router = "mlp.router"
        (experts.stackLayout.isTurned, experts.stackLayout.alternates) = (true, true)
        spec.experts = [ExpertSpec?](repeating: experts, count: spec.layerCount)
        return spec
    }
}
