import Tensors

/// AWQ (Lin et al. 2023, arXiv 2306.00978) in AutoAWQ's "gemm" layout.
///
/// `qweight` int32 `[inputs, outputs / 8]`, `qzeros` int32 `[groups, outputs / 8]`, `scales` `[groups, outputs]`. The
/// eight codes of a word belong to outputs 0, 2, 4, 6, 1, 3, 5, 7 of its eight, lowest bits first.
struct AWQMatrix: QuantizedMatrix {
    let outputs: Int
    let inputs: Int
    private let codes: TensorView
    private let zeros: TensorView
    private let scales: [Float]
    private let groupSize: Int
    let groups: Int
    let form: CodeForm

    /// Where in a word the code of output `i % 8` starts.
    private static let shifts: [UInt32] = [0, 16, 4, 20, 8, 24, 12, 28]

    init(_ parts: QuantizedParts) throws(CheckpointError) {
        codes = try parts.matrix(".qweight", .int32)
        inputs = codes.shape[0]
        outputs = codes.shape[1] * 8
        guard let scaleShape = parts.information(".scales")?.shape, scaleShape.count == 2, scaleShape[1] == outputs,
            scaleShape[0] > 0, inputs % scaleShape[0] == 0
        else {
            throw parts.failure(
                ".scales", expected: "[groups, \(outputs)], with a number of groups that divides \(inputs)")
        }
        scales = try parts.floats(".scales")
        zeros = try parts.part(".qzeros", .int32, [scaleShape[0], outputs / 8])
        groups = scaleShape[0]
        groupSize = inputs / groups
        form = CodeForm(CodeForm.unsignedFourBits, factors: parts.factorType(".scales"), hasZeros: true)
    }

    var scheme: String { "AWQ, 4 bits, groups of \(groupSize)" }

    var groupOfInput: [Int32] { (0..<inputs).map { Int32($0 / groupSize) } }

    func read(from first: Int, into rows: CodedRows) {
        let words = outputs / 8
        for input in 0..<inputs {
            for row in 0..<rows.count {
                let output = first + row
                rows.codes[row * inputs + input] =
                    UInt8(codes.word(input * words + output / 8) >> Self.shifts[output % 8] & 15)
            }
        }
        for group in 0..<groups {
            for row in 0..<rows.count {
                let output = first + row
                let zero = zeros.word(group * words + output / 8) >> Self.shifts[output % 8] & 15
                rows.zeros[row * groups + group] = Float(zero)
                rows.scales[row * groups + group] = scales[group * outputs + output]
            }
        }
    }
}
