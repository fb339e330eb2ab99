import Checkpoint

/// Qwen3 (dense): no biases, but each head of q and k is normalized; heads of a size of their own.
enum Qwen3: DecoderFamily {
    static let architecture = "Qwen3ForCausalLM"
    static let modelType = "qwen3"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config, defaultHeadDimension: 128)
        spec.queryKeyNorm = .eachHead
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        spec.windows = try Qwen2.windows(config)
        return spec
    }
}
