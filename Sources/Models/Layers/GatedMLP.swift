import Compute

/// SwiGLU (Shazeer 2020, arXiv 2002.05202): `down(silu(gate(x)) * up(x))`, gate and up fused.
struct GatedMLP {
    let gateUp: Linear
    let down: Linear

    /// - Parameters:
    ///   - scratch: `[rows, 2·intermediate]`.
    ///   - gated: `[rows, intermediate]`.
    func apply(
        _ x: Tensor, scratch: Tensor, gated: Tensor, into output: Tensor, rows: Int, on backend: any Backend
    ) {
        backend.gatedLinear(x, gateUp.weight, bias: gateUp.bias, scratch: scratch, into: gated, rows: rows)
        down.apply(gated, into: output, rows: rows, on: backend)
    }
}
