package import Tensors

/// Shape of the KV cache. A page holds `pageSize` tokens of every layer; its bytes are arranged by the backend.
package struct KVLayout: Sendable, Hashable {
    package var layers: Int
    package var keyValueHeads: Int
    package var headDimension: Int
    /// Tokens per page, a multiple of 16.
    package var pageSize: Int
    /// `float32`, `float16`, `bfloat16`, `float8e4m3`, or `int8` with a float32 scale for each key and value of a head.
    package var dtype: DType
    /// A token is stored once, and is key and value (multi-head latent attention).
    package var isLatent: Bool

    package init(
        layers: Int, keyValueHeads: Int, headDimension: Int, pageSize: Int, dtype: DType, isLatent: Bool = false
    ) {
        self.layers = layers
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.pageSize = pageSize
        self.dtype = dtype
        self.isLatent = isLatent
    }

    /// Columns of q, k and v for so many heads.
    package func projectionColumns(heads: Int) -> Int {
        (heads + (isLatent ? 1 : 2) * keyValueHeads) * headDimension
    }

    /// Bytes of the key, or the value, of one token and one head.
    package var bytesPerHead: Int { headDimension * dtype.byteCount + (dtype == .int8 ? 4 : 0) }
    package var bytesPerToken: Int { (isLatent ? 1 : 2) * layers * keyValueHeads * bytesPerHead }
    /// The types that pages may have.
    package static let dtypes: [DType] = [.float32, .float16, .bfloat16, .float8e4m3, .int8]
    package var bytesPerPage: Int { bytesPerToken * pageSize }
}
