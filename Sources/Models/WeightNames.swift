/// Names and shapes of a decoder's tensors in a Hugging Face checkpoint; parts that are fused here stand in the order
/// in which they are fused.
struct WeightNames {
    struct Part {
        var name: String
        var shape: [Int]
    }

    /// A projection: one or more matrices `[outputs, inputs]` below each other, and their biases or none.
    struct Projection {
        var weights: [Part]
        var biases: [Part]

        init(_ names: [(name: String, outputs: Int)], inputs: Int, bias: Bool) {
            weights = names.map { Part(name: $0.name + ".weight", shape: [$0.outputs, inputs]) }
            biases = bias ? names.map { Part(name: $0.name + ".bias", shape: [$0.outputs]) } : []
        }

        var parts: [Part] { weights + biases }
    }

    struct MLP {
        var gateUp: Projection
        var down: Projection

        var parts: [Part] { gateUp.parts + down.parts }
    }

    struct Experts {
        var router: Projection
        var correction: Part?
        var experts: [MLP]
        var shared: MLP?
        var sharedGate: Projection?

        var parts: [Part] {
            router.parts + [correction].compactMap { $0 } + experts.flatMap(\.parts) + (shared?.parts ?? [])
                + (sharedGate?.parts ?? [])
        }
    }

    /// Of either kind of attention.
    enum Attention {
        case grouped(queryKeyValue: Projection, queryNorm: Part?, keyNorm: Part?, sinks: Part?)
        /// `expansion`: keys and values of each head, from the compressed vector.
        case latent(input: Projection, queryNorm: Part?, queries: Part?, latentNorm: Part, expansion: Part)

        var parts: [Part] {
            switch self {
            case .grouped(let queryKeyValue, let queryNorm, let keyNorm, let sinks):
                queryKeyValue.parts + [queryNorm, keyNorm, sinks].compactMap { $0 }
            case .latent(let input, let queryNorm, let queries, let latentNorm, let expansion):
                input.parts + [queryNorm, queries, latentNorm, expansion].compactMap { $0 }
            }
        }
    }

    struct Layer {
        var inputNorm: Part?
        var attention: Attention
        var attentionOutput: Projection
        var attentionOutputNorm: Part?
        var mlpNorm: Part?
        /// One of both.
        var mlp: MLP?
        var experts: Experts?
        var mlpOutputNorm: Part?

        var parts: [Part] {
            let norms = [inputNorm, attentionOutputNorm, mlpNorm, mlpOutputNorm]
            return norms.compactMap { $0 } + attention.parts + attentionOutput.parts + (mlp?.parts ?? [])
                + (experts?.parts ?? [])
        }
    }

    let embedding: Part
    let layers: [Layer]
    let finalNorm: Part
    /// Nil where the embedding is used.
    let output: Part?

    init(_ spec: DecoderSpec) {
        let hidden = spec.hiddenSize
        embedding = Part(name: "model.embed_tokens.weight", shape: [spec.vocabularySize, hidden])
        finalNorm = Part(name: "model.norm.weight", shape: [hidden])
        output = spec.tiesEmbeddings ? nil : Part(name: "lm_head.weight", shape: [spec.vocabularySize, hidden])
        layers = (0..<spec.layerCount).map { Self.layer(spec, $0) }
    }

    private static func layer(_ spec: DecoderSpec, _ index: Int) -> Layer {
        let hidden = spec.hiddenSize
        let layer = "model.layers.\(index)."
        func norm(_ name: String?) -> Part? { name.map { Part(name: layer + $0 + ".weight", shape: [hidden]) } }
        let experts = spec.experts[index].map { Self.experts($0, spec, layer) }
        return Layer(
            inputNorm: norm(spec.norms.input),
            attention: spec.latent.map { latent($0, spec, layer + "self_attn.") }
                ?? grouped(spec, layer + "self_attn."),
            attentionOutput: Projection(
                [(layer + "self_attn.o_proj", hidden)], inputs: spec.attentionColumns,
                bias: spec.biases.contains(.attentionOutput)),
            attentionOutputNorm: norm(spec.norms.attentionOutput), mlpNorm: norm(spec.norms.mlp),
            mlp: experts == nil
                ? mlp(
                    layer + "mlp", spec.intermediateSize, spec, bias: spec.biases.contains(.mlp),
                    fused: spec.fusions.contains(.gateUp)) : nil,
            experts: experts, mlpOutputNorm: norm(spec.norms.mlpOutput))
    }

