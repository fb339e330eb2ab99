import CKernels

// What families need beside the operations that all share: scaling, capping, adding, moving columns, routing.
extension CPUBackend {
    private func grain(_ columns: Int) -> Int { max(1, 4096 / max(1, columns)) }

    package func scale(_ x: Tensor, by factor: Float, rows: Int) {
        let x = x.cpu
        precondition(rows <= x.rows)
        let call = ck_scale_call(x: x.data, gates: nil, columns: Int32(x.columns), factor: factor)
        pool.run(ck_scale, call, count: rows, grain: grain(x.columns))
    }

    package func scale(_ x: Tensor, byGates gates: Tensor, rows: Int) {
        let (x, gates) = (x.cpu, gates.cpu)
        precondition(rows <= x.rows && rows <= gates.rows && gates.columns == 1)
        let call = ck_scale_call(x: x.data, gates: gates.data, columns: Int32(x.columns), factor: 1)
        pool.run(ck_scale, call, count: rows, grain: grain(x.columns))
    }

    package func softCap(_ x: Tensor, cap: Float, rows: Int) {
        let x = x.cpu
        precondition(rows <= x.rows && cap > 0)
        let call = ck_cap_call(x: x.data, columns: Int32(x.columns), cap: cap)
        let chunks = Int(ck_silu_chunks(call.columns))
        pool.run(kernels.rows.pointee.soft_cap, call, count: rows * chunks, grain: grain(CK_SILU_CHUNK))
    }

    package func add(_ delta: Tensor, to x: Tensor, rows: Int) {
        let (delta, x) = (delta.cpu, x.cpu)
        precondition(rows <= x.rows && rows <= delta.rows && delta.columns == x.columns)
        let call = ck_accumulate_call(
            x: delta.data, weights: nil, rows: nil, output: x.data, columns: Int32(x.columns))
        pool.run(ck_accumulate, call, count: rows, grain: grain(x.columns))
    }

    package func copy(
        _ x: Tensor, _ from: ColumnBlocks, into output: Tensor, _ to: ColumnBlocks, count: Int, rows: Int
    ) {
        let (x, y) = (x.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= y.rows && from.width == to.width)
        precondition(from.fits(count, columns: x.columns) && to.fits(count, columns: y.columns))
        let call = ck_copy_call(
            x: x.data + from.first, output: y.data + to.first, x_row: x.columns, output_row: y.columns,
            x_block: from.stride, output_block: to.stride, rows: nil, count: Int32(count), width: Int32(from.width))
        pool.run(ck_copy, call, count: rows, grain: grain(count * from.width))
    }

    package func linear(
        _ x: Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Tensor, _ to: ColumnBlocks,
        rows: Int
    ) {
        let (x, y) = (x.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= y.rows)
        precondition(from.fits(weights.count, columns: x.columns) && to.fits(weights.count, columns: y.columns))
        for (index, weight) in weights.enumerated() {
            precondition(weight.inputs == from.width && weight.outputs == to.width)
            multiply(
                x.data + from.first + index * from.stride, every: x.columns, weight.cpu, bias: nil,
                into: y.data + to.first + index * to.stride, every: y.columns, rows: rows)
        }
    }

    package func route(_ logits: Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing {
        let logits = logits.cpu
        let (experts, perRow) = (logits.columns, rule.chosen)
        precondition(rows <= logits.rows && perRow <= experts && bias?.count ?? experts == experts)
        let router = Router(
            rule: rule, bias: bias.map { Array(UnsafeBufferPointer(start: $0.cpu.data, count: experts)) })
        var chosen = [Int32](repeating: 0, count: rows * perRow)
        var weights = [Float](repeating: 0, count: rows * perRow)
        chosen.withUnsafeMutableBufferPointer { chosen in
            weights.withUnsafeMutableBufferPointer { weights in
                let chunk = max(1, 2048 / experts)
                // Each worker writes the rows of its own chunks.
                nonisolated(unsafe) let (chosen, weights) = (chosen, weights)
                pool.forEach((rows + chunk - 1) / chunk) { index, _ in
                    for row in index * chunk..<min(rows, (index + 1) * chunk) {
                        let choice = router.choose(
                            Array(UnsafeBufferPointer(start: logits.data + row * experts, count: experts)))
                        for (place, expert) in choice.experts.enumerated() {
                            chosen[row * perRow + place] = Int32(expert)
                            weights[row * perRow + place] = choice.weights[place]
                        }
                    }
                }
            }
        }
        return Routing(chosen: chosen, weights: weights, perRow: perRow, experts: experts)
    }

    package func accumulate(_ x: Tensor, weights: [Float], rows: [Int32], into output: Tensor) {
        let (x, y) = (x.cpu, output.cpu)
        precondition(rows.count <= x.rows && weights.count == rows.count && x.columns == y.columns)
        for row in rows { precondition(row >= 0 && row < y.rows) }
        weights.withUnsafeBufferPointer { weights in
            rows.withUnsafeBufferPointer { rows in
                let call = ck_accumulate_call(
                    x: x.data, weights: weights.baseAddress, rows: rows.baseAddress, output: y.data,
                    columns: Int32(x.columns))
                pool.run(ck_accumulate, call, count: rows.count, grain: grain(x.columns))
            }
        }
    }
}
