import Compute

/// A projection, possibly several fused into one.
struct Linear {
    let weight: PackedWeight
    let bias: Vector?

    /// `output[r] = x[r] · weightᵀ + bias` for the first `rows` rows.
    func apply(_ x: Tensor, into output: Tensor, rows: Int, on backend: any Backend) {
        backend.linear(x, weight, bias: bias, into: output, rows: rows)
    }
}
