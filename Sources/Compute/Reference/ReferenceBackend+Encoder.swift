import Glibc

extension ReferenceBackend: EncoderBackend {
    package func layerNorm(
        _ x: Tensor, adding delta: Tensor?, weight: Vector, bias: Vector, epsilon: Float, into output: Tensor,
        rows: Int
    ) {
        let (x, y) = (x.reference, output.reference)
        let (weight, bias) = (weight.reference.values, bias.reference.values)
        precondition(weight.count == x.columns && bias.count == x.columns && y.columns == x.columns)
        for row in 0..<rows {
            if let delta { x[row] = zip(x[row], delta.reference[row]).map { $0 + $1 }[...] }
            let values = x[row].map { Double($0) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            let inverse = 1 / (variance + Double(epsilon)).squareRoot()
            y[row] =
                values.indices.map { i in
                    Float((values[i] - mean) * inverse * Double(weight[i]) + Double(bias[i]))
                }[...]
        }
    }

    package func activate(_ x: Tensor, _ activation: Activation, rows: Int) {
        let x = x.reference
        for row in 0..<rows { x[row] = x[row].map { Float(Self.activated(Double($0), activation)) }[...] }
    }

    private static func activated(_ x: Double, _ activation: Activation) -> Double {
        switch activation {
        case .gelu: 0.5 * x * erfc(-x * 0.5.squareRoot())
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .relu: max(x, 0)
        case .silu: x / (1 + exp(-x))
        case .tanh: tanh(x)
        }
    }
}
