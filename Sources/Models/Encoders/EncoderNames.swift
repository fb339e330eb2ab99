import Checkpoint

/// Names and shapes of an encoder's tensors in a Hugging Face checkpoint.
struct EncoderNames {
    typealias Part = WeightNames.Part
    typealias Projection = WeightNames.Projection

    struct NormParts {
        var weight: Part
        var bias: Part
        var parts: [Part] { [weight, bias] }
    }

    struct Layer {
        var queryKeyValue: Projection
        var attentionOutput: Projection
        var attentionNorm: NormParts
        var up: Projection
        var down: Projection
        var outputNorm: NormParts

        var parts: [Part] {
            queryKeyValue.parts + attentionOutput.parts + attentionNorm.parts + up.parts + down.parts + outputNorm.parts
        }
    }

    let words: Part
    let positions: Part
    let types: Part
    let embeddingNorm: NormParts
    let layers: [Layer]
    /// The two projections of a classification head.
    let head: [Projection]

    /// The encoder's own names carry a prefix where it was saved as part of a larger model, and norms of old
    /// checkpoints are called gamma and beta: what the source has decides.
    init(_ spec: EncoderSpec, _ source: any WeightSource) {
        let hidden = spec.hiddenSize
        func has(_ name: String) -> Bool { source.information(name) != nil }
        let prefix = has(spec.prefix + "embeddings.word_embeddings.weight") ? spec.prefix : ""
        func norm(_ name: String) -> NormParts {
            let old = has(name + ".gamma")
            return NormParts(
                weight: Part(name: name + (old ? ".gamma" : ".weight"), shape: [hidden]),
                bias: Part(name: name + (old ? ".beta" : ".bias"), shape: [hidden]))
        }
        func projection(_ names: [String], _ inputs: Int, _ outputs: Int) -> Projection {
            Projection(names.map { ($0, outputs) }, inputs: inputs, bias: true)
        }
        let embeddings = prefix + "embeddings."
        words = Part(name: embeddings + "word_embeddings.weight", shape: [spec.vocabularySize, hidden])
        positions = Part(name: embeddings + "position_embeddings.weight", shape: [spec.positionCount, hidden])
        types = Part(name: embeddings + "token_type_embeddings.weight", shape: [spec.typeCount, hidden])
        embeddingNorm = norm(embeddings + "LayerNorm")
        layers = (0..<spec.layerCount).map { index in
            let layer = "\(prefix)encoder.layer.\(index)."
            let own = layer + "attention.self."
            return Layer(
                queryKeyValue: projection([own + "query", own + "key", own + "value"], hidden, hidden),
                attentionOutput: projection([layer + "attention.output.dense"], hidden, hidden),
                attentionNorm: norm(layer + "attention.output.LayerNorm"),
                up: projection([layer + "intermediate.dense"], hidden, spec.intermediateSize),
                down: projection([layer + "output.dense"], spec.intermediateSize, hidden),
                outputNorm: norm(layer + "output.LayerNorm"))
        }
        head =
            switch spec.head {
            case nil: []
            case .bert:
                [projection([prefix + "pooler.dense"], hidden, hidden), projection(["classifier"], hidden, 1)]
            case .roberta:
                [
                    projection(["classifier.dense"], hidden, hidden), projection(["classifier.out_proj"], hidden, 1),
                ]
            }
    }

    var parts: [Part] {
        [words, positions, types] + embeddingNorm.parts + layers.flatMap(\.parts) + head.flatMap(\.parts)
    }

    /// Tensors that may be there and say nothing about the states: numbers of the positions, the pooler of an encoder
    /// that is pooled otherwise, heads of the training.
    static func isRedundant(_ name: String) -> Bool {
        name.hasSuffix("position_ids") || name.contains("pooler.") || name.hasPrefix("cls.")
            || name.hasPrefix("lm_head.")
    }
}
