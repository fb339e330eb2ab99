import Compute

/// A gated MLP (Shazeer 2020, arXiv 2002.05202): `down(f(gate(x), up(x)))`, gate and up fused.
struct GatedMLP {
    let gateUp: Linear
    let down: Linear
    let function: GateFunction

    func apply(_ x: Tensor, into output: Tensor, rows: Int, _ buffers: MLPBuffers, on backend: any Backend) {
        guard let buffer = buffers.gated[down.weight.inputs] else {
            preconditionFailure("no buffers for a width of \(down.weight.inputs)")
        }
        if function == .silu {
            backend.gatedLinear(
                x, gateUp.weight, bias: gateUp.bias, scratch: buffer.gateUp, into: buffer.gated, rows: rows)
        } else {
            gateUp.apply(x, into: buffer.gateUp, rows: rows, on: backend)
            backend.gated(buffer.gateUp, by: function, into: buffer.gated, rows: rows)
        }
        down.apply(buffer.gated, into: output, rows: rows, on: backend)
    }
}
