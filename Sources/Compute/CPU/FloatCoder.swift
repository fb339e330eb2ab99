import Tensors

/// A matrix of floating type, quantized to codes while it is read.
struct FloatCoder: CodedMatrix {
    let outputs: Int
    let inputs: Int
    let form: CodeForm
    let groups: Int
    private let view: TensorView
    private let format: WeightFormat
    private static let blockSize = 32

    /// - Returns: nil for formats that are no codes.
    init?(_ view: TensorView, _ format: WeightFormat) {
        guard view.dtype.isFloatingPoint, let form = Self.form(format) else { return nil }
        outputs = view.shape[0]
        inputs = view.shape[1]
        self.form = form
        groups = Self.groups(inputs, format)
        self.view = view
        self.format = format
    }

    private static func form(_ format: WeightFormat) -> CodeForm? {
        switch format {
        case .fp8: CodeForm(.float8e4m3, factors: .float32)
        case .mxfp4: CodeForm(.fourBits(SmallFloats.e2m1), factors: .bfloat16)
        case .stored, .int8, .int4: nil
        }
    }

    private static func groups(_ inputs: Int, _ format: WeightFormat) -> Int {
        format == .fp8 ? 1 : (inputs + blockSize - 1) / blockSize
    }

    private static func groupOfInput(_ inputs: Int, _ format: WeightFormat) -> [Int32] {
        (0..<inputs).map { format == .fp8 ? 0 : Int32($0 / blockSize) }
    }

    var groupOfInput: [Int32] { Self.groupOfInput(inputs, format) }

    /// Bytes of a weight in memory; nil for formats that are no codes.
    static func bytes(outputs: Int, inputs: Int, _ format: WeightFormat) -> Int? {
        form(format).flatMap {
            CodedDescription(
                $0, inputs: inputs, groups: groups(inputs, format), groupOfInput: groupOfInput(inputs, format))
        }?.bytes(outputs: outputs)
    }

    func read(from first: Int, into rows: CodedRows) {
        let size = format == .fp8 ? inputs : Self.blockSize
        withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { values in
            for row in 0..<rows.count {
                let start = (first + row) * inputs
                view.read(start..<start + inputs, into: values)
                let codes = UnsafeMutableBufferPointer(rebasing: rows.codes[row * inputs..<(row + 1) * inputs])
                for group in 0..<groups {
                    let range = group * size..<min(inputs, (group + 1) * size)
                    rows.scales[row * groups + group] = encode(
                        UnsafeMutableBufferPointer(rebasing: values[range]),
                        UnsafeMutableBufferPointer(rebasing: codes[range]))
                }
            }
        }
    }

    func release(_ rows: Range<Int>) {
        let rowBytes = inputs * view.dtype.byteCount
        view.release(rows.lowerBound * rowBytes..<rows.upperBound * rowBytes)
    }

    /// - Returns: the scale; NaN, with codes that do not matter, where a number is not finite.
    private func encode(
        _ values: UnsafeMutableBufferPointer<Float>, _ codes: UnsafeMutableBufferPointer<UInt8>
    ) -> Float {
        let largest = values.reduce(Float(0)) { $1.magnitude > $0 || $1.isNaN ? $1.magnitude : $0 }
        // Its inverse would not be finite.
        guard largest.isFinite, largest >= 0x1p-100 else {
            codes.update(repeating: 0)
            return largest.isFinite ? 0 : .nan
        }
        if format == .fp8 {
            let factor = 448 / largest
            for (index, value) in values.enumerated() { codes[index] = SmallFloats.e4m3(value * factor) }
            return largest / 448
        }
        // The largest number, 6, has the exponent 2.
        let exponent = Int(largest.exponent) - 2
        let factor = Float(sign: .plus, exponent: -exponent, significand: 1)
        for (index, value) in values.enumerated() { codes[index] = SmallFloats.e2m1(value * factor) }
        return Float(sign: .plus, exponent: exponent, significand: 1)
    }
}
