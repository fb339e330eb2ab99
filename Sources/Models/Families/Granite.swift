import Checkpoint
import Compute

/// Granite 3 (dense): Llama with multipliers of embeddings, scores, residuals and logits.
enum Granite: DecoderFamily {
    static let architecture = "GraniteForCausalLM"
    static let modelType = "granite"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec { try common(architecture, config) }

    static func common(_ architecture: String, _ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        if config.mlpBias == true { spec.biases.insert(.mlp) }
        func multiplier(_ key: String) throws(CheckpointError) -> Float {
            Float(try config.section.positive(key) ?? 1)
        }
        spec.embeddingScale = try multiplier("embedding_multiplier")
        spec.attentionScale = try multiplier("attention_multiplier")
        spec.residualScale = try multiplier("residual_multiplier")
        spec.logitScale = 1 / (try multiplier("logits_scaling"))
        return spec
    }
}

/// Granite 3 with experts, whose matrices are stacked.
enum GraniteMoE: DecoderFamily {
    static let architecture = "GraniteMoeForCausalLM"
    static let modelType = "granitemoe"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try Granite.common(architecture, config)
        let count = try config.section.integer("num_local_experts", in: 1...4_096) ?? 8
        let chosen = try config.section.integer("num_experts_per_tok", in: 1...count) ?? 2
        var experts = ExpertSpec(
            count: count, intermediateSize: config.intermediateSize,
            rule: RoutingRule(.softmaxOfChosen, chosen: chosen))
        experts.names.router = "block_sparse_moe.router.layer"
        experts.names.experts = "block_sparse_moe.experts"
        experts.stackLayout.gateUp = "block_sparse_moe.input_linear"
        experts.stackLayout.down = "block_sparse_moe.output_linear"
        spec.experts = [ExpertSpec?](repeating: experts, count: spec.layerCount)
        return spec
    }
}
