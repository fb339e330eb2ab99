import Compute

/// Grouped-query attention over the pages of the cache.
struct GroupedAttention {
    let queryKeyValue: Linear
    let queryNorm: Vector?
    let keyNorm: Vector?
    /// The norms are of all heads together, not of each.
    let normalizesWholeWidth: Bool
    /// A score of each head that has no value (gpt-oss).
    let sinks: Vector?
    let output: Linear
    let shape: AttentionShape
    let epsilon: Float
    let rotary: Rotary

    /// Everything before the output projection: `x` `[rows, hidden]` → `heads` `[rows, heads·headDimension]`.
    /// `scratch` takes q, k and v of all rows.
    func attend(
        _ x: Tensor, scratch: Tensor, cache: KVCache, layer: Int, _ context: ForwardContext, into heads: Tensor,
        on backend: any Backend
    ) {
        queryKeyValue.apply(x, into: scratch, rows: context.rowCount, on: backend)
        if normalizesWholeWidth, let queryNorm, let keyNorm {
            let queries = shape.heads * shape.headDimension
            backend.normalize(
                scratch, columns: 0..<queries, weight: queryNorm, epsilon: epsilon, rows: context.rowCount)
            backend.normalize(
                scratch, columns: queries..<queries + keyNorm.count, weight: keyNorm, epsilon: epsilon,
                rows: context.rowCount)
        }
        backend.rotateAndStore(
            scratch, shape, queryNorm: normalizesWholeWidth ? nil : queryNorm,
            keyNorm: normalizesWholeWidth ? nil : keyNorm, epsilon: epsilon, rotary: rotary, cache: cache,
            layer: layer, context)
        backend.attention(
            scratch, shape, sinks: sinks, cache: cache, layer: layer, context, into: heads)
    }
}
