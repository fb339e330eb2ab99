import CKernels

extension CPUBackend: EncoderBackend {
    package func layerNorm(
        _ x: Tensor, adding delta: Tensor?, weight: Vector, bias: Vector, epsilon: Float, into output: Tensor,
        rows: Int
    ) {
        let (x, y) = (x.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= y.rows && rows <= delta?.rows ?? rows)
        precondition(y.columns == x.columns && delta?.columns ?? x.columns == x.columns)
        precondition(weight.count == x.columns && bias.count == x.columns)
        let call = ck_layer_norm_call(
            x: x.data, delta: delta?.cpu.data, weight: weight.cpu.data, bias: bias.cpu.data, output: y.data,
            columns: Int32(x.columns), epsilon: epsilon)
        pool.run(kernels.encoder.pointee.layer_norm, call, count: rows, grain: max(1, 4096 / max(1, x.columns)))
    }

    package func activate(_ x: Tensor, _ activation: Activation, rows: Int) {
        let x = x.cpu
        precondition(rows <= x.rows)
        let kind =
            switch activation {
            case .gelu: CK_GELU
            case .geluTanh: CK_GELU_TANH
            case .relu: CK_RELU
            case .silu: CK_SILU
            case .tanh: CK_TANH
            }
        // Rows lie without gaps, so their elements are one run.
        let call = ck_activation_call(x: x.data, count: Int64(rows * x.columns), activation: kind)
        pool.run(kernels.encoder.pointee.activate, call, count: Int(ck_activation_chunks(call.count)), grain: 4)
    }
}
