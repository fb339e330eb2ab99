import Compute

/// Grouped-query attention over the pages of the cache.
struct Attention {
    let queryKeyValue: Linear
    let queryNorm: Vector?
    let keyNorm: Vector?
    let output: Linear
    let shape: AttentionShape
    let epsilon: Float

    /// Everything before the output projection: `x` `[rows, hidden]` → `heads` `[rows, heads·headDimension]`.
    /// `scratch` takes q, k and v of all rows.
    func attend(
        _ x: Tensor, scratch: Tensor, rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext,
        into heads: Tensor, on backend: any Backend
    ) {
        queryKeyValue.apply(x, into: scratch, rows: context.rowCount, on: backend)
        backend.rotateAndStore(
            scratch, shape, queryNorm: queryNorm, keyNorm: keyNorm, epsilon: epsilon, rotary: rotary, cache: cache,
            layer: layer, context)
        backend.attention(scratch, shape, cache: cache, layer: layer, context, into: heads)
    }
}
