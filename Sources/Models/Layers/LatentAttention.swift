import Compute
import Tensors

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): a token leaves one compressed vector and one turned key
/// in the cache, which all heads share.
///
/// The matrices that would widen it to keys and values of each head stand before and behind attention instead
/// (absorption): a head's query is multiplied by its part of the first, the weighted mean of compressed vectors by its
/// part of the second. Prompts go the same way as single tokens, so that a token's bits do not depend on its chunk.
///
/// A head has `turned` dimensions first, then those of the compressed vector.
struct LatentAttention {
    /// What queries are made of, then the compressed vector, then the turned key.
    let input: Linear
    /// From compressed queries; nil: the input gives the queries themselves.
    let queries: (norm: Vector, weight: PackedWeight)?
    let latentNorm: Vector
    /// Of each head, `[latent, plain]`.
    let absorbed: [PackedWeight]
    /// Of each head, `[value, latent]`.
    let values: [PackedWeight]
    let output: Linear
    let sizes: LatentSpec
    let shape: AttentionShape
    let rotary: Rotary

    /// Everything before the output projection: `x` `[rows, hidden]` → `heads` `[rows, heads·value]`.
    func attend(
        _ x: Tensor, _ buffers: AttentionBuffers, cache: KVCache, layer: Int, _ context: ForwardContext,
        into heads: Tensor, on backend: any Backend
    ) {
        guard let latent = buffers.latent else { preconditionFailure("no buffers for latent attention") }
        let rows = context.rowCount
        let (count, width) = (shape.heads, sizes.headDimension)
        let query = sizes.plain + sizes.turned
        input.apply(x, into: latent.input, rows: rows, on: backend)
        let first = sizes.inputColumns(heads: count) - width
        backend.normalize(
            latent.input, columns: first..<first + sizes.latent, weight: latentNorm, epsilon: sizes.normEpsilon,
            rows: rows)
        var source = latent.input
        if let queries, let widened = latent.queries {
            backend.normalize(
                latent.input, columns: 0..<first, weight: queries.norm, epsilon: sizes.normEpsilon, rows: rows)
            backend.linear(
                latent.input, ColumnBlocks(stride: first, width: first), [queries.weight], into: widened,
                ColumnBlocks(stride: count * query, width: count * query), rows: rows)
            source = widened
        }
        // The checkpoint has the turned dimensions behind the others.
        let all = buffers.queryKeyValue
        backend.copy(
            source, ColumnBlocks(first: sizes.plain, stride: query, width: sizes.turned), into: all,
            ColumnBlocks(stride: width, width: sizes.turned), count: count, rows: rows)
        backend.linear(
            source, ColumnBlocks(stride: query, width: sizes.plain), absorbed, into: all,
            ColumnBlocks(first: sizes.turned, stride: width, width: sizes.latent), rows: rows)
        backend.copy(
            latent.input, ColumnBlocks(first: first + sizes.latent, stride: sizes.turned, width: sizes.turned),
            into: all, ColumnBlocks(first: count * width, stride: sizes.turned, width: sizes.turned), count: 1,
            rows: rows)
        backend.copy(
            latent.input, ColumnBlocks(first: first, stride: sizes.latent, width: sizes.latent), into: all,
            ColumnBlocks(first: count * width + sizes.turned, stride: sizes.latent, width: sizes.latent), count: 1,
            rows: rows)
        backend.rotateAndStore(
            all, shape, queryNorm: nil, keyNorm: nil, epsilon: sizes.normEpsilon, rotary: rotary, cache: cache,
            layer: layer,
            context)
        backend.attention(all, shape, cache: cache, layer: layer, context, into: latent.mixed)
        backend.linear(
            latent.mixed, ColumnBlocks(first: sizes.turned, stride: width, width: sizes.latent), values, into: heads,
            ColumnBlocks(stride: sizes.value, width: sizes.value), rows: rows)
    }
}

/// Attention of one kind or the other.
enum SelfAttention {
    case grouped(GroupedAttention)
    case latent(LatentAttention)

    /// Everything before the output projection: `x` `[rows, hidden]` → `heads`.
    func attend(
        _ x: Tensor, _ buffers: AttentionBuffers, cache: KVCache, layer: Int, _ context: ForwardContext,
        into heads: Tensor, on backend: any Backend
    ) {
        switch self {
        case .grouped(let attention):
            attention.attend(
                x, scratch: buffers.queryKeyValue, cache: cache, layer: layer, context, into: heads, on: backend)
        case .latent(let attention):
            attention.attend(x, buffers, cache: cache, layer: layer, context, into: heads, on: backend)
        }
    }

    var output: Linear {
        switch self {
        case .grouped(let attention): attention.output
        case .latent(let attention): attention.output
        }
    }
}

/// What attention needs while it runs; all layers share it.
struct AttentionBuffers {
    struct Latent {
        /// `[rows, inputColumns]`
        let input: Tensor
        /// Widened queries, where they are compressed first.
        let queries: Tensor?
        /// Means of cached vectors, `[rows, heads·headDimension]`.
        let mixed: Tensor
    }

    let queryKeyValue: Tensor
    let latent: Latent?

    init(_ spec: DecoderSpec, rows: Int, backend: any Backend) throws(ComputeError) {
        let layout = spec.kvLayout(pageSize: 16, dtype: .float32)
        queryKeyValue = try backend.makeTensor(rows: rows, columns: layout.projectionColumns(heads: spec.headCount))
        guard let sizes = spec.latent else {
            latent = nil
            return
        }
        let query = spec.headCount * (sizes.plain + sizes.turned)
        latent = Latent(
            input: try backend.makeTensor(rows: rows, columns: sizes.inputColumns(heads: spec.headCount)),
            queries: sizes.query == nil ? nil : try backend.makeTensor(rows: rows, columns: query),
            mixed: try backend.makeTensor(rows: rows, columns: spec.headCount * sizes.headDimension))
    }
}
