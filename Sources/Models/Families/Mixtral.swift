import Checkpoint
import Compute

/// Mixtral (arXiv 2401.04088): Mistral with experts in every layer.
enum Mixtral: DecoderFamily {
    static let architecture = "MixtralForCausalLM"
    static let modelType = "mixtral"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        spec.windows = [Int?](repeating: config.windowSize(nil), count: spec.layerCount)
        let count = try config.section.integer("num_local_experts", in: 1...4_096) ?? 8
        let chosen = try config.section.integer("num_experts_per_tok", in: 1...count) ?? 2
        var experts = ExpertSpec(
            count: count, intermediateSize: config.intermediateSize,
            rule: RoutingRule(.softmaxOfChosen, chosen: chosen))
        experts.names.router = "block_sparse_moe.gate"
        experts.names.experts = "block_sparse_moe.experts"
        (experts.names.gate, experts.names.up, experts.names.down) = ("w1", "w3", "w2")
        spec.experts = [ExpertSpec?](repeating: experts, count: spec.layerCount)
        return spec
    }
}
