import Compute
import Glibc
import Synchronization
import Tensors

/// Holds the engine thread at the beginning of a step, so that a test decides in which phase something happens.
final class StepGate: Sendable {
    private struct State {
        var isOpen = true
        var permits = 0
        var isWaiting = false
        var isAnswered = false
        var backends = 0
    }

    private let state = Mutex(State())

    /// From now on each step needs a permit.
    func close() { state.withLock { $0.isOpen = false } }

    func open() { state.withLock { $0.isOpen = true } }

    /// Lets `count` steps pass, and returns when the engine is at the next one.
    /// - Returns: false if it did not get there in ten seconds.
    @discardableResult
    func pass(_ count: Int = 0) async -> Bool {
        state.withLock { $0.permits += count }
        return await waits { !$0.isOpen && $0.permits == 0 && $0.isWaiting }
    }

    /// Asks the engine something that it answers between two steps, and lets steps pass one by one until it has.
    func passing<Answer: Sendable>(until ask: @escaping @Sendable () async -> Answer) async -> Answer {
        state.withLock { $0.isAnswered = false }
        let asked = Task {
            let answer = await ask()
            state.withLock { $0.isAnswered = true }
            return answer
        }
        while !state.withLock({ $0.isAnswered }), await pass(1) {}
        return await asked.value
    }

    /// Whether the engine has given its backend back.
    func backendIsGone() async -> Bool { await waits { $0.backends == 0 } }

    private func waits(_ condition: @Sendable (State) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while !state.withLock({ condition($0) }) {
            if ContinuousClock.now > deadline { return false }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return true
    }

    // MARK: Called on the engine thread

    fileprivate func enter() {
        while true {
            let isFree = state.withLock { state in
                let isFree = state.isOpen || state.permits > 0
                if isFree, !state.isOpen { state.permits -= 1 }
                state.isWaiting = !isFree
                return isFree
            }
            if isFree { return }
            usleep(200)
        }
    }

    fileprivate func count(backends change: Int) { state.withLock { $0.backends += change } }
}

/// A backend that asks a gate before each step and otherwise does what another one does.
final class GatedBackend: Backend {
    private let base: any Backend
    private let gate: StepGate

    init(_ base: any Backend, _ gate: StepGate) {
        self.base = base
        self.gate = gate
        gate.count(backends: 1)
    }

    deinit { gate.count(backends: -1) }

    var information: BackendInformation { base.information }

    func beginStep() {
        gate.enter()
        base.beginStep()
    }

    func endStep() { base.endStep() }

    func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Tensor {
        try base.makeTensor(rows: rows, columns: columns)
    }

    func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector { try base.makeVector(parts) }

    func packWeight(_ parts: [TensorView], as format: WeightFormat) throws(ComputeError) -> PackedWeight {
        try base.packWeight(parts, as: format)
    }

    func makeKVCache(_ layout: KVLayout, pages: Int) throws(ComputeError) -> KVCache {
        try base.makeKVCache(layout, pages: pages)
    }

    func makeRotary(
        inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) -> Rotary {
        try base.makeRotary(
            inverseFrequencies: inverseFrequencies, amplitude: amplitude, pairing: pairing, rows: rows)
    }

    func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Tensor) {
        base.embed(tokens, weight, into: output)
    }

    func rmsNorm(_ x: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int) {
        base.rmsNorm(x, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    func addRMSNorm(
        residual: Tensor, delta: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int
    ) {
        base.addRMSNorm(
            residual: residual, delta: delta, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int) {
        base.linear(x, weight, bias: bias, into: output, rows: rows)
    }

    func gatedSiLU(_ gateUp: Tensor, into output: Tensor, rows: Int) {
        base.gatedSiLU(gateUp, into: output, rows: rows)
    }

    func gated(_ gateUp: Tensor, by function: GateFunction, into output: Tensor, rows: Int) {
        base.gated(gateUp, by: function, into: output, rows: rows)
    }

    func scale(_ x: Tensor, by factor: Float, rows: Int) {
        base.scale(x, by: factor, rows: rows)
    }

    func scale(_ x: Tensor, byGates gates: Tensor, rows: Int) {
        base.scale(x, byGates: gates, rows: rows)
    }

    func softCap(_ x: Tensor, cap: Float, rows: Int) {
        base.softCap(x, cap: cap, rows: rows)
    }

    func add(_ delta: Tensor, to x: Tensor, rows: Int) {
        base.add(delta, to: x, rows: rows)
    }

    func normalize(_ x: Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int) {
        base.normalize(x, columns: columns, weight: weight, epsilon: epsilon, rows: rows)
    }

    func copy(
        _ x: Tensor, _ from: ColumnBlocks, into output: Tensor, _ to: ColumnBlocks, count: Int, rows: Int
    ) {
        base.copy(x, from, into: output, to, count: count, rows: rows)
    }

    func linear(
        _ x: Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Tensor, _ to: ColumnBlocks,
        rows: Int
    ) {
        base.linear(x, from, weights, into: output, to, rows: rows)
    }

    func route(_ logits: Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing {
        base.route(logits, rule, bias: bias, rows: rows)
    }

    func accumulate(_ x: Tensor, weights: [Float], rows: [Int32], into output: Tensor) {
        base.accumulate(x, weights: weights, rows: rows, into: output)
    }

    func prepare(_ rotary: Rotary, _ context: ForwardContext) { base.prepare(rotary, context) }

    func rotateAndStore(
        _ qkv: Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext
    ) {
        base.rotateAndStore(
            qkv, shape, queryNorm: queryNorm, keyNorm: keyNorm, epsilon: epsilon, rotary: rotary, cache: cache,
            layer: layer, context)
    }

    func attention(
        _ qkv: Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Tensor
    ) {
        base.attention(qkv, shape, sinks: sinks, cache: cache, layer: layer, context, into: output)
    }

    func gather(_ x: Tensor, rows: [Int32], into output: Tensor) { base.gather(x, rows: rows, into: output) }

    func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int) {
        base.copyPage(cache, from: source, to: destination, tokens: tokens)
    }

    func sample(_ logits: Tensor, _ rows: [SamplingRow]) -> [SampledToken] { base.sample(logits, rows) }

    func read(_ x: Tensor, row: Int) -> [Float] { base.read(x, row: row) }
}
