import Checkpoint

/// SmolLM 3: Llama whose every fourth layer does not turn its heads (NoPE, arXiv 2305.19466).
enum SmolLM3: DecoderFamily {
    static let architecture = "SmolLM3ForCausalLM"
    static let modelType = "smollm3"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        let section = config.section
        spec.tiesEmbeddings = try section.boolean("tie_word_embeddings") ?? true
        let interval = try section.integer("no_rope_layer_interval", in: 1...4_096) ?? 4
        let turned =
            try section.integers("no_rope_layers", in: 0...1)
            ?? (0..<spec.layerCount).map { ($0 + 1) % interval == 0 ? 0 : 1 }
        guard turned.count >= spec.layerCount else {
            throw config.unsupported(
                "no_rope_layers", found: "\(turned.count) entries",
                "one for each of \(spec.layerCount) layers is needed")
        }
        spec.rotations = turned.prefix(spec.layerCount).map { $0 == 1 ? .main : .none }
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        if config.mlpBias == true { spec.biases.insert(.mlp) }
        let window = config.usesSlidingWindow == true ? config.windowSize(nil) : nil
        let types =
            config.layerTypes
            ?? spec.rotations.map { window != nil && $0 == .none ? "sliding_attention" : "full_attention" }
        spec.windows = try config.windows(types, size: window)
        return spec
    }
}
