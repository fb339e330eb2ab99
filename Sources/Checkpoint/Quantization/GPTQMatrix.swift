import Tensors

/// GPTQ (Frantar et al. 2022, arXiv 2210.17323) in the layout of AutoGPTQ and GPTQModel.
///
/// `qweight` int32 `[inputs · bits / 32, outputs]`: the codes of one output stand below each other, a stream of bits from
/// the lowest; `scales` `[groups, outputs]`; `qzeros` int32 `[groups, outputs · bits / 32]`, a stream along the outputs;
/// `g_idx` int32 `[inputs]` names the group of each input where activation order mixed them. Format v1 stores each zero
/// point less one, v2 as it is. Bits and group size of each matrix follow from its shapes, so that a checkpoint may mix
/// them.
struct GPTQMatrix: QuantizedMatrix {
    let outputs: Int
    let inputs: Int
    private let bits: Int
    private let codes: TensorView
    private let scales: [Float]
    private let zeros: [Float]
    let groupOfInput: [Int32]
    let groups: Int
    let form: CodeForm

    /// - Parameter storesZerosLessOne: format v1.
    init(_ parts: QuantizedParts, storesZerosLessOne: Bool) throws(CheckpointError) {
        codes = try parts.matrix(".qweight", .int32)
        let outputs = codes.shape[1]
        guard let scaleShape = parts.information(".scales")?.shape, scaleShape.count == 2, scaleShape[1] == outputs,
            scaleShape[0] > 0, outputs > 0
        else { throw parts.failure(".scales", expected: "[groups, \(outputs)], one scale for each output") }
        groups = scaleShape[0]
        scales = try parts.floats(".scales")
        let packedZeros = try parts.matrix(".qzeros", .int32)
        guard packedZeros.shape[0] == groups, (packedZeros.shape[1] * 32) % outputs == 0 else {
            throw parts.failure(".qzeros", expected: "[\(groups), outputs · bits / 32]")
        }
        let bits = packedZeros.shape[1] * 32 / outputs
        guard [2, 3, 4, 8].contains(bits), codes.shape[0] * 32 % bits == 0 else {
            throw parts.failure(".qzeros", expected: "2, 3, 4 or 8 bits for each of \(outputs) outputs")
        }
        let inputs = codes.shape[0] * 32 / bits
        groupOfInput = try parts.groups(".g_idx", scales: ".scales", inputs: inputs, groups: groups)
        // The reference wraps around to 0 except with 3 bits.
        let mask = bits == 3 ? UInt32.max : UInt32(1) << bits - 1
        var zeros: [Float] = []
        zeros.reserveCapacity(groups * outputs)
        for row in 0..<groups {
            for output in 0..<outputs {
                let stored = BitStream.value(
                    packedZeros, start: row * packedZeros.shape[1], stride: 1, at: output * bits, bits: bits)
                zeros.append(Float(storesZerosLessOne ? (stored + 1) & mask : stored))
            }
        }
        self.zeros = zeros
        form = CodeForm(
            bits == 8 ? .int8 : CodeForm.unsignedFourBits, factors: parts.factorType(".scales"), hasZeros: true)
        self.bits = bits
        self.outputs = outputs
        self.inputs = inputs
    }

    var scheme: String { "GPTQ, \(bits) bits, groups of \(inputs / groups)" }

    func read(from first: Int, into rows: CodedRows) {
        // Codes of eight bits are moved into the range of int8, and their zero points with them.
        let moved: (code: UInt8, zero: Float) = bits == 8 ? (128, 128) : (0, 0)
        // Input by input, as the words lie: neighbouring outputs share a cache line.
        for input in 0..<inputs {
            for row in 0..<rows.count {
                let code = BitStream.value(
                    codes, start: first + row, stride: outputs, at: input * bits, bits: bits)
                rows.codes[row * inputs + input] = UInt8(code) ^ moved.code
            }
        }
        for group in 0..<groups {
            for row in 0..<rows.count {
                let index = group * outputs + first + row
                rows.zeros[row * groups + group] = zeros[index] - moved.zero
                rows.scales[row * groups + group] = scales[index]
            }
        }
    }
}

/// Codes of a few bits behind each other in 32-bit words, lowest bits first; a code may reach into the next word.
enum BitStream {
    /// - Parameters:
    ///   - start: index of the stream's first word.
    ///   - stride: words from one word of the stream to its next.
    ///   - bit: the code's first bit in the stream.
    @inline(__always)
    static func value(_ view: TensorView, start: Int, stride: Int, at bit: Int, bits: Int) -> UInt32 {
        let word = bit / 32
        let shift = bit % 32
        var value = view.word(start + word * stride) >> UInt32(shift)
        if shift + bits > 32 { value |= view.word(start + (word + 1) * stride) << UInt32(32 - shift) }
        return value & (1 << UInt32(bits) - 1)
    }
}
