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

    struct Layer {
        var inputNorm: Part
        var queryKeyValue: Projection
        var queryNorm: Part?
        var keyNorm: Part?
        var attentionOutput: Projection
        var postAttentionNorm: Part
        var gateUp: Projection
        var down: Projection

        var parts: [Part] {
            [inputNorm] + queryKeyValue.parts + [queryNorm, keyNorm].compactMap { $0 } + attentionOutput.parts
                + [postAttentionNorm] + gateUp.parts + down.parts
        }
    }

    let embedding: Part
    let layers: [Layer]
    let finalNorm: Part
    /// Nil where the embedding is used.
    let output: Part?

    init(_ spec: DecoderSpec) {
        let hidden = spec.hiddenSize
        let queries = spec.headCount * spec.headDimension
        let keys = spec.keyValueHeadCount * spec.headDimension
        embedding = Part(name: "model.embed_tokens.weight", shape: [spec.vocabularySize, hidden])
        finalNorm = Part(name: "model.norm.weight", shape: [hidden])
        output = spec.tiesEmbeddings ? nil : Part(name: "lm_head.weight", shape: [spec.vocabularySize, hidden])
        layers = (0..<spec.layerCount).map { index in
            let layer = "model.layers.\(index)."
            let attention = layer + "self_attn."
            let mlp = layer + "mlp."
            func norm(_ name: String, _ size: Int) -> Part { Part(name: name + ".weight", shape: [size]) }
            let normalizes = spec.normalizesQueriesAndKeys
            return Layer(
                inputNorm: norm(layer + "input_layernorm", hidden),
                queryKeyValue: Projection(
                    [(attention + "q_proj", queries), (attention + "k_proj", keys), (attention + "v_proj", keys)],
                    inputs: hidden, bias: spec.biases.contains(.queryKeyValue)),
                queryNorm: normalizes ? norm(attention + "q_norm", spec.headDimension) : nil,
                keyNorm: normalizes ? norm(attention + "k_norm", spec.headDimension) : nil,
                attentionOutput: Projection(
                    [(attention + "o_proj", hidden)], inputs: queries, bias: spec.biases.contains(.attentionOutput)),
                postAttentionNorm: norm(layer + "post_attention_layernorm", hidden),
                gateUp: Projection(
                    [(mlp + "gate_proj", spec.intermediateSize), (mlp + "up_proj", spec.intermediateSize)],
                    inputs: hidden, bias: spec.biases.contains(.mlp)),
                down: Projection(
                    [(mlp + "down_proj", hidden)], inputs: spec.intermediateSize, bias: spec.biases.contains(.mlp)))
        }
    }

    var parts: [Part] { [embedding] + layers.flatMap(\.parts) + [finalNorm] + [output].compactMap { $0 } }

    /// Tensors that may be there and say nothing new: tables of the rotary embedding, and the output projection that
    /// is the embedding.
    func isRedundant(_ name: String) -> Bool {
        name.hasSuffix("rotary_emb.inv_freq") || (output == nil && name == "lm_head.weight")
    }

    /// Biases and norms that lie in the layers of this model: without them its result would be wrong.
    func wouldChangeResult(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count >= 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]),
            layer < layers.count
        else { return name == "lm_head.bias" }
        return name.hasSuffix(".bias") || name.hasSuffix("norm.weight")
    }
}
