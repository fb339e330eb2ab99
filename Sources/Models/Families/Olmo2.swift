import Checkpoint

/// OLMo 2 (arXiv 2501.00656): norms after attention and MLP instead of before them; q and k are normalized over all heads.
enum Olmo2: DecoderFamily {
    static let architecture = "Olmo2ForCausalLM"
    static let modelType = "olmo2"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        spec.norms = .init(attentionOutput: "post_attention_layernorm", mlpOutput: "post_feedforward_layernorm")
        spec.queryKeyNorm = .wholeWidth
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        return spec
    }
}
