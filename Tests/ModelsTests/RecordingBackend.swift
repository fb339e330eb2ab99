import Compute
import Tensors

/// The oracle, with a record of the matrices it packs and of the products it takes.
final class RecordingBackend: Backend {
    private let base = ReferenceBackend()
    /// Outputs of the parts of each.
    private(set) var packed: [[Int]] = []
    var products: [Product] = []

    struct Product {
        var weight: ObjectIdentifier
        var inputs: Int
        var rows: Int
    }

    var information: BackendInformation { base.information }

    func beginStep() { base.beginStep() }

    func endStep() { base.endStep() }

    func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Compute.Tensor {
        try base.makeTensor(rows: rows, columns: columns)
    }

    func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector { try base.makeVector(parts) }

    func packWeight(_ parts: [TensorView], as format: WeightFormat) throws(ComputeError) -> PackedWeight {
        packed.append(parts.map { $0.shape[0] })
        return try base.packWeight(parts, as: format)
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

    func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Compute.Tensor) {
        base.embed(tokens, weight, into: output)
    }

    func rmsNorm(_ x: Compute.Tensor, weight: Vector, epsilon: Float, into output: Compute.Tensor, rows: Int) {
        base.rmsNorm(x, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    func addRMSNorm(
        residual: Compute.Tensor, delta: Compute.Tensor, weight: Vector, epsilon: Float, into output: Compute.Tensor,
        rows: Int
    ) {
        base.addRMSNorm(
            residual: residual, delta: delta, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    func linear(_ x: Compute.Tensor, _ weight: PackedWeight, bias: Vector?, into output: Compute.Tensor, rows: Int) {
        products.append(Product(weight: ObjectIdentifier(weight), inputs: weight.inputs, rows: rows))
        base.linear(x, weight, bias: bias, into: output, rows: rows)
    }

    func gatedSiLU(_ gateUp: Compute.Tensor, into output: Compute.Tensor, rows: Int) {
        base.gatedSiLU(gateUp, into: output, rows: rows)
    }

    func gatedLinear(
        _ x: Compute.Tensor, _ gateUp: PackedWeight, bias: Vector?, scratch: Compute.Tensor,
        into output: Compute.Tensor, rows: Int
    ) {
        linear(x, gateUp, bias: bias, into: scratch, rows: rows)
        gatedSiLU(scratch, into: output, rows: rows)
    }

    func gated(_ gateUp: Compute.Tensor, by function: GateFunction, into output: Compute.Tensor, rows: Int) {
        base.gated(gateUp, by: function, into: output, rows: rows)
    }

    func scale(_ x: Compute.Tensor, by factor: Float, rows: Int) {
        base.scale(x, by: factor, rows: rows)
    }

    func scale(_ x: Compute.Tensor, byGates gates: Compute.Tensor, rows: Int) {
        base.scale(x, byGates: gates, rows: rows)
    }

    func softCap(_ x: Compute.Tensor, cap: Float, rows: Int) {
        base.softCap(x, cap: cap, rows: rows)
    }

    func add(_ delta: Compute.Tensor, to x: Compute.Tensor, rows: Int) {
        base.add(delta, to: x, rows: rows)
    }

    func normalize(_ x: Compute.Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int) {
        base.normalize(x, columns: columns, weight: weight, epsilon: epsilon, rows: rows)
    }

    func copy(
        _ x: Compute.Tensor, _ from: ColumnBlocks, into output: Compute.Tensor, _ to: ColumnBlocks, count: Int,
        rows: Int
    ) {
        base.copy(x, from, into: output, to, count: count, rows: rows)
    }

    func linear(
        _ x: Compute.Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Compute.Tensor,
        _ to: ColumnBlocks,
        rows: Int
    ) {
        base.linear(x, from, weights, into: output, to, rows: rows)
    }

    func route(_ logits: Compute.Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing {
        base.route(logits, rule, bias: bias, rows: rows)
    }

    func accumulate(_ x: Compute.Tensor, weights: [Float], rows: [Int32], into output: Compute.Tensor) {
        base.accumulate(x, weights: weights, rows: rows, into: output)
    }

    func prepare(_ rotary: Rotary, _ context: ForwardContext) { base.prepare(rotary, context) }

    func rotateAndStore(
        _ qkv: Compute.Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext
    ) {
        base.rotateAndStore(
            qkv, shape, queryNorm: queryNorm, keyNorm: keyNorm, epsilon: epsilon, rotary: rotary, cache: cache,
            layer: layer, context)
    }

    func attention(
        _ qkv: Compute.Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Compute.Tensor
    ) {
        base.attention(qkv, shape, sinks: sinks, cache: cache, layer: layer, context, into: output)
    }

    func gather(_ x: Compute.Tensor, rows: [Int32], into output: Compute.Tensor) {
        base.gather(x, rows: rows, into: output)
    }

    func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int) {
        base.copyPage(cache, from: source, to: destination, tokens: tokens)
    }

    func sample(_ logits: Compute.Tensor, _ rows: [SamplingRow]) -> [SampledToken] { base.sample(logits, rows) }

    func read(_ x: Compute.Tensor, row: Int) -> [Float] { base.read(x, row: row) }
}
