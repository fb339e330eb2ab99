/// `config.json` of an encoder of BERT's kind, with one name for each thing.
package struct EncoderConfig: Sendable, Equatable {
    /// Where it was read; for messages.
    package var file: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var layerCount: Int
    /// Divides `hiddenSize`.
    package var headCount: Int
    /// Rows of the table of positions.
    package var positionCount: Int
    /// Rows of the table of token types.
    package var typeCount: Int
    package var normEpsilon: Double
    package var activation: String
    /// `absolute` or one of the relative kinds.
    package var positionKind: String
    package var paddingID: Int?
    /// Outputs of a classification head.
    package var labelCount: Int
    /// Class name of the activation that a cross-encoder wants for its scores; nil: it does not say.
    package var scoreActivation: String?
}

extension EncoderConfig {
    /// - Throws: `missingFile`, `malformedJSON`; `configuration` with the JSON path of a missing or impossible value.
    package static func read(_ files: ModelFiles) throws(CheckpointError) -> EncoderConfig {
        let config = try ModelConfig.section(files)
        let hidden = try config.required("hidden_size", in: 1...(1 << 16))
        let heads = try config.required("num_attention_heads", in: 1...4_096)
        guard hidden % heads == 0 else {
            throw config.failure("num_attention_heads", expected: "a divisor of hidden_size (\(hidden))")
        }
        return EncoderConfig(
            file: config.file, vocabularySize: try config.required("vocab_size", in: 1...(1 << 24)),
            hiddenSize: hidden, intermediateSize: try config.required("intermediate_size", in: 1...(1 << 20)),
            layerCount: try config.required("num_hidden_layers", in: 1...1_024), headCount: heads,
            positionCount: try config.required("max_position_embeddings", in: 2...ModelConfig.largestContext),
            typeCount: try config.integer("type_vocab_size", in: 0...65_536) ?? 2,
            normEpsilon: try config.number("layer_norm_eps", "a number from 0, below 1") { $0 >= 0 && $0 < 1 } ?? 1e-12,
            activation: try config.string("hidden_act") ?? "gelu",
            positionKind: try config.string("position_embedding_type") ?? "absolute",
            paddingID: try config.integer("pad_token_id", in: 0...(1 << 24)),
            labelCount: try labels(config), scoreActivation: try scoreActivation(config))
    }

    /// `num_labels`, or as many as `id2label` has; transformers' own default is 2.
    private static func labels(_ config: ConfigSection) throws(CheckpointError) -> Int {
        if let count = try config.integer("num_labels", in: 1...65_536) { return count }
        guard let names = try config.section("id2label") else { return 2 }
        guard (1...65_536).contains(names.keys.count) else {
            throw config.failure("id2label", expected: "1 to 65536 labels")
        }
        return names.keys.count
    }

    private static func scoreActivation(_ config: ConfigSection) throws(CheckpointError) -> String? {
        if let section = try config.section("sentence_transformers"),
            let name = try section.string("activation_fn")
        {
            return name
        }
        return try config.string("sbert_ce_default_activation_function")
    }
}
