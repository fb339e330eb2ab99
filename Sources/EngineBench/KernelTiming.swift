import Compute
import Tensors

extension CPUBackend {
    /// Seconds of the fastest round of as many as fit in `seconds`, after one that is not counted: whatever else runs on
    /// the machine only slows one down.
    func fastest(within seconds: Double, _ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        beginStep()
        defer { endStep() }
        body()
        let start = clock.now
        var least = Double.infinity
        repeat {
            least = min(least, clock.measure(body) / .seconds(1))
        } while start.duration(to: clock.now) / .seconds(1) < seconds
        return least
    }
}

extension RandomWeights {
    /// Random rows, shape [rows, columns]; they repeat after 64.
    ///
    /// - Throws: `outOfMemory`.
    func activations(on backend: CPUBackend, rows: Int, columns: Int) throws(ComputeError) -> Tensor {
        let tensor = try backend.makeTensor(rows: rows, columns: columns)
        let distinct = min(rows, 64)
        let table = try backend.packWeight([matrix(distinct, columns, .float32)])
        backend.embed((0..<rows).map { Int32($0 % distinct) }, table, into: tensor)
        return tensor
    }
}
