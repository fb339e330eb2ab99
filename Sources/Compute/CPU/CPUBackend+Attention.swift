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

    /// Room for the states of splits that several workers share. Where it does not suffice, fewer tasks are cut.
    static func partialBytes(threads: Int) -> Int { threads == 1 ? 0 : (16 << 20) + threads << 18 }
}

/// The tasks of one attention region. How work is cut depends on the threads, results do not (see ck_attention.h).
struct AttentionPlan {
    /// Longest first within a sequence, so that the last ones to be taken are short.
    private(set) var tasks: [ck_attention_task] = []
    /// Tasks whose splits were given to several others: to be merged after the region.
    private(set) var whole: [ck_attention_task] = []

    /// - Parameter stateCapacity: split states there is room for.
    mutating func make(
        _ context: ForwardContext, _ shape: AttentionShape, pageSize: Int, threads: Int, stateCapacity: Int
    ) {
        tasks.removeAll(keepingCapacity: true)
        whole.removeAll(keepingCapacity: true)
        let group = shape.heads / shape.keyValueHeads
        let window = shape.window ?? Int.max
        precondition(shape.isCausal || shape.window == nil, "a window looks back only")
        var total = 0
        for sequence in context.sequences {
            let length = sequence.startPosition + sequence.rowCount
            precondition(length <= sequence.pageCount * pageSize)
            precondition(sequence.firstRow + sequence.rowCount <= context.rowCount)
            precondition(sequence.firstPage + sequence.pageCount <= context.pageTable.count)
            let queries = sequence.rowCount * group
            let most = CK_ATTENTION_ROWS
            let blocks = (queries + most - 1) / most
            // Even blocks, in sixes: so many queries share a load of keys.
            let size = min(most, (queries + 6 * blocks - 1) / (6 * blocks) * 6)
            for begin in stride(from: 0, to: queries, by: size).reversed() {
                let end = min(begin + size, queries)
                let first = max(0, sequence.startPosition + begin / group - (window - 1))
                let last = shape.isCausal ? sequence.startPosition + (end - 1) / group : length - 1
                let firstSplit = first / Self.split
                let count = last / Self.split - firstSplit + 1
                for head in 0..<shape.keyValueHeads {
                    tasks.append(
                        ck_attention_task(
                            kv_head: Int32(head), first_row: Int32(sequence.firstRow),
                            start_position: Int32(sequence.startPosition), first_page: Int32(sequence.firstPage),
                            begin: Int32(begin), end: Int32(end), first_split: Int32(firstSplit),
                            split_count: Int32(count), partial: -1, sees: shape.isCausal ? -1 : Int32(length - 1)))
                    total += Self.cost(tasks[tasks.count - 1])
                }
            }
        }
        if threads > 1 { cut(share: total / (4 * threads), stateCapacity: stateCapacity) }
    }

    private static let split = CK_SPLIT_TOKENS

    /// In row-splits; a task of few rows is bound by memory, not by rows.
    private static func cost(_ task: ck_attention_task) -> Int {
        Int(task.split_count) * max(8, Int(task.end - task.begin))
    }

    /// Cuts tasks dearer than `share` between splits: one decoding sequence with a long context has too few heads to
    /// occupy all workers.
    private mutating func cut(share: Int, stateCapacity: Int) {
        var states = 0
        for index in tasks.indices where tasks[index].split_count > 1 && Self.cost(tasks[index]) > share {
            let task = tasks[index]
            let rows = Int(task.end - task.begin)
            let splits = Int(task.split_count)
            if states + splits * rows > stateCapacity { return }
            var merged = task
            merged.partial = Int64(states)
            whole.append(merged)
            let step = max(1, splits * share / Self.cost(task))
            for first in stride(from: 0, to: splits, by: step) {
                var piece = task
                piece.first_split += Int32(first)
                piece.split_count = Int32(min(step, splits - first))
                piece.partial = Int64(states + first * rows)
                if first == 0 { tasks[index] = piece } else { tasks.append(piece) }
            }
            states += splits * rows
        }
    }
}
