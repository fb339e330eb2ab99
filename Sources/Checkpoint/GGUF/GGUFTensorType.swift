import Tensors

/// Types of the tensors in a GGUF file that are read; raw values as in `ggml.h`.
enum GGUFTensorType: UInt32, CaseIterable {
    case f32 = 0
    case f16 = 1
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case q8_0 = 8
    case q2_k = 10
    case q3_k = 11
    case q4_k = 12
    case q5_k = 13
    case q6_k = 14
    case iq4_nl = 20
    case iq4_xs = 23
    case bf16 = 30
    case mxfp4 = 39

    /// For messages: types that exist and are not read.
    static func name(ofCode code: UInt32) -> String {
        let names: [UInt32: String] = [
            9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S",
            24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0",
        ]
        return names[code] ?? "\(code)"
    }

    /// The type that operations read; nil for blocks.
    var dtype: DType? {
        switch self {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        default: nil
        }
    }

    /// Numbers in a block.
    var blockSize: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl, .mxfp4: 32
        case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq4_xs: 256
        }
    }

    /// Bytes of a block.
    var blockBytes: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0, .iq4_nl: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .q2_k: 84
        case .q3_k: 110
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        case .iq4_xs: 136
        case .mxfp4: 17
        }
    }

    /// Bytes of a tensor; nil if a row is no whole number of blocks or the size leaves Int.
    func byteCount(_ shape: [Int]) -> Int? {
        var elements = 1
        for size in shape {
            let (product, overflow) = elements.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            elements = product
        }
        guard (shape.last ?? 1) % blockSize == 0 else { return nil }
        let (bytes, overflow) = (elements / blockSize).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}
