import Compute
import Tensors

/// The decoder that all families share: embedding, layers of attention and gated MLP, norm, output projection.
final class Decoder: Model {
    struct Layer {
        let inputNorm: Norm
        let attention: Attention
        let postAttentionNorm: Norm
        let mlp: GatedMLP
    }

    /// Weights in the backend's memory.
    struct Weights {
        let embedding: PackedWeight
        let layers: [Layer]
        let finalNorm: Norm
        /// The embedding itself where they are tied.
        let output: Linear
        let rotary: Rotary
        let dtype: DType
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

    func kvLayout(pageSize: Int) -> KVLayout {
        KVLayout(
            layers: spec.layerCount, keyValueHeads: spec.keyValueHeadCount, headDimension: spec.headDimension,
            pageSize: pageSize, dtype: weights.dtype)
    }

    func forward(_ context: ForwardContext, cache: KVCache) -> Tensor {
        let rows = context.rowCount
        precondition(rows > 0 && rows <= maximumRows && context.sampledRows.count <= maximumSampledRows)
        let all = buffers.all
        backend.prepare(weights.rotary, context)
        backend.embed(context.tokens, weights.embedding, into: all.residual)
        weights.layers[0].inputNorm.apply(all.residual, into: all.normed, rows: rows, on: backend)
        for (index, layer) in weights.layers.enumerated() {
            layer.attention.attend(
                all.normed, scratch: buffers.queryKeyValue, rotary: weights.rotary, cache: cache, layer: index,
                context, into: all.heads, on: backend)
            guard index + 1 < weights.layers.count else { break }
            finish(layer, in: all, rows: rows, next: weights.layers[index + 1].inputNorm)
        }
        // After the last attention a row that is not sampled has nothing more to give.
        let sampled = context.sampledRows.count
        if sampled > 0, let last = weights.layers.last {
            backend.gather(all.residual, rows: context.sampledRows, into: buffers.sampled.residual)
            backend.gather(all.heads, rows: context.sampledRows, into: buffers.sampled.heads)
            finish(last, in: buffers.sampled, rows: sampled, next: weights.finalNorm)
            weights.output.apply(buffers.sampled.normed, into: buffers.logits, rows: sampled, on: backend)
        }
        return buffers.logits
    }

    /// From the attention's output to the normed input of what comes next.
    private func finish(_ layer: Layer, in rows: DecoderBuffers.Rows, rows count: Int, next: Norm) {
        layer.attention.output.apply(rows.heads, into: rows.delta, rows: count, on: backend)
        layer.postAttentionNorm.apply(
            adding: rows.delta, to: rows.residual, into: rows.normed, rows: count, on: backend)
        layer.mlp.apply(
            rows.normed, scratch: rows.gateUp, gated: rows.gated, into: rows.delta, rows: count, on: backend)
        next.apply(adding: rows.delta, to: rows.residual, into: rows.normed, rows: count, on: backend)
    }
}

/// Activations of the largest step, allocated once.
struct DecoderBuffers {
    struct Rows {
        let residual: Tensor
        let normed: Tensor
        let delta: Tensor
        let heads: Tensor
        let gateUp: Tensor
        let gated: Tensor

        init(_ spec: DecoderSpec, rows: Int, backend: any Backend) throws(ComputeError) {
            residual = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            normed = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            delta = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
            heads = try backend.makeTensor(rows: rows, columns: spec.headCount * spec.headDimension)
            gateUp = try backend.makeTensor(rows: rows, columns: 2 * spec.intermediateSize)
            gated = try backend.makeTensor(rows: rows, columns: spec.intermediateSize)
        }
    }

    let all: Rows
    let queryKeyValue: Tensor
    /// The rows whose logits are wanted, through the last layer.
    let sampled: Rows
    let logits: Tensor

    init(_ spec: DecoderSpec, rows: Int, sampledRows: Int, backend: any Backend) throws(ComputeError) {
        all = try Rows(spec, rows: rows, backend: backend)
        queryKeyValue = try backend.makeTensor(
            rows: rows, columns: (spec.headCount + 2 * spec.keyValueHeadCount) * spec.headDimension)
        sampled = try Rows(spec, rows: sampledRows, backend: backend)
        logits = try backend.makeTensor(rows: sampledRows, columns: spec.vocabularySize)
    }
}
