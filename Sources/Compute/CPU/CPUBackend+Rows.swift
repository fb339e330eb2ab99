import CKernels

extension CPUBackend {
    /// A region costs less than a microsecond; below this many elements one thread is as fast.
    private static let smallRegion = 4096

    private func grain(columns: Int) -> Int { max(1, Self.smallRegion / max(1, columns)) }

    package func rmsNorm(_ x: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int) {
        norm(x.cpu, delta: nil, weight: weight.cpu, epsilon: epsilon, into: output.cpu, rows: rows)
    }

    package func addRMSNorm(
        residual: Tensor, delta: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int
    ) {
        norm(residual.cpu, delta: delta.cpu, weight: weight.cpu, epsilon: epsilon, into: output.cpu, rows: rows)
    }

    private func norm(
        _ x: CPUTensor, delta: CPUTensor?, weight: CPUVector, epsilon: Float, into output: CPUTensor, rows: Int
    ) {
        precondition(rows <= x.rows && rows <= output.rows && rows <= delta?.rows ?? rows)
        precondition(output.columns == x.columns && weight.count == x.columns)
        precondition(delta?.columns ?? x.columns == x.columns)
        let call = ck_norm_call(
            x: x.data, delta: delta?.data, weight: weight.data, output: output.data, columns: Int32(x.columns),
            epsilon: epsilon, stride: 0)
        pool.run(kernels.rows.pointee.rms_norm, call, count: rows, grain: grain(columns: x.columns))
    }

    package func normalize(_ x: Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int) {
        let x = x.cpu
        precondition(rows <= x.rows && columns.upperBound <= x.columns && weight.count == columns.count)
        let begin = x.data + columns.lowerBound
        let call = ck_norm_call(
            x: begin, delta: nil, weight: weight.cpu.data, output: begin, columns: Int32(columns.count),
            epsilon: epsilon, stride: Int32(x.columns))
        pool.run(kernels.rows.pointee.rms_norm, call, count: rows, grain: grain(columns: columns.count))
    }

    package func gatedSiLU(_ gateUp: Tensor, into output: Tensor, rows: Int) {
        gated(gateUp, by: .silu, into: output, rows: rows)
    }

    package func gated(_ gateUp: Tensor, by function: GateFunction, into output: Tensor, rows: Int) {
        let (x, y) = (gateUp.cpu, output.cpu)
        precondition(rows <= x.rows && rows <= y.rows && x.columns == 2 * y.columns)
        var call = ck_silu_call(
            gate_up: x.data, output: y.data, columns: Int32(y.columns), output_stride: Int64(y.columns),
            gate: CK_GATE_SILU, limit: 0, alpha: 0)
        switch function {
        case .silu: break
        case .geluTanh: call.gate = CK_GATE_GELU_TANH
        case .clamped(let limit, let alpha): (call.gate, call.limit, call.alpha) = (CK_GATE_CLAMPED, limit, alpha)
        }
        let chunks = Int(ck_silu_chunks(call.columns))
        pool.run(
            kernels.rows.pointee.gated_silu, call, count: rows * chunks,
            grain: grain(columns: CK_SILU_CHUNK))
    }

    package func prepare(_ rotary: Rotary, _ context: ForwardContext) {
        let rotary = rotary.cpu
        let rows = context.rowCount
        precondition(rows <= rotary.cosines.rows && rows == context.positions.count)
        context.positions.withUnsafeBufferPointer { positions in
            let call = ck_rotary_call(
                positions: positions.baseAddress, inverse_frequencies: rotary.inverseFrequencies.data,
                cosines: rotary.cosines.data, sines: rotary.sines.data, pairs: Int32(rotary.inverseFrequencies.count),
                amplitude: rotary.amplitude)
            // A sine and a cosine take some 20 ns.
            pool.run(ck_rotary_fill, call, count: rows, grain: grain(columns: 64 * rotary.inverseFrequencies.count))
        }
    }

    package func rotateAndStore(
        _ qkv: Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext
    ) {
        let (x, rotary, cache) = (qkv.cpu, rotary.cpu, cache.cpu)
        let rows = context.rowCount
        check(x, shape, cache, rows: rows)
        precondition(rotary.dimensions <= shape.headDimension && rows <= rotary.cosines.rows)
        precondition(queryNorm?.count ?? shape.headDimension == shape.headDimension)
        precondition(keyNorm?.count ?? shape.headDimension == shape.headDimension)

        // Page and slot of each row: the tree's positions become addresses here.
        let slots = slotScratch.pointer(2 * rows * MemoryLayout<Int32>.stride).assumingMemoryBound(to: Int32.self)
        let pages = slots + rows
        let pageSize = cache.layout.pageSize
        for sequence in context.sequences {
            precondition(sequence.firstRow + sequence.rowCount <= rows)
            precondition(sequence.startPosition + sequence.rowCount <= sequence.pageCount * pageSize)
            for row in 0..<sequence.rowCount {
                let (page, slot) = (sequence.startPosition + row).quotientAndRemainder(dividingBy: pageSize)
                let id = context.pageTable[sequence.firstPage + page]
                precondition(id >= 0 && id < cache.pageCount)
                pages[sequence.firstRow + row] = id
                slots[sequence.firstRow + row] = Int32(slot)
            }
        }
        let call = ck_rotate_call(
            qkv: x.data, heads: Int32(shape.heads), kv_heads: Int32(shape.keyValueHeads),
            pairs: Int32(rotary.inverseFrequencies.count), interleaved: rotary.pairing == .interleaved,
            cosines: rotary.cosines.data, sines: rotary.sines.data, query_norm: queryNorm?.cpu.data,
            key_norm: keyNorm?.cpu.data, epsilon: epsilon, kv: cache.layer(layer), pages: pages, slots: slots)
        pool.run(kernels.rows.pointee.rotate_store, call, count: rows, grain: grain(columns: x.columns))
    }

    func check(_ qkv: CPUTensor, _ shape: AttentionShape, _ cache: CPUKVCache, rows: Int) {
        precondition(rows <= qkv.rows)
        precondition(qkv.columns == cache.layout.projectionColumns(heads: shape.heads))
        precondition(shape.heads % shape.keyValueHeads == 0)
        precondition(cache.layout.keyValueHeads == shape.keyValueHeads)
        precondition(cache.layout.headDimension == shape.headDimension)
    }

    package func gather(_ x: Tensor, rows: [Int32], into output: Tensor) {
        let (x, y) = (x.cpu, output.cpu)
        precondition(rows.count <= y.rows && x.columns == y.columns)
        for row in rows { precondition(row >= 0 && row < x.rows) }
        rows.withUnsafeBufferPointer {
            let call = ck_copy_call(
                x: x.data, output: y.data, x_row: x.columns, output_row: y.columns, x_block: 0, output_block: 0,
                rows: $0.baseAddress, count: 1, width: Int32(x.columns))
            pool.run(ck_copy, call, count: rows.count, grain: grain(columns: x.columns))
        }
    }

    package func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int) {
        precondition(source != destination && tokens >= 0 && tokens <= cache.layout.pageSize)
        cache.cpu.copy(from: source, to: destination, tokens: tokens)
    }

    package func read(_ x: Tensor, row: Int) -> [Float] {
        let x = x.cpu
        precondition(row >= 0 && row < x.rows)
        return Array(UnsafeBufferPointer(start: x.data + row * x.columns, count: x.columns))
    }
}
