package import Checkpoint
package import Compute
package import Tensors

/// All that a decoder may vary. A family makes it from the configuration; the loader and the decoder know nothing else of
/// the family.
package struct DecoderSpec: Sendable, Equatable {
    /// As in `config.json`.
    package var architecture: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    /// Of the layers without experts.
    package var intermediateSize: Int
    package var headCount: Int
    package var keyValueHeadCount: Int
    /// Of cached keys.
    package var headDimension: Int
    /// Keys and values are compressed; nil: each head has its own, or shares them within a group.
    package var latent: LatentSpec?
    package var contextLength: Int
    package var normEpsilon: Float
    package var rope: RopeParameters
    /// Of layers with `Rotation.local`.
    package var localRope: RopeParameters?
    /// Dimensions of a head that are turned, from the first on; even.
    package var rotatedDimensions: Int
    package var rotaryPairing = RotaryPairing.halves
    /// How each layer turns its heads.
    package var rotations: [Rotation]
    /// Sliding window of each layer in tokens; nil sees everything.
    package var windows: [Int?]
    /// The output projection is the embedding.
    package var tiesEmbeddings: Bool
    package var queryKeyNorm: QueryKeyNorm?
    package var biases: Biases = []
    package var gate: GateFunction = .silu
    package var norms = NormNames.before
    /// Added to the weights of norms.
    package var normOffset: Float = 0
    package var fusions: Fusions = []
    /// Experts of each layer; nil: an ordinary MLP.
    package var experts: [ExpertSpec?]
    /// Multiplies q·k.
    package var attentionScale: Float
    /// Soft cap of scores.
    package var scoreCap: Float?
    /// Each head has a score without a value, which takes its share.
    package var hasSinks = false
    /// Multiplies embeddings.
    package var embeddingScale: Float = 1
    /// The embeddings' multiplier is rounded to their type, as in training.
    package var roundsEmbeddingScale = false
    /// Multiplies what a layer adds to the residual stream.
    package var residualScale: Float = 1
    /// Multiplies logits.
    package var logitScale: Float = 1
    /// Soft cap of logits.
    package var logitCap: Float?

    package enum Rotation: Sendable, Equatable {
        case main, local, none
    }

    /// Norms of q and k before they are turned.
    package enum QueryKeyNorm: Sendable, Equatable {
        case eachHead
        /// All heads together.
        case wholeWidth
    }

    package struct Biases: OptionSet, Sendable, Equatable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let queryKeyValue = Biases(rawValue: 1)
        package static let attentionOutput = Biases(rawValue: 2)
        package static let mlp = Biases(rawValue: 4)
        /// Of experts and of the router.
        package static let experts = Biases(rawValue: 8)
    }

    /// Matrices that the checkpoint stores as one.
    package struct Fusions: OptionSet, Sendable, Equatable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let queryKeyValue = Fusions(rawValue: 1)
        package static let gateUp = Fusions(rawValue: 2)
    }

    /// Where a layer has norms and what the checkpoint calls them; nil: none there.
    package struct NormNames: Sendable, Equatable {
        package var input: String?
        /// Of the attention's output, before it is added.
        package var attentionOutput: String?
        package var mlp: String?
        /// Of the MLP's output, before it is added.
        package var mlpOutput: String?

        /// Before attention and before the MLP, as in Llama.
        package static let before = NormNames(input: "input_layernorm", mlp: "post_attention_layernorm")
    }

    package var layerCount: Int { windows.count }

    /// The pages this decoder needs.
    package func kvLayout(pageSize: Int, dtype: DType) -> KVLayout {
        KVLayout(
            layers: layerCount, keyValueHeads: keyValueHeadCount, headDimension: headDimension, pageSize: pageSize,
            dtype: dtype, isLatent: latent != nil)
    }

    /// Columns of attention's result, before the output projection.
    package var attentionColumns: Int { headCount * (latent?.value ?? headDimension) }

    /// What all families share: full attention, no biases.
    ///
    /// - Parameters:
    ///   - defaultHeadDimension: where the configuration has no `head_dim`; nil: hidden size by heads.
    ///   - allows: what the family runs beyond Llama's ways.
    /// - Throws: `unsupportedSetting` for what no decoder of this kind runs.
    init(
        _ architecture: String, _ config: ModelConfig, defaultHeadDimension: Int? = nil, allows: Allowances = []
    ) throws(ModelError) {
        func failure(_ key: String, _ found: String, _ supported: String) -> ModelError {
            config.unsupported(key, found: found, supported)
        }
        switch config.activation {
        case "silu", "swish": gate = .silu
        case "gelu_pytorch_tanh", "gelu_new": gate = .geluTanh
        default:
            throw failure(
                config.section.has("hidden_activation") ? "hidden_activation" : "hidden_act",
                "\"\(config.activation)\"", "\(architecture) runs with \"silu\" or \"gelu_pytorch_tanh\"")
        }
        guard config.rope.rotaryShare == 1 || allows.contains(.partialRotation) else {
            throw failure("partial_rotary_factor", "\(config.rope.rotaryShare)", "\(architecture) turns whole heads")
        }
        guard config.localRope == nil || allows.contains(.localRope) else {
            throw failure(
                "rope_parameters.sliding_attention", "a rotary embedding for each type of layer",
                "\(architecture) has one for all layers")
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
        guard headDimension % 8 == 0, headDimension <= Self.largestHeadDimension else {
            throw failure(
                "head_dim", "\(headDimension)", "multiples of 8 up to \(Self.largestHeadDimension) are supported")
        }
        rotatedDimensions = Int(Double(dimension) * config.rope.rotaryShare) / 2 * 2
        guard rotatedDimensions > 0 else {
            throw failure("partial_rotary_factor", "\(config.rope.rotaryShare)", "two dimensions at least must turn")
        }
        let pairs = rotatedDimensions / 2
        switch config.rope.scaling {
        case .factors(let factors) where factors.count != pairs:
            throw failure("rope_scaling.factors", "\(factors.count) factors", "\(pairs) are needed")
        case .longrope(let rope) where rope.factors.count != pairs:
            throw failure("rope_scaling.long_factor", "\(rope.factors.count) factors", "\(pairs) are needed")
        default: break
        }
        contextLength = config.contextLength
        normEpsilon = Float(config.normEpsilon)
        rope = config.rope
        localRope = config.localRope
        rotations = [Rotation](repeating: .main, count: config.layerCount)
        windows = [Int?](repeating: nil, count: config.layerCount)
        experts = [ExpertSpec?](repeating: nil, count: config.layerCount)
        tiesEmbeddings = config.tiesEmbeddings
        attentionScale = 1 / Float(dimension).squareRoot()
    }

    /// What a family may find in its configuration.
    struct Allowances: OptionSet {
        let rawValue: Int

        static let partialRotation = Allowances(rawValue: 1)
        static let localRope = Allowances(rawValue: 2)
    }

    static let largestHeadDimension = 1024

    private static func share(_ config: ModelConfig) -> Int? {
        config.hiddenSize % config.headCount == 0 ? config.hiddenSize / config.headCount : nil
    }
}

