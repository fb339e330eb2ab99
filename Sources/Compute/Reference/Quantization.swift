import Tensors

/// What quantization makes of numbers, written down plainly: each value replaced by the nearest one that its format can
/// hold. Bits agree with the kernels, which is why every product and quotient here is a Float's.
enum Quantization {
    /// Rows of `inputs` numbers of a weight.
    static func rounded(_ values: [Float], inputs: Int, _ format: WeightFormat) -> [Float] {
        switch format {
        case .stored: return values
        case .int8:
            return stride(from: 0, to: values.count, by: max(1, inputs)).flatMap {
                bytes(values[$0..<$0 + inputs])
            }
        case .fp8:
            return stride(from: 0, to: values.count, by: max(1, inputs)).flatMap {
                float8(values[$0..<$0 + inputs])
            }
        case .mxfp4:
            return stride(from: 0, to: values.count, by: max(1, inputs)).flatMap { row in
                stride(from: 0, to: inputs, by: 32).flatMap {
                    float4(values[row + $0..<row + min($0 + 32, inputs)])
                }
            }
        case .int4:
            // A group never reaches into the next row.
            return stride(from: 0, to: values.count, by: max(1, inputs)).flatMap { row in
                stride(from: 0, to: inputs, by: 32).flatMap {
                    halves(values[row + $0..<row + min($0 + 32, inputs)])
                }
            }
        }
    }

    /// A row of an fp8 weight, in steps of its largest magnitude / 448.
    private static func float8(_ row: ArraySlice<Float>) -> [Float] {
        let largest = row.reduce(0) { max($0, $1.magnitude) }
        if !row.allSatisfy(\.isFinite) { return row.map { _ in .nan } }
        if largest < 0x1p-100 { return row.map { _ in 0 } }
        let numbers = (0..<127).map { SmallFloats.float(e4m3: UInt8($0)) }
        return row.map { nearest($0 * (448 / largest), numbers) * (largest / 448) }
    }

    /// A block of an mxfp4 weight.
    private static func float4(_ block: ArraySlice<Float>) -> [Float] {
        let largest = block.reduce(0) { max($0, $1.magnitude) }
        if !block.allSatisfy(\.isFinite) { return block.map { _ in .nan } }
        if largest < 0x1p-100 { return block.map { _ in 0 } }
        let scale = Float(sign: .plus, exponent: largest.exponent - 2, significand: 1)
        return block.map { nearest($0 / scale, Array(SmallFloats.e2m1[..<8])) * scale }
    }

    /// The nearest of ascending numbers with the sign of x; of two, the one with the even place.
    private static func nearest(_ x: Float, _ numbers: [Float]) -> Float {
        var best = 0
        for (place, number) in numbers.enumerated() {
            let (now, before) = (
                abs(Double(number) - Double(x.magnitude)), abs(Double(numbers[best]) - Double(x.magnitude))
            )
            if now < before || (now == before && place % 2 == 0) { best = place }
        }
        return x.sign == .minus ? -numbers[best] : numbers[best]
    }

    /// A row of activations or of an int8 weight, in steps of its largest magnitude / 127.
    static func bytes(_ row: ArraySlice<Float>) -> [Float] {
        let largest = row.reduce(0) { max($0, $1.magnitude) }
        if !row.allSatisfy(\.isFinite) { return row.map { _ in .nan } }
        // Its inverse would not be finite.
        if largest < 0x1p-100 { return row.map { _ in 0 } }
        let (scale, factor) = (largest / 127, 127 / largest)
        // Kernels keep integers, which have no negative zero: hence + 0.
        return row.map { (($0 * factor).rounded(.toNearestOrEven) + 0) * scale }
    }

    /// A group of an int4 weight: the element of largest magnitude becomes -8 steps, the one value without an opposite.
    private static func halves(_ group: ArraySlice<Float>) -> [Float] {
        if !group.allSatisfy(\.isFinite) { return group.map { _ in .nan } }
        // Padding counts as zeros.
        let (lowest, highest) = group.reduce((Float(0), Float(0))) { (min($0.0, $1), max($0.1, $1)) }
        let extreme = -lowest >= highest ? lowest : highest
        let scale = HalfFloats.rounded(min(max(extreme / -8, -65504), 65504), to: .float16)
        let factor = scale == 0 ? 0 : 1 / scale
        return group.map { (min(max($0 * factor, -8), 7).rounded(.toNearestOrEven) + 0) * scale }
    }
}
