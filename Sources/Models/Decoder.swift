import Compute
import Tensors

/// The decoder that all families share: embedding, layers of attention and MLP, norm, output projection.
final class Decoder: Model {
    struct Layer {
        let inputNorm: Norm?
        let attention: SelfAttention
        let attentionOutputNorm: Norm?
        let mlpNorm: Norm?
        let mlp: FeedForward
        let mlpOutputNorm: Norm?
    }

    /// Weights in the backend's memory.
    struct Weights {
        let embedding: PackedWeight
        let layers: [Layer]
        let finalNorm: Norm
        /// The embedding itself where they are tied.
        let output: Linear
        /// Those that the layers use.
        let rotaries: [Rotary]
        let dtype: DType
        let embeddingScale: Float
    }

    private let spec: DecoderSpec
    private let weights: Weights
    private let buffers: DecoderBuffers
    private let backend: any Backend
    let maximumRows: Int
    let maximumSampledRows: Int

    init(
        _ spec: DecoderSpec, weights: Weights, limits: ModelLimits, backend: any Backend
    ) throws(ComputeError) {
        precondition(limits.maximumRows > 0 && limits.maximumSampledRows > 0)
        self.spec = spec
        self.weights = weights
        self.backend = backend
        maximumRows = limits.maximumRows
        maximumSampledRows = min(limits.maximumSampledRows, limits.maximumRows)
        buffers = try DecoderBuffers(
            spec, rows: limits.maximumRows, sampledRows: maximumSampledRows, backend: backend)
    }

    var architecture: String { spec.architecture }
    var vocabularySize: Int { spec.vocabularySize }
    var contextLength: Int { spec.contextLength }
    var weightDType: DType { weights.dtype }
    var hiddenSize: Int { spec.hiddenSize }
    var sampledStates: Tensor { buffers.sampled.normed }

    func kvLayout(pageSize: Int) -> KVLayout { spec.kvLayout(pageSize: pageSize, dtype: weights.dtype) }

    func forward(_ context: ForwardContext, cache: KVCache) -> Tensor {
        let rows = context.rowCount
        precondition(rows > 0 && rows <= maximumRows && context.sampledRows.count <= maximumSampledRows)
        let all = buffers.all
        for rotary in weights.rotaries { backend.prepare(rotary, context) }
        backend.embed(context.tokens, weights.embedding, into: all.residual)
        if weights.embeddingScale != 1 { backend.scale(all.residual, by: weights.embeddingScale, rows: rows) }
        var input = all.residual
        if let norm = weights.layers[0].inputNorm {
            norm.apply(all.residual, into: all.normed, rows: rows, on: backend)
            input = all.normed
        }
        for (index, layer) in weights.layers.enumerated() {
            layer.attention.attend(
                input, buffers.attention, cache: cache, layer: index, context, into: all.heads, on: backend)
            guard index + 1 < weights.layers.count else { break }
            input = finish(layer, in: all, rows: rows, next: weights.layers[index + 1].inputNorm)
        }
        // After the last attention a row that is not sampled has nothing more to give.
        let sampled = context.sampledRows.count
        if sampled > 0, let last = weights.layers.last {
            backend.gather(all.residual, rows: context.sampledRows, into: buffers.sampled.residual)
            backend.gather(all.heads, rows: context.sampledRows, into: buffers.sampled.heads)
            let hidden = finish(last, in: buffers.sampled, rows: sampled, next: weights.finalNorm)
            weights.output.apply(hidden, into: buffers.logits, rows: sampled, on: backend)
            if spec.logitScale != 1 { backend.scale(buffers.logits, by: spec.logitScale, rows: sampled) }
            if let cap = spec.logitCap { backend.softCap(buffers.logits, cap: cap, rows: sampled) }
        }
        return buffers.logits
    }

    /// From the attention's output to the input of what comes next.
    private func finish(_ layer: Layer, in rows: DecoderBuffers.Rows, rows count: Int, next: Norm?) -> Tensor {
        layer.attention.output.apply(rows.heads, into: rows.delta, rows: count, on: backend)
        let input = add(rows, layer.attentionOutputNorm, next: layer.mlpNorm, count)
        layer.mlp.apply(input, into: rows.delta, rows: count, buffers.mlp, on: backend)
        return add(rows, layer.mlpOutputNorm, next: next, count)
    }

    /// Adds `delta` to the residual stream.
    /// - Returns: the stream, normed for what is next.
    private func add(_ rows: DecoderBuffers.Rows, _ norm: Norm?, next: Norm?, _ count: Int) -> Tensor {
        norm?.apply(rows.delta, into: rows.delta, rows: count, on: backend)
        if spec.residualScale != 1 { backend.scale(rows.delta, by: spec.residualScale, rows: count) }
        guard let next else {
            backend.add(rows.delta, to: rows.residual, rows: count)
            return rows.residual
        }
        next.apply(adding: rows.delta, to: rows.residual, into: rows.normed, rows: count, on: backend)
        return rows.normed
    }
}

/// Activations of the largest step, allocated once.
struct DecoderBuffers {
    struct Rows {
        let residual: Tensor
        let normed: Tensor
        let delta: Tensor
        let heads: Tensor

        init(_ spec: DecoderSpec, rows: Int, backend: any Backend) throws(ComputeError) {
            residual = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            normed = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            delta = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            heads = try backend.makeTensor(rows: rows, columns: spec.attentionColumns)
        }
    }

    let all: Rows
    let attention: AttentionBuffers
    /// The rows whose logits are wanted, through the last layer.
    let sampled: Rows
    let mlp: MLPBuffers
    let logits: Tensor

    init(_ spec: DecoderSpec, rows: Int, sampledRows: Int, backend: any Backend) throws(ComputeError) {
        all = try Rows(spec, rows: rows, backend: backend)
        attention = try AttentionBuffers(spec, rows: rows, backend: backend)
        sampled = try Rows(spec, rows: sampledRows, backend: backend)
        mlp = try MLPBuffers(spec, rows: rows, backend: backend)
        logits = try backend.makeTensor(rows: sampledRows, columns: spec.vocabularySize)
    }
}