/// Sizes of multi-head latent attention (DeepSeek-V2, arXiv 2405.04434).
package struct LatentSpec: Sendable, Equatable {
    /// Of the compressed query; nil: queries come from the hidden state.
    package var query: Int?
    /// Of the compressed key and value.
    package var latent: Int
    /// Dimensions of a head's query that do not turn, and those that do.
    package var plain: Int
    package var turned: Int
    /// Of a head's value.
    package var value: Int
    /// Of the norms of compressed queries and vectors, which the models' makers left at their code's default.
    package var normEpsilon: Float = 1e-6

    /// What a token leaves in the cache.
    package var headDimension: Int { latent + turned }

    /// Columns of the projections of the hidden state: (compressed) queries, compressed vector, turned key.
    func inputColumns(heads: Int) -> Int { (query ?? heads * (plain + turned)) + headDimension }
}

/// The experts of a layer.
package struct ExpertSpec: Sendable, Equatable {
    package var count: Int
    package var intermediateSize: Int
    package var rule: RoutingRule
    /// Width of the expert that every token goes through; 0: none.
    package var sharedSize = 0
    /// The shared expert's output is multiplied by the sigmoid of a projection of its own.
    package var gatesShared = false
    /// The checkpoint has numbers that are added to the scores when experts are chosen.
    package var hasCorrection = false
    package var names = Names()
    /// Where the checkpoint stores all experts of a layer as one tensor.
    package var stackLayout = ExpertStack.Layout()

    package var stack: ExpertStack {
        ExpertStack(stackLayout, module: names.experts, gate: names.gate, up: names.up, down: names.down)
    }

    /// As in checkpoints, below the layer.
    package struct Names: Sendable, Equatable {
        package var router = "mlp.gate"
        package var experts = "mlp.experts"
        package var gate = "gate_proj"
        package var up = "up_proj"
        package var down = "down_proj"
        package var shared = "mlp.shared_expert"
        package var sharedGate = "mlp.shared_expert_gate"
        package var correction = "mlp.gate.e_score_correction_bias"
    }

    package init(count: Int, intermediateSize: Int, rule: RoutingRule) {
        self.count = count
        self.intermediateSize = intermediateSize
        self.rule = rule
    }
}

extension ModelConfig {
    func unsupported(_ key: String, found: String, _ supported: String) -> ModelError {
        .unsupportedSetting(file: file, key: key, found: found, supported: supported)
    }

    /// Windows by `layer_types`, which the configuration has or the family implies.
    func windows(_ types: [String], size: Int?) throws(ModelError) -> [Int?] {
        var result: [Int?] = []
        for (layer, type) in types.enumerated() {
            switch type {
            case "full_attention": result.append(nil)
            case "sliding_attention":
                guard let size else {
                    throw unsupported(
                        "layer_types[\(layer)]", found: "a sliding layer without a window",
                        "sliding_window has to be given")
                }
                result.append(size)
            default:
                throw unsupported(
                    "layer_types[\(layer)]", found: "\"\(type)\"",
                    "full_attention and sliding_attention are supported")
            }
        }
        return result
    }

    /// `sliding_window`, or a family's own size where nothing is said.
    func windowSize(_ implied: Int?) -> Int? {
        switch slidingWindow {
        case .tokens(let tokens): tokens
        case .off: nil
        case .unspecified: implied
        }
    }
}
