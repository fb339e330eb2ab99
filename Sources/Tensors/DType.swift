/// Element type of a tensor as stored in a checkpoint or a KV page.
package enum DType: String, Sendable, Hashable, CaseIterable {
    case float32, float16, bfloat16
    case int64, int32, int16, int8, uint8, bool
    /// Storage of quantized checkpoints; no operation computes in them.
    case float8e4m3, float8e5m2, float8e8m0

    /// Bytes of one element.
    package var byteCount: Int {
        switch self {
        case .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool, .float8e4m3, .float8e5m2, .float8e8m0: 1
        }
    }

    /// A type that operations read as numbers of its own, without a scale.
    package var isFloatingPoint: Bool {
        switch self {
        case .float32, .float16, .bfloat16: true
        default: false
        }
    }
}
