import CKernels

extension CPUBackend {
    package func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int) {
        let (x, weight, output) = (x.cpu, weight.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= output.rows)
        precondition(x.columns == weight.inputs && output.columns == weight.outputs)
        precondition(bias?.count ?? weight.outputs == weight.outputs)
        if rows == 0 { return }
        let gemm = kernels.gemm.pointee
        var call = ck_gemm_call(
            kernels: kernels.gemm, dtype: weight.dtype, m: Int64(rows), n: Int64(weight.outputs),
            k: Int64(weight.inputs), x: x.data, ldx: Int64(x.columns), w: weight.data, bias: bias?.cpu.data,
            out: output.data, ldo: Int64(output.columns),
            row_chunk: ck_gemm_row_chunk(Int64(rows), Int64(weight.outputs), Int32(pool.threads)))
        let bytes = ck_prepared_bytes(weight.dtype, Int64(rows), Int64(weight.inputs))
        if bytes > 0 {
            let prepared = linearScratch.pointer(bytes)
            pool.run(
                gemm.prepare,
                ck_prepare_call(
                    dtype: weight.dtype, x: x.data, ldx: Int64(x.columns), k: Int64(weight.inputs), prepared: prepared),
                count: rows, grain: max(1, 16384 / weight.inputs))
            call.x = UnsafeRawPointer(prepared)
        }
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
                    weight.dtype, weight.data, Int64(weight.outputs), Int64(weight.inputs), Int64(tokens[row]),
                    output.data + row * output.columns)
            }
        }
    }
}
