import Tensors

// The operations that only some families need, as their definitions read.
extension ReferenceBackend {
    package func gated(_ gateUp: Tensor, by function: GateFunction, into output: Tensor, rows: Int) {
        let gateUp = gateUp.reference
        let output = output.reference
        let n = output.columns
        precondition(gateUp.columns == 2 * n)
        for row in 0..<rows {
            let values = gateUp[row].map(Double.init)
            output[row] = (0..<n).map { Float(Self.gated(values[$0], values[n + $0], function)) }[...]
        }
    }

    private static func gated(_ g: Double, _ u: Double, _ function: GateFunction) -> Double {
        switch function {
        case .silu: return g / (1 + exponential(-g)) * u
        case .geluTanh:
            return g / 2 * (1 + tangent((2 / Double.pi).squareRoot() * (g + 0.044715 * g * g * g))) * u
        case .clamped(let limit, let alpha):
            let gate = min(g, Double(limit))
            let linear = max(-Double(limit), min(u, Double(limit)))
            return gate / (1 + exponential(-Double(alpha) * gate)) * (linear + 1)
        }
    }

    private func map(_ x: Tensor, rows: Int, _ body: (_ row: Int, _ value: Float) -> Float) {
        let x = x.reference
        for row in 0..<rows { x[row] = x[row].map { body(row, $0) }[...] }
    }

    package func scale(_ x: Tensor, by factor: Float, rows: Int) {
        map(x, rows: rows) { factor == 0 ? 0 : $1 * factor }
    }

    package func scale(_ x: Tensor, byGates gates: Tensor, rows: Int) {
        let gates = gates.reference
        precondition(gates.columns == 1)
        map(x, rows: rows) { row, value in
            let gate = gates[row].map(Double.init).reduce(0, +)
            return Float(Double(value) / (1 + exponential(-gate)))
        }
    }

    package func softCap(_ x: Tensor, cap: Float, rows: Int) {
        map(x, rows: rows) { Float(Double(cap) * tangent(Double($1) / Double(cap))) }
    }

    package func add(_ delta: Tensor, to x: Tensor, rows: Int) {
        let delta = delta.reference
        let x = x.reference
        for row in 0..<rows { x[row] = zip(x[row], delta[row]).map { $0 + $1 }[...] }
    }

    package func normalize(_ x: Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int) {
        let x = x.reference
        for row in 0..<rows {
            var values = Array(x[row])
            values.replaceSubrange(columns, with: Self.normalized(values[columns], weight.reference.values, epsilon))
            x[row] = values[...]
        }
    }

    package func copy(
        _ x: Tensor, _ from: ColumnBlocks, into output: Tensor, _ to: ColumnBlocks, count: Int, rows: Int
    ) {
        let x = x.reference
        let output = output.reference
        for row in 0..<rows {
            let source = Array(x[row])
            var target = Array(output[row])
            for block in 0..<count {
                for i in 0..<to.width {
                    target[to.first + block * to.stride + i] = source[from.first + block * from.stride + i]
                }
            }
            output[row] = target[...]
        }
    }

    package func linear(
        _ x: Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Tensor, _ to: ColumnBlocks,
        rows: Int
    ) {
        for (index, weight) in weights.enumerated() {
            let part = ReferenceTensor(rows: rows, columns: from.width)
            let product = ReferenceTensor(rows: rows, columns: to.width)
            let source = ColumnBlocks(
                first: from.first + index * from.stride, stride: from.width, width: from.width)
            let target = ColumnBlocks(first: to.first + index * to.stride, stride: to.width, width: to.width)
            copy(
                x, source, into: part, ColumnBlocks(stride: from.width, width: from.width), count: 1, rows: rows)
            linear(part, weight, bias: nil, into: product, rows: rows)
            copy(
                product, ColumnBlocks(stride: to.width, width: to.width), into: output, target, count: 1, rows: rows)
        }
    }

    package func route(_ logits: Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing {
        let logits = logits.reference
        let router = Router(rule: rule, bias: bias?.reference.values)
        var chosen: [Int32] = []
        var weights: [Float] = []
        for row in 0..<rows {
            let choice = router.choose(Array(logits[row]))
            chosen += choice.experts.map(Int32.init)
            weights += choice.weights
        }
        return Routing(chosen: chosen, weights: weights, perRow: rule.chosen, experts: logits.columns)
    }

    package func accumulate(_ x: Tensor, weights: [Float], rows: [Int32], into output: Tensor) {
        let x = x.reference
        let output = output.reference
        for (index, row) in rows.enumerated() {
            output[Int(row)] = zip(output[Int(row)], x[index]).map { $0 + weights[index] * $1 }[...]
        }
    }
}
