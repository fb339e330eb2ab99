/// Safetensors files as bytes, right ones and wrong ones.
enum SafetensorsBytes {
    /// - Parameters:
    ///   - length: what the length field says, if not the truth.
    static func file(header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
        let text = Array(header.utf8)
        let field = length ?? UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: field >> (8 * UInt64($0))) } + text
            + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// a: float32 [2, 3], b: bfloat16 [4], empty: float16 [0, 5], scalar: float32 [].
    static let small = file(
        header: """
            {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
            "empty":{"dtype":"F16","shape":[0,5],"data_offsets":[24,24]},\
            "b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},\
            "scalar":{"dtype":"F32","shape":[],"data_offsets":[32,36]}}
            """ + "   ", data: 36)
}
