package import Checkpoint

/// All that a decoder of the Llama kind may vary. A family makes it from the configuration; the loader and the decoder
/// know nothing else of the family.
package struct DecoderSpec: Sendable, Equatable {
    /// As in `config.json`.
    package var architecture: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var headCount: Int
    package var keyValueHeadCount: Int
    package var headDimension: Int
    package var contextLength: Int
    package var normEpsilon: Float
    package var rope: RopeParameters
    /// Sliding window of each layer in tokens; nil sees everything.
    package var windows: [Int?]
    /// The output projection is the embedding.
    package var tiesEmbeddings: Bool
    /// Each head of q and k is normalized before it is turned.
    package var normalizesQueriesAndKeys = false
    package var biases: Biases = []

    package struct Biases: OptionSet, Sendable, Equatable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let queryKeyValue = Biases(rawValue: 1)
        package static let attentionOutput = Biases(rawValue: 2)
        package static let mlp = Biases(rawValue: 4)
    }

    package var layerCount: Int { windows.count }

    /// What all families share: full attention, no biases.
    ///
    /// - Parameter defaultHeadDimension: where the configuration has no `head_dim`; nil: hidden size by heads.
    /// - Throws: `unsupportedSetting` for what no decoder of this kind runs.
    init(_ architecture: String, _ config: ModelConfig, defaultHeadDimension: Int? = nil) throws(ModelError) {
        func failure(_ key: String, _ found: String, _ supported: String) -> ModelError {
            .unsupportedSetting(file: config.file, key: key, found: found, supported: supported)
        }
        guard config.activation == "silu" || config.activation == "swish" else {
            throw failure("hidden_act", "\"\(config.activation)\"", "\(architecture) runs with \"silu\"")
        }
        guard config.rope.rotaryShare == 1 else {
            throw failure(
                "partial_rotary_factor", "\(config.rope.rotaryShare)", "\(architecture) turns whole heads")
        }
        self.architecture = architecture
        vocabularySize = config.vocabularySize
        hiddenSize = config.hiddenSize
        intermediateSize = config.intermediateSize
        headCount = config.headCount
        keyValueHeadCount = config.keyValueHeadCount
        guard let dimension = config.headDimension ?? defaultHeadDimension ?? Self.share(config) else {
            throw failure(
                "hidden_size", "\(config.hiddenSize)",
                "it has to be a multiple of num_attention_heads, or head_dim given")
        }
        headDimension = dimension
        guard headDimension % 8 == 0, headDimension <= 512 else {
            throw failure("head_dim", "\(headDimension)", "multiples of 8 up to 512 are supported")
        }
        if case .factors(let factors) = config.rope.scaling, factors.count != headDimension / 2 {
            throw failure("rope_scaling.factors", "\(factors.count) factors", "\(headDimension / 2) are needed")
        }
        contextLength = config.contextLength
        normEpsilon = Float(config.normEpsilon)
        rope = config.rope
        windows = [Int?](repeating: nil, count: config.layerCount)
        tiesEmbeddings = config.tiesEmbeddings
    }

    private static func share(_ config: ModelConfig) -> Int? {
        config.hiddenSize % config.headCount == 0 ? config.hiddenSize / config.headCount : nil
    }
}
