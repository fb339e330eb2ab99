import CKernels

extension CPUBackend {
    package func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int) {
        let (x, weight, output) = (x.cpu, weight.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= output.rows)
        precondition(x.columns == weight.inputs && output.columns == weight.outputs)
        precondition(bias?.count ?? weight.outputs == weight.outputs)
        multiply(
            x.data, every: x.columns, weight, bias: bias?.cpu, into: output.data, every: output.columns, rows: rows)
    }

    /// Rows lie `stride` floats apart.
    func multiply(
        _ x: UnsafePointer<Float>, every stride: Int, _ weight: CPUPackedWeight, bias: CPUVector?,
        into output: UnsafeMutablePointer<Float>, every outputStride: Int, rows: Int
    ) {
        if rows == 0 { return }
        var call = product(x, every: stride, weight, bias, rows: rows)
        call.out = output
        call.ldo = Int64(outputStride)
        call.row_chunk = ck_gemm_row_chunk(Int64(rows), Int64(weight.outputs), Int32(pool.threads))
        let tasks = Int(ck_gemm_tasks(&call))
        // A worker reads its activations once for each range, so ranges are long; but another thread of the process
        // may hold a worker up, so a long region is cut finer than one range for each.
        let long = rows * weight.outputs * weight.inputs > 1 << 25 || weight.byteCount > 1 << 23
        if long {
            pool.run(ck_gemm_run, call, count: tasks, grain: max(1, tasks / (8 * pool.threads)), .onDemand)
        } else {
            pool.run(ck_gemm_run, call, count: tasks, grain: 1)
        }
    }

    /// All of a product but where it goes; the activations are prepared.
    private func product(
        _ x: UnsafePointer<Float>, every stride: Int, _ weight: CPUPackedWeight, _ bias: CPUVector?, rows: Int
    ) -> ck_gemm_call {
        var call = ck_gemm_call(
            kernels: kernels.gemm, dtype: weight.dtype, m: Int64(rows), n: Int64(weight.outputs),
            k: Int64(weight.inputs), x: x, ldx: Int64(stride), w: weight.data, bias: bias?.data,
            out: nil, ldo: 0, row_chunk: 0, coded: weight.coded?.pointer)
        let bytes = ck_prepared_bytes(weight.dtype, Int64(rows), Int64(weight.inputs))
        if bytes > 0 {
            let prepared = linearScratch.pointer(bytes)
            pool.run(
                kernels.gemm.pointee.prepare,
                ck_prepare_call(
                    dtype: weight.dtype, x: x, ldx: Int64(stride), k: Int64(weight.inputs), prepared: prepared),
                count: rows, grain: max(1, 16384 / weight.inputs))
            call.x = UnsafeRawPointer(prepared)
        }
        return call
    }

    /// From so many rows on a gated product is worth its own way; below, a weight is best read in one run.
    private static let gatedRows = 32

    package func gatedLinear(
        _ x: Tensor, _ gateUp: PackedWeight, bias: Vector?, scratch: Tensor, into output: Tensor, rows: Int
    ) {
        let columns = output.columns
        guard rows >= Self.gatedRows, columns % CK_PANEL == 0 else {
            linear(x, gateUp, bias: bias, into: scratch, rows: rows)
            return gatedSiLU(scratch, into: output, rows: rows)
        }
        let (x, weight, output) = (x.cpu, gateUp.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= output.rows)
        precondition(x.columns == weight.inputs && weight.outputs == 2 * columns)
        precondition(bias?.count ?? weight.outputs == weight.outputs)
        var gated = ck_gated_call(
            product: product(x.data, every: x.columns, weight, bias?.cpu, rows: rows),
            silu: kernels.rows.pointee.gated_silu, output: output.data,
            ldo: Int64(columns),
            scratch: gatedScratch.pointer(Self.gatedScratchBytes(pool.threads)).assumingMemoryBound(to: Float.self))
        let chunks = (rows + CK_GATED_ROWS - 1) / CK_GATED_ROWS
        gated.product.row_chunk = Int64((rows + chunks - 1) / chunks)
        let tasks = Int(ck_gated_tasks(&gated))
        pool.run(ck_gated_run, gated, count: tasks, grain: max(1, tasks / (16 * pool.threads)), .onDemand)
    }

    static func gatedScratchBytes(_ threads: Int) -> Int {
        threads * CK_GATED_ROWS * 2 * CK_PANEL * MemoryLayout<Float>.stride
    }

    static func linearScratchBytes(rows: Int, columns: Int) -> Int {
        max(
            ck_prepared_bytes(CK_BF16, Int64(rows), Int64(columns)),
            ck_prepared_bytes(CK_I8, Int64(rows), Int64(columns)))
    }

    package func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Tensor) {
        let (weight, output) = (weight.cpu, output.cpu)
        precondition(tokens.count <= output.rows && output.columns == weight.inputs)
        for token in tokens { precondition(token >= 0 && token < weight.outputs) }
        // A row is spread over as many cache lines as it has pairs.
        let chunk = 16
        pool.forEach((tokens.count + chunk - 1) / chunk) { index, _ in
            for row in index * chunk..<min((index + 1) * chunk, tokens.count) {
                ck_unpack_row(
                    weight.dtype, weight.coded?.pointer, weight.data, Int64(weight.outputs), Int64(weight.inputs),
                    Int64(tokens[row]),
                    output.data + row * output.columns)
            }
        }
    }
}
