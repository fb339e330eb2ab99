import Compute
import Tensors

/// The experts of one layer with random weights, run for as many rows as each would get.
struct ExpertProbe {
    private let backend: CPUBackend
    private let experts: ModelShape.Experts
    private let hidden: Int
    /// Fewer than the layer has where they would take too much memory; then they are read in turn.
    private var gateUp: [PackedWeight] = []
    private var down: [PackedWeight] = []
    private var shared: [PackedWeight] = []
    private let wide: Tensor
    private let gated: Tensor
    private let sharedWide: Tensor?
    private let sharedGated: Tensor?
    private let output: Tensor

    private static let memory = 512 << 20

    /// - Returns: nil for a shape without experts.
    init?(
        _ backend: CPUBackend, _ shape: ModelShape, _ weights: RandomWeights, dtype: DType, format: WeightFormat,
        rows: Int
    ) throws(ComputeError) {
        guard let experts = shape.experts else { return nil }
        self.backend = backend
        self.experts = experts
        hidden = shape.hidden
        let bytes = 3 * experts.intermediate * shape.hidden * dtype.byteCount
        for _ in 0..<max(1, min(experts.count, Self.memory / max(1, bytes))) {
            gateUp.append(
                try backend.packWeight([weights.matrix(2 * experts.intermediate, hidden, dtype)], as: format))
            down.append(try backend.packWeight([weights.matrix(hidden, experts.intermediate, dtype)], as: format))
        }
        wide = try backend.makeTensor(rows: rows, columns: 2 * experts.intermediate)
        gated = try backend.makeTensor(rows: rows, columns: experts.intermediate)
        output = try backend.makeTensor(rows: rows, columns: hidden)
        if experts.shared > 0 {
            shared = [
                try backend.packWeight([weights.matrix(2 * experts.shared, hidden, dtype)], as: format),
                try backend.packWeight([weights.matrix(hidden, experts.shared, dtype)], as: format),
            ]
            sharedWide = try backend.makeTensor(rows: rows, columns: 2 * experts.shared)
            sharedGated = try backend.makeTensor(rows: rows, columns: experts.shared)
        } else {
            sharedWide = nil
            sharedGated = nil
        }
    }

    func run(_ x: Tensor, rows: Int) {
        let active = experts.active(rows)
        let each = min(rows, (rows * experts.chosen + active - 1) / active)
        for index in 0..<active {
            let place = index % gateUp.count
            backend.linear(x, gateUp[place], bias: nil, into: wide, rows: each)
            backend.gatedSiLU(wide, into: gated, rows: each)
            backend.linear(gated, down[place], bias: nil, into: output, rows: each)
        }
        if let sharedWide, let sharedGated {
            backend.linear(x, shared[0], bias: nil, into: sharedWide, rows: rows)
            backend.gatedSiLU(sharedWide, into: sharedGated, rows: rows)
            backend.linear(sharedGated, shared[1], bias: nil, into: output, rows: rows)
        }
    }
}