    private static func grouped(_ spec: DecoderSpec, _ name: String) -> Attention {
        let queries = spec.headCount * spec.headDimension
        let keys = spec.keyValueHeadCount * spec.headDimension
        func headNorm(_ norm: String, _ width: Int) -> Part? {
            spec.queryKeyNorm.map {
                Part(name: name + norm + ".weight", shape: [$0 == .eachHead ? spec.headDimension : width])
            }
        }
        return .grouped(
            queryKeyValue: Projection(
                spec.fusions.contains(.queryKeyValue)
                    ? [(name + "qkv_proj", queries + 2 * keys)]
                    : [(name + "q_proj", queries), (name + "k_proj", keys), (name + "v_proj", keys)],
                inputs: spec.hiddenSize, bias: spec.biases.contains(.queryKeyValue)),
            queryNorm: headNorm("q_norm", queries), keyNorm: headNorm("k_norm", keys),
            sinks: spec.hasSinks ? Part(name: name + "sinks", shape: [spec.headCount]) : nil)
    }

    private static func latent(_ sizes: LatentSpec, _ spec: DecoderSpec, _ name: String) -> Attention {
        let queries = spec.headCount * (sizes.plain + sizes.turned)
        return .latent(
            input: Projection(
                [
                    sizes.query.map { (name + "q_a_proj", $0) } ?? (name + "q_proj", queries),
                    (name + "kv_a_proj_with_mqa", sizes.headDimension),
                ], inputs: spec.hiddenSize, bias: false),
            queryNorm: sizes.query.map { Part(name: name + "q_a_layernorm.weight", shape: [$0]) },
            queries: sizes.query.map { Part(name: name + "q_b_proj.weight", shape: [queries, $0]) },
            latentNorm: Part(name: name + "kv_a_layernorm.weight", shape: [sizes.latent]),
            expansion: Part(
                name: name + "kv_b_proj.weight",
                shape: [spec.headCount * (sizes.plain + sizes.value), sizes.latent]))
    }

    private static func mlp(
        _ name: String, _ width: Int, _ spec: DecoderSpec, bias: Bool = false, fused: Bool = false,
        names: ExpertSpec.Names = .init()
    ) -> MLP {
        MLP(
            gateUp: Projection(
                fused
                    ? [("\(name).gate_up_proj", 2 * width)]
                    : [("\(name).\(names.gate)", width), ("\(name).\(names.up)", width)],
                inputs: spec.hiddenSize, bias: bias),
            down: Projection([("\(name).\(names.down)", spec.hiddenSize)], inputs: width, bias: bias))
    }

    private static func experts(_ experts: ExpertSpec, _ spec: DecoderSpec, _ layer: String) -> Experts {
        let names = experts.names
        let bias = spec.biases.contains(.experts)
        return Experts(
            router: Projection([(layer + names.router, experts.count)], inputs: spec.hiddenSize, bias: bias),
            correction: experts.hasCorrection ? Part(name: layer + names.correction, shape: [experts.count]) : nil,
            experts: (0..<experts.count).map {
                mlp("\(layer)\(names.experts).\($0)", experts.intermediateSize, spec, bias: bias, names: names)
            },
            shared: experts.sharedSize > 0 ? mlp(layer + names.shared, experts.sharedSize, spec) : nil,
            sharedGate: experts.gatesShared
                ? Projection([(layer + names.sharedGate, 1)], inputs: spec.hiddenSize, bias: false) : nil)
    }

    var parts: [Part] { [embedding] + layers.flatMap(\.parts) + [finalNorm] + [output].compactMap { $0 } }

    /// Tensors that may be there and say nothing new: tables of the rotary embedding, and the output projection that
    /// is the embedding.
    func isRedundant(_ name: String) -> Bool {
        name.hasSuffix("rotary_emb.inv_freq") || (output == nil && name == "lm_head.weight")
    }

    /// Biases, norms and sinks that lie in the layers of this model: without them its result would be wrong.
    func wouldChangeResult(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count >= 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]),
            layer < layers.count
        else { return name == "lm_head.bias" }
        return name.hasSuffix("bias") || name.hasSuffix("norm.weight") || name.hasSuffix(".sinks")
    }
}
