import Checkpoint

/// Granite 3 (dense): Llama with multipliers of embeddings, scores, residuals and logits.
enum Granite: DecoderFamily {
    static let architecture = "GraniteForCausalLM"
    static let modelType = "granite"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
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
