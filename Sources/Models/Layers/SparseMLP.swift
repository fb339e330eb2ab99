import Compute

/// Mixture of experts (Shazeer et al. 2017, arXiv 1701.06538): a router gives each token to a few of many MLPs.
///
/// The tokens of a step are grouped by expert, and each active expert sees all of its tokens in one product; weights of
/// the others are not read. An expert's product treats each row by itself, and a token's experts are added up in
/// ascending order, so a token's bits do not depend on which tokens are beside it.
struct SparseMLP {
    let router: Linear
    let rule: RoutingRule
    /// Added to the scores when experts are chosen.
    let correction: Vector?
    let experts: [GatedMLP]
    /// Every token goes through it.
    let shared: GatedMLP?
    let sharedGate: Linear?

    func apply(_ x: Tensor, into output: Tensor, rows: Int, _ buffers: MLPBuffers, on backend: any Backend) {
        guard let sparse = buffers.sparse[experts.count] else {
            preconditionFailure("no buffers for \(experts.count) experts")
        }
        router.apply(x, into: sparse.logits, rows: rows, on: backend)
        let routing = backend.route(sparse.logits, rule, bias: correction, rows: rows)
        if let shared {
            shared.apply(x, into: output, rows: rows, buffers, on: backend)
            if let sharedGate {
                sharedGate.apply(x, into: sparse.gate, rows: rows, on: backend)
                backend.scale(output, byGates: sparse.gate, rows: rows)
            }
        } else {
            backend.scale(output, by: 0, rows: rows)
        }
        for group in routing.groups {
            backend.gather(x, rows: group.rows, into: sparse.input)
            experts[group.expert].apply(
                sparse.input, into: sparse.output, rows: group.rows.count, buffers, on: backend)
            backend.accumulate(sparse.output, weights: group.weights, rows: group.rows, into: output)
        }
    }
}

/// An MLP of one kind or the other.
enum FeedForward {
    case dense(GatedMLP)
    case sparse(SparseMLP)

    func apply(_ x: Tensor, into output: Tensor, rows: Int, _ buffers: MLPBuffers, on backend: any Backend) {
        switch self {
        case .dense(let mlp): mlp.apply(x, into: output, rows: rows, buffers, on: backend)
        case .sparse(let mlp): mlp.apply(x, into: output, rows: rows, buffers, on: backend)
        }
    }
}

/// What MLPs need while they run; all layers share it.
struct MLPBuffers {
    struct Gated {
        let gateUp: Tensor
        let gated: Tensor
    }

    struct Sparse {
        /// `[rows, experts]`
        let logits: Tensor
        /// `[rows, 1]`
        let gate: Tensor
        /// Rows of one expert, which may be all.
        let input: Tensor
        let output: Tensor
    }

    /// By width.
    private(set) var gated: [Int: Gated] = [:]
    /// By number of experts.
    private(set) var sparse: [Int: Sparse] = [:]

    init(_ spec: DecoderSpec, rows: Int, backend: any Backend) throws(ComputeError) {
        var widths = Set<Int>()
        var counts = Set<Int>()
        for experts in spec.experts {
            guard let experts else {
                widths.insert(spec.intermediateSize)
                continue
            }
            widths.insert(experts.intermediateSize)
            if experts.sharedSize > 0 { widths.insert(experts.sharedSize) }
            counts.insert(experts.count)
        }
        for width in widths {
            gated[width] = Gated(
                gateUp: try backend.makeTensor(rows: rows, columns: 2 * width),
                gated: try backend.makeTensor(rows: rows, columns: width))
        }
        if counts.isEmpty { return }
        let input = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
        let output = try backend.makeTensor(rows: rows, columns: spec.hiddenSize)
        let gate = try backend.makeTensor(rows: rows, columns: 1)
        for count in counts {
            sparse[count] = Sparse(
                logits: try backend.makeTensor(rows: rows, columns: count), gate: gate, input: input, output: output)
        }
    }
}
