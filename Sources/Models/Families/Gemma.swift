import Checkpoint
import Compute

/// Gemma 2 (arXiv 2408.00118): norms before and after both halves of a layer with weights that are offsets from 1, soft
/// caps of scores and logits, every second layer with a window.
enum Gemma2: DecoderFamily {
    static let architecture = "Gemma2ForCausalLM"
    static let modelType = "gemma2"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try common(architecture, config)
        let types =
            config.layerTypes ?? (0..<config.layerCount).map { $0 % 2 == 0 ? "sliding_attention" : "full_attention" }
        spec.windows = try config.windows(types, size: config.windowSize(4096))
        // What is absent has the family's cap, what is null has none.
        let section = config.section
        spec.scoreCap = try cap("attn_logit_softcapping", section, implied: 50)
        spec.logitCap = try cap("final_logit_softcapping", section, implied: 30)
        return spec
    }

    static func cap(_ key: String, _ section: ConfigSection, implied: Float?) throws(CheckpointError) -> Float? {
        section.mentions(key) ? try section.positive(key).map { Float($0) } : implied
    }

    /// What Gemma 2 and 3 share.
    static func common(
        _ architecture: String, _ config: ModelConfig, allows: DecoderSpec.Allowances = []
    ) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config, defaultHeadDimension: 256, allows: allows)
        let section = config.section
        if try section.boolean("use_bidirectional_attention") == true {
            throw config.unsupported("use_bidirectional_attention", found: "true", "text is read from left to right")
        }
        if !section.has("hidden_activation") { spec.gate = .geluTanh }
        spec.tiesEmbeddings = try section.boolean("tie_word_embeddings") ?? true
        if config.attentionBias == true { spec.biases.formUnion([.queryKeyValue, .attentionOutput]) }
        spec.norms = .init(
            input: "input_layernorm", attentionOutput: "post_attention_layernorm", mlp: "pre_feedforward_layernorm",
            mlpOutput: "post_feedforward_layernorm")
        spec.normOffset = 1
        spec.embeddingScale = Float(config.hiddenSize).squareRoot()
        spec.roundsEmbeddingScale = true
        spec.attentionScale = 1 / Float(try section.positive("query_pre_attn_scalar") ?? 256).squareRoot()
        return spec
    }
}

/// Gemma 3 (arXiv 2503.19786), models for text and the decoders of those that see: as Gemma 2 without caps; heads of q and k are normalized, and layers
/// with a window turn them by a rotary embedding of their own.
enum Gemma3: DecoderFamily {
    static let architecture = "Gemma3ForCausalLM"
    static let modelType = "gemma3_text"
    /// Published models that see have but a few members in their `text_config`.
    static let defaults = [
        "vocab_size": 262_208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
        "max_position_embeddings": 131_072,
    ]

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try Gemma2.common(architecture, config, allows: .localRope)
        let section = config.section
        let pattern = try section.integer("sliding_window_pattern", in: 1...4_096) ?? 6
        let types =
            config.layerTypes
            ?? (0..<config.layerCount).map { ($0 + 1) % pattern == 0 ? "full_attention" : "sliding_attention" }
        spec.windows = try config.windows(types, size: config.windowSize(4096))
        spec.scoreCap = try Gemma2.cap("attn_logit_softcapping", section, implied: nil)
        spec.logitCap = try Gemma2.cap("final_logit_softcapping", section, implied: nil)
        spec.queryKeyNorm = .eachHead
        if !section.has("rope_theta"), !section.has("rope_parameters") { spec.rope.theta = 1_000_000 }
        // Published before there were rope_parameters for each type of layer.
        if spec.localRope == nil {
            spec.localRope = RopeParameters(theta: try section.positive("rope_local_base_freq") ?? 10_000)
        }
        spec.rotations = types.map { $0 == "sliding_attention" ? .local : .main }
        return spec
    }
}
