import Checkpoint
import Compute

/// GLM-4 as first published (9B, 2024): half of each head turns, in neighbouring pairs; gate and up are fused.
enum Glm: DecoderFamily {
    static let architecture = "GlmForCausalLM"
    static let modelType = "glm"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec { try common(architecture, config) }

    static func common(_ architecture: String, _ config: ModelConfig) throws -> DecoderSpec {
        var config = config
        let parameters = try config.section.section("rope_parameters")
        if !config.section.has("partial_rotary_factor"), parameters?.has("partial_rotary_factor") != true {
            config.rope.rotaryShare = 0.5
        }
        var spec = try DecoderSpec(architecture, config, defaultHeadDimension: 128, allows: .partialRotation)
        spec.rotaryPairing = .interleaved
        spec.fusions = .gateUp
        if config.attentionBias ?? true { spec.biases = .queryKeyValue }
        return spec
    }
}

/// GLM-4-0414: as before, with norms after attention and MLP too.
enum Glm4: DecoderFamily {
    static let architecture = "Glm4ForCausalLM"
    static let modelType = "glm4"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try Glm.common(architecture, config)
        spec.norms.attentionOutput = "post_self_attn_layernorm"
        spec.norms.mlpOutput = "post_mlp_layernorm"
        return spec
    }
}
