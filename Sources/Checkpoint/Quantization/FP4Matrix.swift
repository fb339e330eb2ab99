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
            ? try parts.view(scalesSuffix).bytes.map { SmallFloats.float(e8m0: $0) } : try parts.floats(scalesSuffix)
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
        scheme = "\(isMX ? "MXFP4" : "NVFP4"), blocks of \(blockSize)"
    }

    func decode(_ rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) {
        let table = SmallFloats.e2m1
        let width = inputs / 2
        let blocks = inputs / blockSize
        var place = 0
        for row in rows {
            for pair in 0..<width {
                let byte = codes.bytes[row * width + pair]
                let scale = scales[row * blocks + 2 * pair / blockSize]
                values[place] = table[Int(byte & 15)] * scale
                values[place + 1] = table[Int(byte >> 4)] * scale
                place += 2
            }
        }
    }
}
