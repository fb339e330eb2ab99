import CKernels

extension CPUBackend {
    package func attention(
        _ qkv: Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Tensor
    ) {
        precondition(sinks?.count ?? shape.heads == shape.heads)
        let (x, y, cache) = (qkv.cpu, output.cpu, cache.cpu)
        check(x, shape, cache, rows: context.rowCount)
        precondition(context.rowCount <= y.rows && y.columns == shape.heads * shape.headDimension)
        attentionPlan.make(
            context, shape, pageSize: cache.layout.pageSize, threads: pool.threads,
            stateCapacity: partialScratch.byteCount / Self.stateBytes(shape.headDimension))
        let partials: UnsafeMutablePointer<Float>? =
            attentionPlan.whole.isEmpty
            ? nil : partialScratch.pointer(partialScratch.byteCount).assumingMemoryBound(to: Float.self)
        let stride = attentionScratchStride(shape.headDimension)
        let scratch = attentionScratch.pointer(stride * pool.threads).assumingMemoryBound(to: UInt8.self)

        context.pageTable.withUnsafeBufferPointer { pages in
            attentionPlan.tasks.withUnsafeBufferPointer { tasks in
                var call = ck_attention_call(
                    kernels: kernels.attention, kv: cache.layer(layer), queries: x.data, query_stride: x.columns,
                    output: y.data, output_stride: y.columns, group: Int32(shape.heads / shape.keyValueHeads),
                    window: Int32(clamping: shape.window ?? 0), scale: shape.scale,
                    cap: shape.scoreCap ?? 0, sinks: sinks?.cpu.data, page_table: pages.baseAddress,
                    tasks: tasks.baseAddress, partials: partials, scratch: scratch, scratch_stride: stride)
                pool.run(ck_attention_run, call, count: tasks.count, grain: 1, .onDemand)
                attentionPlan.whole.withUnsafeBufferPointer { whole in
                    call.tasks = whole.baseAddress
                    pool.run(ck_attention_merge, call, count: whole.count, grain: 1, .onDemand)
                }
            }
        }
    }

    /// A worker's scratch, in whole cache lines of two.
    func attentionScratchStride(_ headDimension: Int) -> Int {
        (ck_attention_scratch_bytes(Int32(headDimension)) + 127) / 128 * 128
    }

    static func stateBytes(_ headDimension: Int) -> Int {
        Int(ck_attention_state_floats(Int32(headDimension))) * MemoryLayout<Float>.stride
    }

    /// Room for the states of splits that several workers or several sequences share. Where it does not suffice, fewer
    /// tasks are cut and fewer splits shared.
    static func partialBytes(threads: Int) -> Int { (16 << 20) + threads << 18 }
}
