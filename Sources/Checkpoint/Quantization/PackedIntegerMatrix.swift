import Tensors

/// compressed-tensors' `pack-quantized`: integers of 2 to 8 bits (W4A16, W8A16).
///
/// `weight_packed` int32 `[outputs, ⌈inputs · bits / 32⌉]`, lowest bits first, each code larger by half the range than
/// the number it means; `weight_scale` `[outputs, groups]`; `weight_shape` int64 `[outputs, inputs]`;
/// `weight_zero_point` int32 `[⌈outputs · bits / 32⌉, groups]`, packed along the outputs, where not symmetric;
/// `weight_g_idx` int32 `[inputs]` where activation order mixed the groups.
struct PackedIntegerMatrix: QuantizedMatrix {
    let outputs: Int
    let inputs: Int
    private let bits: Int
    private let codes: TensorView
    private let scales: [Float]
    /// Of each output and group, as codes; empty where all are half the range.
    private let zeros: [Float]
    let groupOfInput: [Int32]
    let groups: Int
    let form: CodeForm

    init(_ parts: QuantizedParts) throws(CheckpointError) {
        codes = try parts.matrix(".weight_packed", .int32)
        let stated = try parts.part(".weight_shape", .int64, [2])
        let shape = (0..<2).map {
            Int(Int64(littleEndian: stated.bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)))
        }
        // Bounded first: the numbers come from the file and are multiplied.
        guard shape[0] == codes.shape[0], shape[1] > 0, shape[1] <= codes.elementCount * 16, shape[0] > 0 else {
            throw parts.failure(
                ".weight_shape", expected: "the shape of weight_packed before packing", found: "\(shape)")
        }
        let outputs = shape[0]
        let inputs = shape[1]
        let packed = codes.shape[1]
        guard let bits = [4, 8, 2, 3, 5, 6, 7].first(where: { (inputs * $0 + 31) / 32 == packed }) else {
            throw parts.failure(".weight_packed", expected: "2 to 8 bits for each of \(inputs) inputs")
        }
        guard let scaleShape = parts.information(".weight_scale")?.shape, scaleShape.count == 2,
            scaleShape[0] == outputs, scaleShape[1] > 0
        else { throw parts.failure(".weight_scale", expected: "[\(outputs), groups]") }
        groups = scaleShape[1]
        scales = try parts.floats(".weight_scale")
        groupOfInput = try parts.groups(".weight_g_idx", scales: ".weight_scale", inputs: inputs, groups: groups)
        if parts.has(".weight_zero_point") {
            let rows = (outputs * bits + 31) / 32
            let packedZeros = try parts.part(".weight_zero_point", .int32, [rows, groups])
            var zeros = [Float](repeating: 0, count: outputs * groups)
            for output in 0..<outputs {
                for group in 0..<groups {
                    let code = BitStream.value(
                        packedZeros, start: group, stride: groups, at: output * bits, bits: bits)
                    zeros[output * groups + group] = Float(code)
                }
            }
            self.zeros = zeros
        } else {
            zeros = []
        }
        let isSymmetric = zeros.isEmpty
        let half = Float(1 << (bits - 1))
        form = CodeForm(
            bits > 4 ? .int8 : isSymmetric ? .fourBits((0..<16).map { Float($0) - half }) : CodeForm.unsignedFourBits,
            factors: parts.factorType(".weight_scale"), hasZeros: !isSymmetric)
        self.outputs = outputs
        self.inputs = inputs
        self.bits = bits
    }

    var scheme: String { "W\(bits)A16, groups of \((inputs + groups - 1) / groups)" }

    func read(from first: Int, into rows: CodedRows) {
        // Codes of more than four bits are moved into the range of int8: by half their range where that is the zero
        // point, else by half a byte, and the zero points with them.
        let half = zeros.isEmpty ? 1 << (bits - 1) : 128
        let moved = bits > 4 ? half : 0
        for row in 0..<rows.count {
            for input in 0..<inputs {
                let code = BitStream.value(
                    codes, start: (first + row) * codes.shape[1], stride: 1, at: input * bits, bits: bits)
                rows.codes[row * inputs + input] = UInt8(truncatingIfNeeded: Int(code) - moved)
            }
        }
        for index in rows.scales.indices { rows.scales[index] = scales[first * groups + index] }
        for index in rows.zeros.indices { rows.zeros[index] = zeros[first * groups + index] - Float(moved) }
    }
}
