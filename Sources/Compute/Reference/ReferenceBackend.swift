package import Tensors

/// The oracle: every operation of `Backend` written down as its definition reads, on one thread.
///
/// Values are stored and rounded exactly where the contract says (float32 activations, bfloat16 inputs of bfloat16
/// weights, keys and values in the type of the cache). Sums and elementary functions in between are taken in Double, in
/// order, and rounded to float32 once: a fast backend's distance from this one is then that backend's own rounding
/// error, not the sum of two.
package final class ReferenceBackend: Backend {
    package let information = BackendInformation(name: "reference", kernels: "swift", threads: 1)

    package init() {}

    // MARK: Memory

    package func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Tensor {
        ReferenceTensor(rows: rows, columns: columns)
    }

    package func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector {
        ReferenceVector(try Self.concatenated(parts))
    }

    package func packWeight(
        _ parts: [TensorView], as format: WeightFormat
    ) throws(ComputeError) -> PackedWeight {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.shape.count == 2 })
        let inputs = parts[0].shape[1]
        let dtype = parts[0].dtype
        precondition(parts.allSatisfy { $0.shape[1] == inputs && $0.dtype == dtype })
        var values = Quantization.rounded(try Self.concatenated(parts), inputs: inputs, format)
        if !format.quantizesInputs { values = values.map { HalfFloats.rounded($0, to: dtype) } }
        return ReferenceWeight(values, inputs: inputs, dtype: dtype, format: format)
    }

    package func packCoded(
        _ parts: [any CodedMatrix], widenedTo dtype: DType, name: String
    ) throws(ComputeError) -> PackedWeight? {
        guard let inputs = parts.first?.inputs, parts.allSatisfy(\.quantizesInputs) else { return nil }
        var values: [Float] = []
        for part in parts {
            let count = part.outputs * inputs
            values += [Float](unsafeUninitializedCapacity: count) { rows, filled in
                part.decode(0..<part.outputs, into: UnsafeMutableBufferPointer(rebasing: rows[..<count]))
                filled = count
            }
        }
        return ReferenceWeight(values, inputs: inputs, dtype: dtype, format: .int8)
    }

    package func makeKVCache(_ layout: KVLayout, pages: Int) throws(ComputeError) -> KVCache {
        guard KVLayout.dtypes.contains(layout.dtype) else {
            throw .unsupportedDType(tensor: "KV cache", dtype: layout.dtype, supported: KVLayout.dtypes)
        }
        return ReferenceKVCache(layout: layout, pageCount: pages)
    }

    package func makeRotary(
        inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) -> Rotary {
        ReferenceRotary(inverseFrequencies: inverseFrequencies, amplitude: amplitude, pairing: pairing)
    }

    private static let supported: [DType] = [.float32, .float16, .bfloat16]

    private static func concatenated(_ parts: [TensorView]) throws(ComputeError) -> [Float] {
        var values: [Float] = []
        for part in parts {
            guard let floats = part.floats() else {
                throw .unsupportedDType(tensor: part.name, dtype: part.dtype, supported: supported)
            }
            values += floats
        }
        return values
    }

    // MARK: Rows

    package func beginStep() {}
    package func endStep() {}

    package func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Tensor) {
        let weight = weight.reference
        let output = output.reference
        for (row, token) in tokens.enumerated() {
            precondition(token >= 0 && token < weight.outputs)
            let begin = Int(token) * weight.inputs
            output[row] = weight.values[begin..<begin + weight.inputs]
        }
    }

    package func rmsNorm(_ x: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int) {
        let x = x.reference
        let output = output.reference
        for row in 0..<rows { output[row] = Self.normalized(x[row], weight.reference.values, epsilon)[...] }
    }

    package func addRMSNorm(
        residual: Tensor, delta: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int
    ) {
        let residual = residual.reference
        let delta = delta.reference
        for row in 0..<rows { residual[row] = zip(residual[row], delta[row]).map { $0 + $1 }[...] }
        rmsNorm(residual, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    static func normalized(_ x: ArraySlice<Float>, _ weight: [Float], _ epsilon: Float) -> [Float] {
        precondition(x.count == weight.count)
        let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        let inverse = 1 / (squares / Double(x.count) + Double(epsilon)).squareRoot()
        return zip(x, weight).map { Float(Double($0) * inverse * Double($1)) }
    }

    package func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int) {
        let x = x.reference
        let weight = weight.reference
        let output = output.reference
        precondition(x.columns == weight.inputs && output.columns == weight.outputs)
        let bias = bias?.reference.values ?? [Float](repeating: 0, count: weight.outputs)
        for row in 0..<rows {
            var input = Array(x[row])
            if weight.format.quantizesInputs {
                input = Quantization.bytes(input[...])
            } else if weight.dtype == .bfloat16 {
                input = input.map { HalfFloats.rounded($0, to: .bfloat16) }
            }
            output[row] =
                (0..<weight.outputs).map { o in
                    var sum = 0.0
                    for i in 0..<weight.inputs {
                        sum += Double(input[i]) * Double(weight.values[o * weight.inputs + i])
                    }
                    return Float(sum + Double(bias[o]))
                }[...]
        }
    }

    package func gatedSiLU(_ gateUp: Tensor, into output: Tensor, rows: Int) {
        gated(gateUp, by: .silu, into: output, rows: rows)
    }

    package func gather(_ x: Tensor, rows: [Int32], into output: Tensor) {
        let x = x.reference
        let output = output.reference
        for (row, source) in rows.enumerated() { output[row] = x[Int(source)] }
    }

    package func read(_ x: Tensor, row: Int) -> [Float] { Array(x.reference[row]) }

    // MARK: Attention

    package func prepare(_ rotary: Rotary, _ context: ForwardContext) {
        let rotary = rotary.reference
        // The angle is rounded to float32, as the models were trained with.
        let angles = context.positions.map { p in rotary.inverseFrequencies.map { Double(Float(p) * $0) } }
        rotary.cosines = angles.map { $0.map { Float(cosine($0)) * rotary.amplitude } }
        rotary.sines = angles.map { $0.map { Float(sine($0)) * rotary.amplitude } }
    }

    package func rotateAndStore(
        _ qkv: Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext
    ) {
        let qkv = qkv.reference
        let cache = cache.reference
        let rotary = rotary.reference
        let d = shape.headDimension
        precondition(qkv.columns == cache.layout.projectionColumns(heads: shape.heads) && rotary.dimensions <= d)
        for span in context.sequences {
            for row in span.firstRow..<span.firstRow + span.rowCount {
                var values = Array(qkv[row])
                for head in 0..<shape.heads + shape.keyValueHeads {
                    var part = values[head * d..<(head + 1) * d]
                    if let norm = head < shape.heads ? queryNorm : keyNorm {
                        part = Self.normalized(part, norm.reference.values, epsilon)[...]
                    }
                    values.replaceSubrange(head * d..<(head + 1) * d, with: rotary.rotate(Array(part), row: row))
                }
                qkv[row] = values[...]
                let slot = cache.slot(of: Int(context.positions[row]), span, context.pageTable, layer: layer)
                let stored = stride(from: shape.heads * d, to: values.count, by: d).flatMap {
                    cache.stored(head: values[$0..<$0 + d])
                }
                let half = shape.keyValueHeads * d
                cache.keys.replaceSubrange(slot..<slot + half, with: stored[..<half])
                cache.values.replaceSubrange(
                    slot..<slot + half, with: cache.layout.isLatent ? stored[..<half] : stored[half...])
            }
        }
    }

    package func attention(
        _ qkv: Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Tensor
    ) {
        let qkv = qkv.reference
        let cache = cache.reference
        let output = output.reference
        let d = shape.headDimension
        precondition(output.columns == shape.heads * d)
        for span in context.sequences {
            for row in span.firstRow..<span.firstRow + span.rowCount {
                let position = Int(context.positions[row])
                let first = shape.window.map { max(0, position - $0 + 1) } ?? 0
                let last = shape.isCausal ? position : span.startPosition + span.rowCount - 1
                let query = Array(qkv[row])
                var result: [Float] = []
                for head in 0..<shape.heads {
                    let offset = head / (shape.heads / shape.keyValueHeads) * d
                    let slots = (first...last).map {
                        cache.slot(of: $0, span, context.pageTable, layer: layer) + offset
                    }
                    let scores = slots.map { slot in
                        var sum = 0.0
                        for i in 0..<d { sum += Double(query[head * d + i]) * Double(cache.keys[slot + i]) }
                        let score = sum * Double(shape.scale)
                        return shape.scoreCap.map { Double($0) * tangent(score / Double($0)) } ?? score
                    }
                    let largest = scores.max() ?? 0
                    let weights = scores.map { exponential($0 - largest) }
                    let sink = sinks.map { exponential(Double($0.reference.values[head]) - largest) } ?? 0
                    let mass = weights.reduce(sink, +)
                    for i in 0..<d {
                        let sum = zip(weights, slots).reduce(0.0) { $0 + $1.0 * Double(cache.values[$1.1 + i]) }
                        result.append(Float(sum / mass))
                    }
                }
                output[row] = result[...]
            }
        }
    }

    package func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int) {
        let cache = cache.reference
        precondition(source != destination && tokens <= cache.layout.pageSize)
        for layer in 0..<cache.layout.layers {
            let from = cache.slot(page: Int(source), offset: 0, layer: layer)
            let to = cache.slot(page: Int(destination), offset: 0, layer: layer)
            let count = tokens * cache.tokenWidth
            cache.keys.replaceSubrange(to..<to + count, with: cache.keys[from..<from + count])
            cache.values.replaceSubrange(to..<to + count, with: cache.values[from..<from + count])
        }
    }
}
