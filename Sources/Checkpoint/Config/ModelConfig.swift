/// `config.json` of a decoder, with one name for each thing. What the families default differently stays optional.
package struct ModelConfig: Sendable, Equatable {
    /// Where it was read; for messages.
    package var file: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var layerCount: Int
    package var headCount: Int
    /// Divides `headCount`.
    package var keyValueHeadCount: Int
    /// `head_dim`; nil: the family's default.
    package var headDimension: Int?
    /// Longest sequence, rotary scaling included.
    package var contextLength: Int
    package var normEpsilon: Double
    package var activation: String
    package var rope: RopeParameters
    package var tiesEmbeddings: Bool
    package var attentionBias: Bool?
    package var mlpBias: Bool?
    package var slidingWindow: SlidingWindow
    package var usesSlidingWindow: Bool?
    /// Layers from this one on have the window (Qwen).
    package var maximumWindowLayers: Int?
    /// `full_attention` or `sliding_attention` of each layer.
    package var layerTypes: [String]?
    package var endOfSequenceIDs: [Int32]
    /// Of layers with a sliding window, where these have a rotary embedding of their own.
    package var localRope: RopeParameters?
    /// The whole file: a family reads here what only it has.
    package var section: ConfigSection

    /// `sliding_window`: absent and null mean different things to some families.
    package enum SlidingWindow: Sendable, Equatable {
        case unspecified, off
        case tokens(Int)
    }

    static let largestContext = 1 << 28
}

/// What decides who reads the rest of `config.json`.
package struct ModelIdentity: Sendable, Equatable {
    package var file: String
    package var architectures: [String]
    package var modelType: String?
    /// Of the decoder of a model for more than text.
    package var textModelType: String?

    /// - Throws: `missingFile`, `malformedJSON` or `configuration`.
    package static func read(_ files: ModelFiles) throws(CheckpointError) -> ModelIdentity {
        let config = try ModelConfig.section(files)
        return ModelIdentity(
            file: config.file, architectures: try config.strings("architectures") ?? [],
            modelType: try config.string("model_type"),
            textModelType: try config.section("text_config")?.string("model_type"))
    }
}

extension ModelConfig {
    /// Of a model for more than text: its decoder (`text_config`), completed by what stands beside it.
    ///
    /// - Parameter defaults: members that the family's configurations may leave out.
    /// - Throws: `missingFile`, `malformedJSON`; `configuration` with the JSON path of a missing or impossible value;
    ///   `unsupported`.
    package static func read(
        _ files: ModelFiles, defaults: [String: Int] = [:]
    ) throws(CheckpointError) -> ModelConfig {
        let outer = try section(files)
        let text = try outer.has("hidden_size") ? nil : outer.section("text_config")?.completed(by: outer)
        let config = (text ?? outer).completed(by: defaults)
        _ = try QuantizationConfig(config)
        // The limits only keep products of sizes within Int; tensors are checked against them one by one.
        let heads = try config.required("num_attention_heads", in: 1...65_536)
        let positions = try config.required("max_position_embeddings", in: 1...largestContext)
        let (rope, localRope) = try RopeParameters.decode(config, positions: positions)
        let layers = try config.required("num_hidden_layers", in: 1...4_096)
        let result = ModelConfig(
            file: config.file,
            vocabularySize: try config.required("vocab_size", in: 1...(1 << 24)),
            hiddenSize: try config.required("hidden_size", in: 1...(1 << 20)),
            intermediateSize: try config.required("intermediate_size", in: 1...(1 << 22)),
            layerCount: layers, headCount: heads,
            keyValueHeadCount: try config.integer("num_key_value_heads", in: 1...heads) ?? heads,
            headDimension: try config.integer("head_dim", in: 1...4_096),
            contextLength: rope.scaling.contextLength(positions),
            normEpsilon: try config.number("rms_norm_eps", "a number from 0, below 1") { $0 >= 0 && $0 < 1 } ?? 1e-6,
            activation: try config.string(config.has("hidden_activation") ? "hidden_activation" : "hidden_act")
                ?? "silu", rope: rope,
            tiesEmbeddings: try config.boolean("tie_word_embeddings") ?? false,
            attentionBias: try config.boolean("attention_bias"), mlpBias: try config.boolean("mlp_bias"),
            slidingWindow: try window(config), usesSlidingWindow: try config.boolean("use_sliding_window"),
            maximumWindowLayers: try config.integer("max_window_layers", in: 0...4_096),
            layerTypes: try config.strings("layer_types"),
            endOfSequenceIDs: try GenerationDefaults.identifiers("eos_token_id", of: config) ?? [],
            localRope: localRope, section: config)
        guard heads % result.keyValueHeadCount == 0 else {
            throw config.failure("num_key_value_heads", expected: "a divisor of num_attention_heads (\(heads))")
        }
        if let types = result.layerTypes, types.count != layers {
            throw config.failure("layer_types", expected: "one type for each of \(layers) layers")
        }
        return result
    }

    static func section(_ files: ModelFiles) throws(CheckpointError) -> ConfigSection {
        guard let section = try ConfigSection.read("config.json", of: files) else {
            throw .missingFile(name: "config.json", directory: files.description)
        }
        return section
    }

    private static func window(_ config: ConfigSection) throws(CheckpointError) -> SlidingWindow {
        // 0 is how transformers 5 writes a window that is switched off.
        if let tokens = try config.integer("sliding_window", in: 0...largestContext) {
            return tokens == 0 ? .off : .tokens(tokens)
        }
        return config.mentions("sliding_window") ? .off : .unspecified
    }
}
