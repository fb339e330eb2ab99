import Tensors

/// Numbers of 8 bits (FP8 or int8) with a scale for the tensor, for each output, or for each block: DeepSeek-V3's and
/// transformers' `fp8` (`weight_scale_inv`, 128×128 blocks), compressed-tensors' `float-quantized` and `int-quantized`,
/// ModelOpt's and fbgemm's FP8 (`weight_scale`), bitsandbytes' int8 (`SCB`). Whatever its name, the scale multiplies.
struct ScaledMatrix: QuantizedMatrix {
    let scheme: String
    let outputs: Int
    let inputs: Int
    private let codes: TensorView
    private let scales: [Float]
    /// Rows and columns that share a scale.
    private let block: (rows: Int, columns: Int)
    let groups: Int
    let form: CodeForm
    let quantizesInputs: Bool

    /// - Parameters:
    ///   - declaredBlock: `weight_block_size` of the configuration; needed where blocks do not divide the matrix.
    ///   - quantizesInputs: whether the configuration says so of int8 matrices.
    init(
        _ parts: QuantizedParts, scale suffix: String, declaredBlock: [Int]?, quantizesInputs: Bool
    ) throws(CheckpointError) {
        codes = try parts.view(".weight")
        guard codes.shape.count == 2, codes.elementCount > 0 else {
            throw parts.failure(".weight", expected: "a matrix")
        }
        outputs = codes.shape[0]
        inputs = codes.shape[1]
        let numbers: CodeForm.Codes
        switch codes.dtype {
        case .int8: numbers = .int8
        case .float8e4m3: numbers = .float8e4m3
        default:
            guard let table = SmallFloats.table(codes.dtype) else {
                throw parts.failure(".weight", expected: "float8 or int8")
            }
            numbers = .table(table)
        }
        var values = try parts.floats(suffix)
        // bitsandbytes stores the largest magnitude of a row, which code 127 stands for.
        if suffix == ".SCB" { values = values.map { $0 / 127 } }
        let shape = parts.information(suffix)?.shape ?? []
        let layout = Self.layout(shape, outputs: outputs, inputs: inputs, declared: declaredBlock)
        guard let layout else {
            throw parts.failure(
                suffix, expected: "one scale, one for each of \(outputs) outputs, or one for each block")
        }
        scales = values
        block = (layout.rows, layout.columns)
        groups = (inputs + layout.columns - 1) / layout.columns
        form = CodeForm(numbers, factors: suffix == ".SCB" ? .float32 : parts.factorType(suffix))
        self.quantizesInputs = quantizesInputs && codes.dtype == .int8 && groups == 1 && suffix == ".weight_scale"
        let type =
            codes.dtype == .int8
            ? (self.quantizesInputs ? "INT8 W8A8" : "INT8") : "FP8 (\(codes.dtype == .float8e5m2 ? "e5m2" : "e4m3"))"
        scheme = "\(type), \(layout.text)"
    }

    private static func layout(
        _ shape: [Int], outputs: Int, inputs: Int, declared: [Int]?
    ) -> (rows: Int, columns: Int, text: String)? {
        if shape.reduce(1, *) == 1 { return (outputs, inputs, "one scale") }
        if shape == [outputs] || shape == [outputs, 1] { return (1, inputs, "a scale for each output") }
        guard shape.count == 2, shape[0] > 0, shape[1] > 0 else { return nil }
        let block =
            declared.flatMap { $0.count == 2 ? $0 : nil }
            ?? [(outputs + shape[0] - 1) / shape[0], (inputs + shape[1] - 1) / shape[1]]
        guard block[0] > 0, block[1] > 0, (outputs + block[0] - 1) / block[0] == shape[0],
            (inputs + block[1] - 1) / block[1] == shape[1]
        else { return nil }
        return (block[0], block[1], "blocks of \(block[0])×\(block[1])")
    }

    var groupOfInput: [Int32] { (0..<inputs).map { Int32($0 / block.columns) } }

    func read(from first: Int, into rows: CodedRows) {
        let start = first * inputs
        for index in rows.codes.indices { rows.codes[index] = codes.bytes[start + index] }
        for index in rows.scales.indices {
            let (row, group) = index.quotientAndRemainder(dividingBy: groups)
            rows.scales[index] = scales[(first + row) / block.rows * groups + group]
        }
    }
}
