import Compute
import Tensors
import Testing

/// A gated product has the bits of the product and the gate one after the other, whatever blocks it is made in.
struct GatedLinearTests {
    private func tensor(_ backend: any Backend, rows: Int, columns: Int, seed: UInt64) throws -> Tensor {
        var state = seed
        let values = (0..<rows * columns).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
        }
        let table = try backend.packWeight([floatView(values, [rows, columns])])
        let x = try backend.makeTensor(rows: rows, columns: columns)
        backend.embed((0..<Int32(rows)).map { $0 }, table, into: x)
        return x
    }

    @Test(arguments: CPUBackend.availableKernelPaths(), WeightFormat.allCases)
    func gatedLinearHasTheBitsOfItsParts(path: String, format: WeightFormat) throws {
        for (rows, half, inputs, threads) in [
            (1, 64, 8, 1), (32, 64, 33, 1), (33, 128, 40, 3), (193, 64, 16, 2), (400, 192, 24, 3), (40, 65, 9, 2),
        ] {
            let backend = try CPUBackend(kernels: path, threads: threads, pin: false)
            backend.beginStep()
            defer { backend.endStep() }
            let x = try tensor(backend, rows: rows, columns: inputs, seed: 7)
            var state: UInt64 = 9
            let weights = (0..<2 * half * inputs).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-30
            }
            let weight = try backend.packWeight([floatView(weights, [2 * half, inputs])], as: format)
            let bias =
                rows % 2 == 0 ? nil : try backend.makeVector([floatView(Array(weights[..<(2 * half)]), [2 * half])])
            let scratch = try backend.makeTensor(rows: rows, columns: 2 * half)
            let expected = try backend.makeTensor(rows: rows, columns: half)
            backend.linear(x, weight, bias: bias, into: scratch, rows: rows)
            backend.gatedSiLU(scratch, into: expected, rows: rows)
            let found = try backend.makeTensor(rows: rows, columns: half)
            backend.gatedLinear(x, weight, bias: bias, scratch: scratch, into: found, rows: rows)
            let differing = (0..<rows).count { row in
                backend.read(found, row: row).map(\.bitPattern) != backend.read(expected, row: row).map(\.bitPattern)
            }
            #expect(differing == 0, "\(path) \(format) \(rows) x \(half) x \(inputs), \(threads) threads")
        }
    }
}
