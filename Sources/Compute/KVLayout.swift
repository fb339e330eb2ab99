package import Tensors

/// Shape of the KV cache. A page holds `pageSize` tokens of every layer; its bytes are arranged by the backend.
package struct KVLayout: Sendable, Hashable {
    package var layers: Int
    package var keyValueHeads: Int
    package var headDimension: Int
    /// Tokens per page, a multiple of 16.
    package var pageSize: Int
    /// `float32`, `float16` or `bfloat16`.
    package var dtype: DType

    package init(layers: Int, keyValueHeads: Int, headDimension: Int, pageSize: Int, dtype: DType) {
        self.layers = layers
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.pageSize = pageSize
        self.dtype = dtype
    }

    package var bytesPerToken: Int { 2 * layers * keyValueHeads * headDimension * dtype.byteCount }
    package var bytesPerPage: Int { bytesPerToken * pageSize }
}
