package import Compute
import Statistics
package import Tensors

/// Each kernel alone, against what the machine can do at best.
package struct KernelBench {
    private let backend: CPUBackend
    private let ceilings: MachineCeilings
    /// Time for each line of the tables.
    private let seconds: Double
    private let weights: RandomWeights
    private let setBytes: Int

    /// - Parameters:
    ///   - ceilings: for the backend's number of threads.
    ///   - setBytes: weights that are read in turn; has to exceed the last-level cache by far, as a single matrix in
    ///     it would flatter small batches several times.
    package init(
        _ backend: CPUBackend, ceilings: MachineCeilings, models: [ModelShape], seconds: Double,
        setBytes: Int = 256 << 20
    ) {
        self.setBytes = setBytes
        self.backend = backend
        self.ceilings = ceilings
        self.seconds = seconds
        // Float32 logits and activations are cut from it as well.
        let largest = models.flatMap(\.matrices).map { 2 * $0.outputs * $0.inputs }.max() ?? 0
        weights = RandomWeights(capacity: max(largest, 1 << 24))
    }

    // MARK: Products

    /// The matrices of a model with various numbers of rows.
    ///
    /// - Throws: `outOfMemory`.
    package func products(
        _ model: ModelShape, dtype: DType, format: WeightFormat = .stored, rows: [Int], show: (String) -> Void
    ) throws(ComputeError) {
        let peak =
            (format != .stored ? ceilings.int8 : dtype == .bfloat16 ? ceilings.bfloat16 : nil) ?? ceilings.float32
        for matrix in model.matrices {
            var set: [PackedWeight] = []
            while set.reduce(0, { $0 + $1.byteCount }) < setBytes {
                set.append(
                    try backend.packWeight([weights.matrix(matrix.outputs, matrix.inputs, dtype)], as: format))
            }
            let x = try weights.activations(on: backend, rows: rows.max() ?? 1, columns: matrix.inputs)
            let y = try backend.makeTensor(rows: rows.max() ?? 1, columns: matrix.outputs)
            var table = TextTable([
                "\(model.name) \(matrix.name) \(matrix.outputs) x \(matrix.inputs)", "µs", "GFLOP/s", "GB/s",
                "of limit",
            ])
            for rows in rows {
                // A large product needs no second weight: it is read once, and multiplied for long.
                let used = rows >= 64 ? Array(set.prefix(4)) : set
                let time = backend.fastest(within: seconds) {
                    for w in used { backend.linear(x, w, bias: nil, into: y, rows: rows) }
                }
                let (arithmetic, read) = (
                    2 * Double(rows * used.count) * Double(matrix.outputs * matrix.inputs),
                    Double(used.reduce(0) { $0 + $1.byteCount })
                )
                let limit = max(arithmetic / peak, read / ceilings.readBandwidth)
                table.append([
                    "  rows \(rows)", (time / Double(used.count) * 1e6).fixed(1), (arithmetic / time * 1e-9).fixed(1),
                    (read / time * 1e-9).fixed(1), (limit / time).percent,
                ])
            }
            show(table.text + "\n")
        }
    }

    // MARK: Attention

    /// Prefill at several depths and decode with long contexts.
    ///
    /// - Throws: `outOfMemory`.
    package func attention(_ model: ModelShape, dtype: DType, show: (String) -> Void) throws(ComputeError) {
        let peak = (dtype == .bfloat16 ? ceilings.bfloat16 : nil) ?? ceilings.float32
        let tokens = 8192
        var layout = KVLayout(
            layers: 1, keyValueHeads: model.keyValueHeads, headDimension: model.headDimension, pageSize: 16,
            dtype: dtype)
        layout.layers = max(1, setBytes / (layout.bytesPerToken * tokens))
        let cache = try backend.makeKVCache(layout, pages: tokens / layout.pageSize)
        let shape = AttentionShape(
            heads: model.heads, keyValueHeads: model.keyValueHeads, headDimension: model.headDimension,
            scale: 1 / Float(model.headDimension).squareRoot())
        let chunk = 512
        let qkv = try weights.activations(on: backend, rows: chunk, columns: model.queryKeyValue)
        let output = try backend.makeTensor(rows: chunk, columns: model.heads * model.headDimension)
        let rotary = try backend.makeRotary(
            inverseFrequencies: (0..<model.headDimension / 2).map { 1 / Float(1 + $0 * $0) }, amplitude: 1,
            pairing: .halves, rows: chunk)
        for start in stride(from: 0, to: tokens, by: chunk) {
            let context = Self.context([(start, chunk)], pages: tokens / layout.pageSize)
            backend.prepare(rotary, context)
            for layer in 0..<layout.layers {
                backend.rotateAndStore(
                    qkv, shape, queryNorm: nil, keyNorm: nil, epsilon: 1e-6, rotary: rotary, cache: cache,
                    layer: layer, context)
            }
        }
        let cases: [(String, [(start: Int, rows: Int)])] = [
            ("prefill 512 at 0", [(0, 512)]), ("prefill 512 at 1536", [(1536, 512)]),
            ("prefill 512 at 7680", [(7680, 512)]), ("decode 1 at 512", [(511, 1)]),
            ("decode 1 at 8192", [(8191, 1)]),
            // Eight sequences on pages of their own.
            ("decode 8 at 1024", (0..<8).map { _ in (1023, 1) }),
        ]
        func time(_ context: ForwardContext, layers: Int) -> Double {
            backend.fastest(within: seconds) {
                for layer in 0..<layers {
                    backend.attention(qkv, shape, cache: cache, layer: layer, context, into: output)
                }
            } / Double(layers)
        }
        var table = TextTable(["\(model.name) attention", "µs", "GFLOP/s", "GB/s", "of limit"])
        for (name, spans) in cases {
            let context = Self.context(spans, pages: tokens / layout.pageSize)
            let work = AttentionWork(context, shape, layout)
            let layers = work.bytes * 64 < work.arithmetic / 64 ? min(2, layout.layers) : layout.layers
            let time = time(context, layers: layers)
            let limit = max(work.arithmetic / peak, work.bytes / ceilings.readBandwidth)
            table.append([
                "  " + name, (time * 1e6).fixed(1), (work.arithmetic / time * 1e-9).fixed(1),
                (work.bytes / time * 1e-9).fixed(1), (limit / time).percent,
            ])
        }
        show(table.text + "\n")

        var sharing = TextTable([
            "\(model.name) attention behind a shared beginning", "one by one, µs", "together, µs", "gain",
        ])
        for (sequences, rows, common) in [
            (2, 1, 1024), (8, 1, 1024), (8, 1, 4096), (8, 1, 7680), (32, 1, 7680), (4, 8, 4096), (8, 32, 4096),
        ] {
            var context = Self.context(
                (0..<sequences).map { _ in (common + 100, rows) }, pages: tokens / layout.pageSize)
            // The same pages, known to be the same or not.
            for index in 1..<sequences {
                let pages = context.sequences[index].firstPage
                for page in 0..<common / layout.pageSize { context.pageTable[pages + page] = Int32(page) }
            }
            let alone = time(context, layers: layout.layers)
            for index in 1..<sequences { context.sequences[index].sharedPages = common / layout.pageSize }
            let once = time(context, layers: layout.layers)
            sharing.append([
                "  \(sequences) x \(rows) rows behind \(common)", (alone * 1e6).fixed(1), (once * 1e6).fixed(1),
                (alone / once).fixed(2),
            ])
        }
        show(sharing.text + "\n")
    }

    /// Sequences one after the other, each with pages of its own as far as there are enough.
    static func context(_ spans: [(start: Int, rows: Int)], pages: Int) -> ForwardContext {
        var context = ForwardContext()
        for (index, span) in spans.enumerated() {
            let count = (span.start + span.rows + 15) / 16
            context.sequences.append(
                SequenceSpan(
                    firstRow: context.tokens.count, rowCount: span.rows, startPosition: span.start,
                    firstPage: context.pageTable.count, pageCount: count))
            context.pageTable += (0..<count).map { Int32((index * count + $0) % pages) }
            context.tokens += [Int32](repeating: 0, count: span.rows)
            context.positions += (0..<span.rows).map { Int32(span.start + $0) }
        }
        return context
    }

    // MARK: The rest of a step

    /// Row operations for one row and for a chunk, and sampling over the model's vocabulary.
    ///
    /// - Throws: `outOfMemory`.
    package func rest(_ model: ModelShape, show: (String) -> Void) throws(ComputeError) {
        let most = 512
        let x = try weights.activations(on: backend, rows: most, columns: model.hidden)
        let delta = try weights.activations(on: backend, rows: most, columns: model.hidden)
        let normed = try backend.makeTensor(rows: most, columns: model.hidden)
        let weight = try backend.makeVector([weights.matrix(1, model.hidden, .float32)])
        let gateUp = try weights.activations(on: backend, rows: most, columns: 2 * model.intermediate)
        let gated = try backend.makeTensor(rows: most, columns: model.intermediate)
        var table = TextTable(["\(model.name) rows", "µs", "ns/row"])
        func line(_ name: String, _ rows: Int, _ body: () -> Void) {
            let time = backend.fastest(within: seconds, body)
            table.append([
                "  \(name), rows \(rows)", (time * 1e6).fixed(1), (time / Double(rows) * 1e9).fixed(0),
            ])
        }
        for rows in [1, 32, most] {
            line("residual and norm", rows) {
                backend.addRMSNorm(
                    residual: x, delta: delta, weight: weight, epsilon: 1e-6, into: normed, rows: rows)
            }
            line("gated SiLU", rows) { backend.gatedSiLU(gateUp, into: gated, rows: rows) }
        }
        show(table.text + "\n")

        let logits = try weights.activations(on: backend, rows: 8, columns: model.vocabulary)
        var sampling = TextTable(["\(model.name) sampling from \(model.vocabulary)", "µs"])
        let rows: [(String, (inout SamplingRow) -> Void)] = [
            ("greedy", { $0.temperature = 0 }), ("temperature 1", { _ in }),
            ("temperature 0.05, top-p 0.9", { ($0.temperature, $0.topP) = (0.05, 0.9) }),
            ("top-p 0.9", { $0.topP = 0.9 }), ("top-k 50, top-p 0.9", { ($0.topK, $0.topP) = (50, 0.9) }),
            ("min-p 0.05", { $0.minP = 0.05 }),
            (
                "greedy, 20 log-probabilities",
                {
                    ($0.temperature, $0.topLogprobs) = (0, 20)
                }
            ),
        ]
        for (name, change) in rows {
            for count in [1, 8] {
                let wanted = (0..<count).map { index in
                    var row = SamplingRow(row: index)
                    row.uniform = 0.37
                    change(&row)
                    return row
                }
                let time = backend.fastest(within: seconds) { _ = backend.sample(logits, wanted) }
                sampling.append(["  \(name), rows \(count)", (time * 1e6).fixed(1)])
            }
        }
        show(sampling.text + "\n")
    }
}
