package import Checkpoint
package import Compute

/// All that an encoder of BERT's kind may vary (Devlin et al. 2018, arXiv 1810.04805).
package struct EncoderSpec: Sendable, Equatable {
    /// As in `config.json`.
    package var architecture: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var layerCount: Int
    package var headCount: Int
    /// Rows of the table of positions.
    package var positionCount: Int
    /// Row of the first token: RoBERTa keeps the rows up to its padding id for padding.
    package var positionOffset: Int
    package var typeCount: Int
    package var normEpsilon: Float
    package var activation: Activation
    /// What stands before the names of the encoder's tensors where it is part of a larger model, such as `bert.`.
    package var prefix: String
    package var head: Head?

    /// A classification head over the first token's state: a projection, tanh, and a projection to one score.
    package enum Head: Sendable, Equatable {
        /// `bert.pooler.dense` and `classifier`.
        case bert
        /// `classifier.dense` and `classifier.out_proj`.
        case roberta
    }

    /// Longest text, special tokens included.
    package var contextLength: Int { positionCount - positionOffset }
    package var headDimension: Int { hiddenSize / headCount }

    /// Architectures that run, as `config.json` writes them.
    package static let architectures = families.map(\.architecture)

    private static let families: [(architecture: String, prefix: String, isRoberta: Bool, head: Head?)] = [
        ("BertModel", "bert.", false, nil), ("RobertaModel", "roberta.", true, nil),
        ("XLMRobertaModel", "roberta.", true, nil), ("CamembertModel", "roberta.", true, nil),
        ("BertForMaskedLM", "bert.", false, nil), ("RobertaForMaskedLM", "roberta.", true, nil),
        ("XLMRobertaForMaskedLM", "roberta.", true, nil),
        ("BertForSequenceClassification", "bert.", false, .bert),
        ("RobertaForSequenceClassification", "roberta.", true, .roberta),
        ("XLMRobertaForSequenceClassification", "roberta.", true, .roberta),
    ]

    /// Whether the model is an encoder that runs.
    package static func isEncoder(_ identity: ModelIdentity) -> Bool {
        identity.architectures.contains { architectures.contains($0) }
    }

    /// - Throws: `CheckpointError`, or `ModelError` for another architecture and for settings that do not run.
    package static func read(_ files: ModelFiles) throws -> EncoderSpec {
        let identity = try ModelIdentity.read(files)
        guard let family = families.first(where: { identity.architectures.contains($0.architecture) }) else {
            throw ModelError.unsupportedArchitecture(
                file: identity.file, found: identity.architectures, supported: architectures, nearest: "BertModel")
        }
        let config = try EncoderConfig.read(files)
        func failure(_ key: String, _ found: String, _ supported: String) -> ModelError {
            .unsupportedSetting(file: config.file, key: key, found: found, supported: supported)
        }
        let activations: [String: Activation] = [
            "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "relu": .relu, "silu": .silu,
        ]
        guard let activation = activations[config.activation] else {
            throw failure("hidden_act", "\"\(config.activation)\"", "gelu, gelu_new, relu and silu run")
        }
        guard config.positionKind == "absolute" else {
            throw failure("position_embedding_type", "\"\(config.positionKind)\"", "absolute positions run")
        }
        guard config.typeCount >= 1, config.typeCount <= 16 else {
            throw failure("type_vocab_size", "\(config.typeCount)", "1 to 16 run")
        }
        let headDimension = config.hiddenSize / config.headCount
        guard headDimension % 8 == 0, headDimension <= 512 else {
            throw failure("hidden_size", "heads of \(headDimension)", "heads of a multiple of 8, up to 512, run")
        }
        if family.head != nil, config.labelCount != 1 {
            throw failure("num_labels", "\(config.labelCount)", "rerankers, which give one score, run")
        }
        // The rows before the first token's are the padding's and the ones before it.
        let offset = family.isRoberta ? (config.paddingID ?? 1) + 1 : 0
        guard offset < config.positionCount else {
            throw failure("pad_token_id", "\(offset - 1)", "it has to leave rows of max_position_embeddings")
        }
        return EncoderSpec(
            architecture: family.architecture, vocabularySize: config.vocabularySize, hiddenSize: config.hiddenSize,
            intermediateSize: config.intermediateSize, layerCount: config.layerCount, headCount: config.headCount,
            positionCount: config.positionCount, positionOffset: offset, typeCount: config.typeCount,
            normEpsilon: Float(config.normEpsilon), activation: activation, prefix: family.prefix, head: family.head)
    }
}
