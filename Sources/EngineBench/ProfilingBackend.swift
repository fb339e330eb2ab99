package import Compute
package import Tensors

/// Passes every operation on to another backend and takes its time. Two looks at the clock for each operation are some
/// 0.1 µs, so what runs here runs as it would without.
package final class ProfilingBackend: Backend {
    private let backend: any Backend
    private let recorder: StepRecorder
    private let clock = ContinuousClock()
    private var step = StepRecord()
    private var stepStart: ContinuousClock.Instant
    private var stepEnd: ContinuousClock.Instant

    package init(_ backend: any Backend, recorder: StepRecorder) {
        self.backend = backend
        self.recorder = recorder
        stepStart = clock.now
        stepEnd = stepStart
    }

    private func timed(
        _ operation: Operation, arithmetic: Double = 0, bytes: Double = 0, _ body: () -> Void
    ) {
        let start = clock.now
        body()
        note(operation, since: start, arithmetic: arithmetic, bytes: bytes)
    }

    private func note(
        _ operation: Operation, since start: ContinuousClock.Instant, arithmetic: Double = 0, bytes: Double = 0
    ) {
        var cost = OperationCost()
        cost.calls = 1
        cost.seconds = start.duration(to: clock.now) / .seconds(1)
        cost.arithmetic = arithmetic
        cost.bytes = bytes
        step.costs[operation, default: OperationCost()] += cost
    }

    // MARK: Backend

    package var information: BackendInformation { backend.information }

    package func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Tensor {
        try backend.makeTensor(rows: rows, columns: columns)
    }
    package func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector { try backend.makeVector(parts) }
    package func packWeight(
        _ parts: [TensorView], as format: WeightFormat
    ) throws(ComputeError) -> PackedWeight {
        try backend.packWeight(parts, as: format)
    }

    package func packCoded(
        _ parts: [any CodedMatrix], widenedTo dtype: DType, name: String
    ) throws(ComputeError) -> PackedWeight? {
        try backend.packCoded(parts, widenedTo: dtype, name: name)
    }
    package func makeKVCache(_ layout: KVLayout, pages: Int) throws(ComputeError) -> KVCache {
        try backend.makeKVCache(layout, pages: pages)
    }
    package func makeRotary(
        inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) -> Rotary {
        try backend.makeRotary(
            inverseFrequencies: inverseFrequencies, amplitude: amplitude, pairing: pairing, rows: rows)
    }

    package func beginStep() {
        stepStart = clock.now
        step = StepRecord()
        step.gapSeconds = stepEnd.duration(to: stepStart) / .seconds(1)
        backend.beginStep()
    }

    package func endStep() {
        backend.endStep()
        stepEnd = clock.now
        step.seconds = stepStart.duration(to: stepEnd) / .seconds(1)
        recorder.append(step)
    }

    package func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Tensor) {
        timed(.embed) { backend.embed(tokens, weight, into: output) }
    }

    package func rmsNorm(_ x: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int) {
        timed(.norm) { backend.rmsNorm(x, weight: weight, epsilon: epsilon, into: output, rows: rows) }
    }

    package func addRMSNorm(
        residual: Tensor, delta: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int
    ) {
        timed(.norm) {
            backend.addRMSNorm(
                residual: residual, delta: delta, weight: weight, epsilon: epsilon, into: output, rows: rows)
        }
    }

    package func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int) {
        timed(
            .linear(outputs: weight.outputs, inputs: weight.inputs, format: weight.format),
            arithmetic: 2 * Double(rows) * Double(weight.outputs) * Double(weight.inputs),
            bytes: Double(weight.byteCount)
        ) { backend.linear(x, weight, bias: bias, into: output, rows: rows) }
    }

    package func gatedLinear(
        _ x: Tensor, _ gateUp: PackedWeight, bias: Vector?, scratch: Tensor, into output: Tensor, rows: Int
    ) {
        timed(
            .gatedLinear(outputs: gateUp.outputs, inputs: gateUp.inputs, format: gateUp.format),
            arithmetic: 2 * Double(rows) * Double(gateUp.outputs) * Double(gateUp.inputs),
            bytes: Double(gateUp.byteCount)
        ) { backend.gatedLinear(x, gateUp, bias: bias, scratch: scratch, into: output, rows: rows) }
    }

    package func gatedSiLU(_ gateUp: Tensor, into output: Tensor, rows: Int) {
        timed(.gatedSiLU) { backend.gatedSiLU(gateUp, into: output, rows: rows) }
    }

    package func gated(_ gateUp: Tensor, by function: GateFunction, into output: Tensor, rows: Int) {
        timed(.gatedSiLU) { backend.gated(gateUp, by: function, into: output, rows: rows) }
    }

    package func scale(_ x: Tensor, by factor: Float, rows: Int) {
        timed(.elements) { backend.scale(x, by: factor, rows: rows) }
    }

    package func scale(_ x: Tensor, byGates gates: Tensor, rows: Int) {
        timed(.elements) { backend.scale(x, byGates: gates, rows: rows) }
    }

    package func softCap(_ x: Tensor, cap: Float, rows: Int) {
        timed(.elements) { backend.softCap(x, cap: cap, rows: rows) }
    }

    package func add(_ delta: Tensor, to x: Tensor, rows: Int) {
        timed(.elements) { backend.add(delta, to: x, rows: rows) }
    }

    package func normalize(_ x: Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int) {
        timed(.norm) { backend.normalize(x, columns: columns, weight: weight, epsilon: epsilon, rows: rows) }
    }

    package func copy(
        _ x: Tensor, _ from: ColumnBlocks, into output: Tensor, _ to: ColumnBlocks, count: Int, rows: Int
    ) {
        timed(.elements) { backend.copy(x, from, into: output, to, count: count, rows: rows) }
    }

    package func linear(
        _ x: Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Tensor, _ to: ColumnBlocks,
        rows: Int
    ) {
        guard let first = weights.first else { return }
        timed(
            .linear(outputs: first.outputs, inputs: first.inputs, format: first.format),
            arithmetic: 2 * Double(rows * weights.count) * Double(first.outputs) * Double(first.inputs),
            bytes: weights.reduce(0) { $0 + Double($1.byteCount) }
        ) { backend.linear(x, from, weights, into: output, to, rows: rows) }
    }

    package func route(_ logits: Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing {
        let start = clock.now
        let routing = backend.route(logits, rule, bias: bias, rows: rows)
        note(.route, since: start)
        return routing
    }

    package func accumulate(_ x: Tensor, weights: [Float], rows: [Int32], into output: Tensor) {
        timed(.elements) { backend.accumulate(x, weights: weights, rows: rows, into: output) }
    }

    package func prepare(_ rotary: Rotary, _ context: ForwardContext) {
        step.sequences = context.sequences
        timed(.rotaryTable) { backend.prepare(rotary, context) }
    }

    package func rotateAndStore(
        _ qkv: Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext
    ) {
        timed(.rotateAndStore) {
            backend.rotateAndStore(
                qkv, shape, queryNorm: queryNorm, keyNorm: keyNorm, epsilon: epsilon, rotary: rotary, cache: cache,
                layer: layer, context)
        }
    }

    package func attention(
        _ qkv: Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Tensor
    ) {
        let work = AttentionWork(context, shape, cache.layout)
        timed(.attention, arithmetic: work.arithmetic, bytes: work.bytes) {
            backend.attention(
                qkv, shape, sinks: sinks, cache: cache, layer: layer, context, into: output)
        }
    }

    package func gather(_ x: Tensor, rows: [Int32], into output: Tensor) {
        timed(.gather) { backend.gather(x, rows: rows, into: output) }
    }

    package func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int) {
        timed(.copyPage) { backend.copyPage(cache, from: source, to: destination, tokens: tokens) }
    }

    package func sample(_ logits: Tensor, _ rows: [SamplingRow]) -> [SampledToken] {
        let start = clock.now
        let tokens = backend.sample(logits, rows)
        note(.sample, since: start)
        return tokens
    }

    package func read(_ x: Tensor, row: Int) -> [Float] { backend.read(x, row: row) }
}

/// What attention has to do at least, for one layer.
struct AttentionWork {
    /// Of both products, over the positions that each row sees.
    var arithmetic = 0.0
    /// Keys and values of each sequence, once; of pages that neighbours share, once for all of them.
    var bytes = 0.0

    init(_ context: ForwardContext, _ shape: AttentionShape, _ layout: KVLayout) {
        let perPosition = 4 * Double(shape.heads) * Double(shape.headDimension)
        let window = shape.window ?? .max
        for sequence in context.sequences {
            let end = sequence.startPosition + sequence.rowCount
            for position in sequence.startPosition..<end {
                arithmetic += perPosition * Double(min(position + 1, window))
            }
            let seen = window == .max ? end : min(end, window + sequence.rowCount - 1)
            let shared = window == .max ? min(sequence.sharedPages * layout.pageSize, sequence.startPosition) : 0
            bytes += Double(seen - shared) * Double(layout.bytesPerToken / layout.layers)
        }
    }
}
