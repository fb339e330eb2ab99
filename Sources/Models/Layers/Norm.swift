import Compute

/// Root mean square norm (Zhang and Sennrich 2019, arXiv 1910.07467).
struct Norm {
    let weight: Vector
    let epsilon: Float

    func apply(_ x: Tensor, into output: Tensor, rows: Int, on backend: any Backend) {
        backend.rmsNorm(x, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }

    /// Adds `delta` to the residual stream first.
    func apply(adding delta: Tensor, to residual: Tensor, into output: Tensor, rows: Int, on backend: any Backend) {
        backend.addRMSNorm(
            residual: residual, delta: delta, weight: weight, epsilon: epsilon, into: output, rows: rows)
    }
}
