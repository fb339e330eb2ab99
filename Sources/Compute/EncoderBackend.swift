/// What encoders (BERT and its kin) need beyond `Backend`. The numerics rule of `Backend` holds.
package protocol EncoderBackend: Backend {
    /// `output[r] = (x[r] - mean) / sqrt(variance + epsilon) * weight + bias` (Ba et al. 2016, arXiv 1607.06450); with
    /// `delta`, `x[r] += delta[r]` first. `output` may be `x`.
    func layerNorm(
        _ x: Tensor, adding delta: Tensor?, weight: Vector, bias: Vector, epsilon: Float, into output: Tensor,
        rows: Int)

    /// `x[r][i] = activation(x[r][i])`, in place.
    func activate(_ x: Tensor, _ activation: Activation, rows: Int)
}

/// Activations between the two projections of a feed-forward network, or behind a pooler.
package enum Activation: Sendable, Hashable {
    /// `x · Φ(x)` with the normal distribution's own Φ.
    case gelu
    /// Its approximation by tanh.
    case geluTanh
    case relu
    case silu
    case tanh
}
