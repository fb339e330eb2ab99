import Checkpoint
import Compute
import Glibc

/// DeepSeek-V2 and V2-Lite (arXiv 2405.04434): latent attention, experts in all but the first layers, some of them shared.
enum DeepSeekV2: DecoderFamily {
    static let architecture = "DeepseekV2ForCausalLM"
    static let modelType = "deepseek_v2"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try common(architecture, config)
        let method = try config.section.string("topk_method") ?? "greedy"
        let scale = Float(try config.section.positive("routed_scaling_factor") ?? 1)
        spec.experts = try experts(config) { chosen, groups throws(ModelError) in
            switch method {
            case "greedy": RoutingRule(.softmax, chosen: chosen, scale: scale)
            // A group counts for its best expert.
            case "group_limited_greedy": RoutingRule(.softmax, chosen: chosen, groups: groups(1), scale: scale)
            default:
                throw config.unsupported(
                    "topk_method", found: "\"\(method)\"",
                    "\(architecture) runs with \"greedy\" and \"group_limited_greedy\"")
            }
        }
        return spec
    }

    /// What both generations share: everything but the rule by which experts are chosen.
    static func common(_ architecture: String, _ config: ModelConfig) throws -> DecoderSpec {
        let section = config.section
        func size(_ key: String) throws(CheckpointError) -> Int { try section.required(key, in: 1...(1 << 16)) }
        let sizes = LatentSpec(
            query: try section.integer("q_lora_rank", in: 1...(1 << 16)), latent: try size("kv_lora_rank"),
            plain: try size("qk_nope_head_dim"), turned: try size("qk_rope_head_dim"), value: try size("v_head_dim"))
        // The cache has one head, which is as wide as the compressed vector and the turned key together.
        var config = config
        (config.keyValueHeadCount, config.headDimension) = (1, sizes.headDimension)
        if config.attentionBias == true {
            throw config.unsupported("attention_bias", found: "true", "\(architecture) runs without biases")
        }
        var spec = try DecoderSpec(architecture, config)
        guard sizes.turned % 2 == 0 else {
            throw config.unsupported("qk_rope_head_dim", found: "\(sizes.turned)", "an even number is needed")
        }
        spec.latent = sizes
        spec.rotatedDimensions = sizes.turned
        spec.rotaryPairing = try section.boolean("rope_interleave") ?? true ? .interleaved : .halves
        spec.attentionScale = 1 / Float(sizes.plain + sizes.turned).squareRoot()
        if case .yarn(let yarn) = config.rope.scaling, let all = yarn.mscaleAllDimensions, all != 0, yarn.factor > 1 {
            let scale = Float(0.1 * all * log(yarn.factor) + 1)
            spec.attentionScale *= scale * scale
        }
        return spec
    }

    /// - Parameter rule: from the number of experts of a token, and groups by how many of a group's best count.
    static func experts(
        _ config: ModelConfig,
        rule: (_ chosen: Int, _ groups: (Int) -> RoutingRule.Groups?) throws(ModelError) -> RoutingRule
    ) throws -> [ExpertSpec?] {
        let section = config.section
        guard let count = try section.integer("n_routed_experts", in: 1...4_096) else {
            return [ExpertSpec?](repeating: nil, count: config.layerCount)
        }
        let groupCount = try section.integer("n_group", in: 1...count) ?? 1
        let chosenGroups = try section.integer("topk_group", in: 1...groupCount) ?? groupCount
        guard count % groupCount == 0 else {
            throw config.unsupported("n_group", found: "\(groupCount)", "it has to divide n_routed_experts (\(count))")
        }
        let chosen = try section.required("num_experts_per_tok", in: 1...count / groupCount * chosenGroups)
        var experts = ExpertSpec(
            count: count, intermediateSize: try section.required("moe_intermediate_size", in: 1...(1 << 22)),
            rule: try rule(chosen) { best in
                groupCount == 1 ? nil : .init(count: groupCount, chosen: chosenGroups, best: best)
            })
        let shared = try section.integer("n_shared_experts", in: 0...1_024) ?? 0
        experts.sharedSize = shared * experts.intermediateSize
        experts.names.shared = "mlp.shared_experts"
        let dense = try section.integer("first_k_dense_replace", in: 0...4_096) ?? 0
        let step = try section.integer("moe_layer_freq", in: 1...4_096) ?? 1
        return (0..<config.layerCount).map { $0 >= dense && $0 % step == 0 ? experts : nil }
    }
}

/// DeepSeek-V3 and R1 (arXiv 2412.19437): as V2, with experts chosen by the sigmoid of their scores and a correction.
enum DeepSeekV3: DecoderFamily {
    static let architecture = "DeepseekV3ForCausalLM"
    static let modelType = "deepseek_v3"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        let section = config.section
        var spec = try DeepSeekV2.common(architecture, config)
        for (key, supported) in [("scoring_func", "sigmoid"), ("topk_method", "noaux_tc")] {
            if let found = try section.string(key), found != supported {
                throw config.unsupported(key, found: "\"\(found)\"", "\(architecture) runs with \"\(supported)\"")
            }
        }
        let normalizes = try section.boolean("norm_topk_prob") ?? true
        let scale = Float(try section.positive("routed_scaling_factor") ?? 2.5)
        spec.experts = try DeepSeekV2.experts(config) { chosen, groups throws(ModelError) in
            // A group counts for its two best experts.
            RoutingRule(.sigmoid, chosen: chosen, groups: groups(2), normalizes: normalizes, scale: scale)
        }.map {
            guard var experts = $0 else { return nil }
            experts.hasCorrection = true
            return experts
        }
        return spec
    }
}
