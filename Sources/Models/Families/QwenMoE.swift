import Checkpoint
import Compute

/// Qwen1.5-MoE and Qwen2-MoE (arXiv 2407.10671): Qwen2 with experts, one of which every token goes through.
enum Qwen2MoE: DecoderFamily {
    static let architecture = "Qwen2MoeForCausalLM"
    static let modelType = "qwen2_moe"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        if try config.section.boolean("qkv_bias") ?? true { spec.biases = .queryKeyValue }
        spec.windows = try Qwen2.windows(config)
        spec.experts = try experts(config, defaultCount: 60, defaultChosen: 4).map {
            guard var experts = $0 else { return nil }
            experts.sharedSize = try config.section.required("shared_expert_intermediate_size", in: 1...(1 << 22))
            experts.gatesShared = true
            return experts
        }
        return spec
    }

    /// Experts of each layer, by `decoder_sparse_step` and `mlp_only_layers`.
    static func experts(
        _ config: ModelConfig, defaultCount: Int, defaultChosen: Int
    ) throws(CheckpointError) -> [ExpertSpec?] {
        let section = config.section
        let key = section.has("num_experts") ? "num_experts" : "num_local_experts"
        let count = try section.integer(key, in: 0...4_096) ?? defaultCount
        if count == 0 { return [ExpertSpec?](repeating: nil, count: config.layerCount) }
        let experts = ExpertSpec(
            count: count, intermediateSize: try section.required("moe_intermediate_size", in: 1...(1 << 22)),
            rule: RoutingRule(
                .softmax, chosen: try section.integer("num_experts_per_tok", in: 1...count) ?? defaultChosen,
                normalizes: try section.boolean("norm_topk_prob") ?? false))
        let step = try section.integer("decoder_sparse_step", in: 1...4_096) ?? 1
        let dense = try section.integers("mlp_only_layers", in: 0...4_096) ?? []
        return (0..<config.layerCount).map { ($0 + 1) % step == 0 && !dense.contains($0) ? experts : nil }
    }
}

/// Qwen3-MoE (arXiv 2505.09388): Qwen3 with experts, none of them shared.
enum Qwen3MoE: DecoderFamily {
    static let architecture = "Qwen3MoeForCausalLM"
    static let modelType = "qwen3_moe"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try Qwen3.spec(config)
        spec.architecture = architecture
        spec.experts = try Qwen2MoE.experts(config, defaultCount: 128, defaultChosen: 8)
        return spec
    }
}
