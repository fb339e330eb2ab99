package import Compute
package import Tensors

/// Times the kernels of one model on random weights of its shapes, so that its speed is known before anything is loaded.
///
/// One layer is enough: copies of its matrices are read in turn until no cache helps, as in the whole model. Of a model
/// with experts, one of each kind; tokens are taken to choose evenly, and moving rows to experts and back is not timed.
package struct ModelSpeedProbe {
    /// Seconds of a step's parts for some numbers of rows.
    package struct Costs: Sendable {
        /// All layers, by rows, ascending; with attention of the rows among themselves.
        package var layers: [(rows: Int, seconds: Double)] = []
        /// The output projection and greedy sampling, by sampled rows, ascending.
        package var head: [(rows: Int, seconds: Double)] = []
        /// Attention of all layers, for each token that lies before a sequence's rows, by these rows, ascending.
        package var context: [(rows: Int, seconds: Double)] = []

        package init() {}
    }

    private let backend: CPUBackend
    private let shape: ModelShape
    private let layerCount: Int
    private let dtype: DType
    private let format: WeightFormat
    private let seconds: Double
    private let weights: RandomWeights

    /// - Parameters:
    ///   - dtype: of weights and of the KV cache.
    ///   - format: of the layers' weights; the output projection of a quantized model has eight bits.
    ///   - seconds: time for each of some forty measurements.
    package init(
        _ backend: CPUBackend, _ shape: ModelShape, layers: Int, dtype: DType, format: WeightFormat = .stored,
        seconds: Double = 0.1
    ) {
        self.backend = backend
        self.shape = shape
        layerCount = layers
        self.dtype = dtype
        self.format = format
        self.seconds = seconds
        let largest = shape.matrices.map { 4 * $0.outputs * $0.inputs }.max() ?? 0
        weights = RandomWeights(capacity: max(largest, 1 << 24))
    }

    /// - Throws: `outOfMemory`.
    package func measure(rows: [Int] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) throws(ComputeError) -> Costs {
        var costs = Costs()
        let most = rows.max() ?? 1
        let bytes = shape.matrices.dropLast().reduce(0) { $0 + $1.outputs * $1.inputs * dtype.byteCount }
        // A model that fits the processor's caches is read from there when it is served, too.
        let copies = min(layerCount, max(1, (256 << 20) / max(1, bytes)))
        var layers: [[PackedWeight]] = []
        for _ in 0..<copies {
            var layer: [PackedWeight] = []
            for matrix in shape.matrices.dropLast() {
                layer.append(
                    try backend.packWeight([weights.matrix(matrix.outputs, matrix.inputs, dtype)], as: format))
            }
            layers.append(layer)
        }
        let head = try backend.packWeight(
            [weights.matrix(shape.vocabulary, shape.hidden, dtype)], as: format.ofTables)
        let hidden = try weights.activations(on: backend, rows: most, columns: shape.hidden)
        let normed = try backend.makeTensor(rows: most, columns: shape.hidden)
        let mixed = try weights.activations(on: backend, rows: most, columns: shape.heads * shape.headDimension)
        let wide = try backend.makeTensor(rows: most, columns: 2 * shape.intermediate)
        let gated = try backend.makeTensor(rows: most, columns: shape.intermediate)
        let queries = try backend.makeTensor(rows: most, columns: shape.queryKeyValue)
        let norm = try backend.makeVector([weights.matrix(1, shape.hidden, .float32)])
        let experts = try ExpertProbe(backend, shape, weights, dtype: dtype, format: format, rows: most)
        let sparseLayers = shape.experts?.layers ?? 0
        for rows in rows.sorted() {
            func attention(_ layer: [PackedWeight]) {
                backend.addRMSNorm(
                    residual: hidden, delta: hidden, weight: norm, epsilon: 1e-6, into: normed, rows: rows)
                backend.linear(normed, layer[0], bias: nil, into: queries, rows: rows)
                backend.linear(mixed, layer[1], bias: nil, into: normed, rows: rows)
                backend.addRMSNorm(
                    residual: hidden, delta: normed, weight: norm, epsilon: 1e-6, into: normed, rows: rows)
            }
            var whole = 0.0
            if sparseLayers < layerCount {
                let time = backend.fastest(within: seconds) {
                    for layer in layers {
                        attention(layer)
                        backend.gatedLinear(normed, layer[2], bias: nil, scratch: wide, into: gated, rows: rows)
                        backend.linear(gated, layer[3], bias: nil, into: normed, rows: rows)
                    }
                }
                whole += time / Double(copies) * Double(layerCount - sparseLayers)
            }
            if let experts {
                let time = backend.fastest(within: seconds) {
                    attention(layers[0])
                    experts.run(normed, rows: rows)
                }
                whole += time * Double(sparseLayers)
            }
            costs.layers.append((rows, whole))
        }
        let sampled = rows.filter { $0 <= 32 }.sorted()
        let logits = try backend.makeTensor(rows: sampled.max() ?? 1, columns: shape.vocabulary)
        for rows in sampled {
            let wanted = (0..<rows).map { index in
                var row = SamplingRow(row: index)
                row.temperature = 0
                return row
            }
            let time = backend.fastest(within: seconds) {
                backend.linear(hidden, head, bias: nil, into: logits, rows: rows)
                _ = backend.sample(logits, wanted)
            }
            costs.head.append((rows, time))
        }
        try measureAttention(rows: rows.sorted(), &costs)
        return costs
    }

    /// Two measurements for each number of rows: at the beginning of a sequence, and behind a long context. The first one
    /// goes to `layers`, the difference is what context costs.
    private func measureAttention(rows counts: [Int], _ costs: inout Costs) throws(ComputeError) {
        let before = 1536
        let most = counts.last ?? 1
        let tokens = before + most
        var layout = KVLayout(
            layers: 1, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension, pageSize: 16,
            dtype: dtype)
        layout.layers = max(1, min(layerCount, (64 << 20) / (layout.bytesPerToken * tokens)))
        let pages = (tokens + layout.pageSize - 1) / layout.pageSize
        let cache = try backend.makeKVCache(layout, pages: pages)
        let attention = AttentionShape(
            heads: shape.heads, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension,
            scale: 1 / Float(shape.headDimension).squareRoot())
        let rows = try weights.activations(on: backend, rows: most, columns: shape.queryKeyValue)
        let output = try backend.makeTensor(rows: most, columns: shape.heads * shape.headDimension)
        let rotary = try backend.makeRotary(
            inverseFrequencies: (0..<shape.headDimension / 2).map { 1 / Float(1 + $0 * $0) }, amplitude: 1,
            pairing: .halves, rows: most)
        func time(start: Int, rows count: Int, within seconds: Double) -> Double {
            let context = KernelBench.context([(start, count)], pages: pages)
            backend.prepare(rotary, context)
            let whole = backend.fastest(within: seconds) {
                for layer in 0..<layout.layers {
                    backend.rotateAndStore(
                        rows, attention, queryNorm: nil, keyNorm: nil, epsilon: 1e-6, rotary: rotary, cache: cache,
                        layer: layer, context)
                    backend.attention(rows, attention, cache: cache, layer: layer, context, into: output)
                }
            }
            return whole / Double(layout.layers) * Double(layerCount)
        }
        // Fills the cache.
        for start in stride(from: 0, to: before, by: most) { _ = time(start: start, rows: most, within: 0) }
        for (index, count) in counts.enumerated() {
            let alone = time(start: 0, rows: count, within: seconds)
            let behind = time(start: before, rows: count, within: seconds)
            costs.layers[index].seconds += alone
            costs.context.append((count, max(0, behind - alone) / Double(before)))
        }
    }
}
