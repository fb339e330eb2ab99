import Checkpoint

/// Llama 2, 3, 3.1, 3.2 and the many models trained in their shape.
enum Llama: DecoderFamily {
    static let architecture = "LlamaForCausalLM"
    static let modelType = "llama"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        if config.mlpBias == true { spec.biases.insert(.mlp) }
        return spec
    }
}
