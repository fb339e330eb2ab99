import Tensors

/// Numbers of 4 bits (E2M1), two in a byte, the lower half first, with a scale for each 16 or 32 neighbours.
///
/// MXFP4 (OCP Microscaling): scales are powers of two (E8M0) for 32. NVFP4: scales are FP8 (E4M3) for 16, and one more
/// for the tensor, which multiplies in ModelOpt's checkpoints and divides in those of compressed-tensors.
struct FP4Matrix: QuantizedMatrix {
    let scheme: String
    let outputs: Int
    let inputs: Int
    private let codes: TensorView
    private let scales: [Float]
    private let blockSize: Int
    let form: CodeForm

    /// How the second scale enters.
    enum TensorScale {
        case none
        case multiplies(String)
        case divides(String)
    }

    init(
        _ parts: QuantizedParts, codes codesSuffix: String, scales scalesSuffix: String, tensorScale: TensorScale
    ) throws(CheckpointError) {
        codes = try parts.matrix(codesSuffix, .uint8)
        outputs = codes.shape[0]
        inputs = codes.shape[1] * 2
        let information = parts.information(scalesSuffix)
        guard let shape = information?.shape, shape.count == 2, shape[0] == outputs, shape[1] > 0,
            inputs % (2 * shape[1]) == 0
        else { throw parts.failure(scalesSuffix, expected: "[\(outputs), blocks of \(inputs) inputs]") }
        blockSize = inputs / shape[1]
        let isMX = information?.dtype == .uint8 || information?.dtype == .float8e8m0
        // MX scales are often stored as plain bytes.
        var scales =
            isMX
            ? try parts.view(scalesSuffix).copiedBytes.map { SmallFloats.float(e8m0: $0) }
            : try parts.floats(scalesSuffix)
        switch tensorScale {
        case .none:
            // Without its second scale an NVFP4 matrix would be wrong by a factor, not unreadable.
            guard isMX else {
                throw parts.failure(
                    codesSuffix == ".weight" ? ".weight_scale_2" : ".weight_global_scale", expected: "one number")
            }
        case .multiplies(let suffix):
            let factor = try parts.scalar(suffix)
            scales = scales.map { $0 * factor }
        case .divides(let suffix):
            let divisor = try parts.scalar(suffix)
            scales = scales.map { $0 / divisor }
        }
        self.scales = scales
        // Powers of two are bfloat16 numbers.
        form = CodeForm(.fourBits(SmallFloats.e2m1), factors: isMX ? .bfloat16 : .float32)
        scheme = "\(isMX ? "MXFP4" : "NVFP4"), blocks of \(blockSize)"
    }

    var groups: Int { inputs / blockSize }
    var groupOfInput: [Int32] { (0..<inputs).map { Int32($0 / blockSize) } }

    func read(from first: Int, into rows: CodedRows) {
        let start = first * inputs / 2
        for pair in 0..<rows.count * inputs / 2 {
            let byte = codes.bytes[start + pair]
            rows.codes[2 * pair] = byte & 15
            rows.codes[2 * pair + 1] = byte >> 4
        }
        for index in rows.scales.indices { rows.scales[index] = scales[first * groups + index] }
    }
}
