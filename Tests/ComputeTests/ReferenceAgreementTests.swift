import Compute
import Tensors
import Testing

/// The CPU backend, on every path this machine runs, against the plain reference; and a row against itself in other
/// company.
struct ReferenceAgreementTests {
    /// Bytes a `TensorView` may borrow.
    private final class Block {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ values: [Float]) {
            bytes = .allocate(byteCount: values.count * 4, alignment: 64)
            values.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }

        /// The same values rounded to bfloat16 by truncation.
        init(truncating values: [Float]) {
            bytes = .allocate(byteCount: values.count * 2, alignment: 64)
            for (index, value) in values.enumerated() {
                bytes.storeBytes(
                    of: UInt16(truncatingIfNeeded: value.bitPattern >> 16), toByteOffset: index * 2, as: UInt16.self)
            }
        }

        deinit { bytes.deallocate() }
    }

    private func view(_ values: [Float], _ shape: [Int], _ dtype: DType) -> TensorView {
        let block = dtype == .bfloat16 ? Block(truncating: values) : Block(values)
        return TensorView(
            name: "w", dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(block.bytes), owner: block)
    }

    private func random(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
        }
    }

    /// Rows of activations, by way of an embedding table.
    private func activations(
        _ backend: any Backend, rows: Int, columns: Int, seed: UInt64
    ) throws -> Tensor {
        let table = try backend.packWeight([view(random(rows * columns, seed: seed), [rows, columns], .float32)])
        let x = try backend.makeTensor(rows: rows, columns: columns)
        backend.embed((0..<Int32(rows)).map { $0 }, table, into: x)
        return x
    }

    private static let shapes = [(1, 1, 1), (1, 64, 8), (7, 65, 33), (63, 130, 96), (65, 5, 257)]

    @Test(arguments: CPUBackend.availableKernelPaths(), [DType.float32, .bfloat16])
    func linearAgreesAndARowKeepsItsBits(path: String, dtype: DType) throws {
        let reference = ReferenceBackend()
        for threads in [1, 2] {
            let backend = try CPUBackend(kernels: path, threads: threads, pin: false)
            backend.beginStep()
            defer { backend.endStep() }
            for (rows, outputs, inputs) in Self.shapes {
                let weights = random(outputs * inputs, seed: 11)
                let bias = random(outputs, seed: 12)
                func output(_ backend: any Backend, rows count: Int) throws -> [[Float]] {
                    let x = try activations(backend, rows: rows, columns: inputs, seed: 13)
                    let w = try backend.packWeight([view(weights, [outputs, inputs], dtype)])
                    let b = try backend.makeVector([view(bias, [outputs], .float32)])
                    let y = try backend.makeTensor(rows: rows, columns: outputs)
                    backend.linear(x, w, bias: b, into: y, rows: count)
                    return (0..<count).map { backend.read(y, row: $0) }
                }
                let expected = try output(reference, rows: rows)
                let found = try output(backend, rows: rows)
                for (row, other) in zip(expected, found) {
                    for (a, b) in zip(row, other) {
                        #expect(abs(a - b) <= 1e-4 * Float(inputs).squareRoot(), "\(path) \(rows)x\(outputs)x\(inputs)")
                    }
                }
                let alone = try output(backend, rows: 1)
                #expect(
                    alone[0].map(\.bitPattern) == found[0].map(\.bitPattern), "\(path) \(rows)x\(outputs)x\(inputs)")
            }
        }
    }

    @Test(arguments: CPUBackend.availableKernelPaths())
    func normsAndGatesAgree(path: String) throws {
        let reference = ReferenceBackend()
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        backend.beginStep()
        defer { backend.endStep() }
        for (rows, half) in [(1, 8), (5, 33), (17, 128)] {
            func output(_ backend: any Backend) throws -> [[Float]] {
                let residual = try activations(backend, rows: rows, columns: 2 * half, seed: 1)
                let delta = try activations(backend, rows: rows, columns: 2 * half, seed: 2)
                let weight = try backend.makeVector([view(random(2 * half, seed: 3), [2 * half], .float32)])
                let normed = try backend.makeTensor(rows: rows, columns: 2 * half)
                backend.addRMSNorm(
                    residual: residual, delta: delta, weight: weight, epsilon: 1e-5, into: normed, rows: rows)
                let gated = try backend.makeTensor(rows: rows, columns: half)
                backend.gatedSiLU(normed, into: gated, rows: rows)
                return (0..<rows).map { backend.read(residual, row: $0) + backend.read(gated, row: $0) }
            }
            for (row, other) in zip(try output(reference), try output(backend)) {
                for (a, b) in zip(row, other) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(a)), "\(path) \(rows) \(half)")
                }
            }
        }
    }

    @Test(arguments: CPUBackend.availableKernelPaths())
    func everyGateAgrees(path: String) throws {
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        for function in [GateFunction.silu, .geluTanh, .clamped(limit: 0.5, alpha: 1.702)] {
            for (rows, half) in [(1, 8), (5, 33), (3, 1025)] {
                func output(_ backend: any Backend) throws -> [[Float]] {
                    let gateUp = try activations(backend, rows: rows, columns: 2 * half, seed: 4)
                    let gated = try backend.makeTensor(rows: rows, columns: half)
                    backend.gated(gateUp, by: function, into: gated, rows: rows)
                    return (0..<rows).map { backend.read(gated, row: $0) }
                }
                for (a, b) in zip(try output(ReferenceBackend()).joined(), try output(backend).joined()) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(a)), "\(path) \(function) \(rows) \(half)")
                }
            }
        }
    }

    /// What moves parts of heads about: copies and products from blocks of columns to blocks of columns, norms of some
    /// columns, and what adds experts up.
    @Test(arguments: CPUBackend.availableKernelPaths(), [DType.float32, .bfloat16])
    func operationsOnColumnsAgree(path: String, dtype: DType) throws {
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        for (rows, heads, width, out) in [(1, 1, 8, 8), (5, 3, 16, 24), (33, 4, 24, 64)] {
            func output(_ backend: any Backend) throws -> [[Float]] {
                let stride = width + 5
                let x = try activations(backend, rows: rows, columns: 3 + heads * stride, seed: 6)
                let y = try activations(backend, rows: rows, columns: 1 + heads * (out + 2), seed: 7)
                let weights = try (0..<heads).map { head in
                    try backend.packWeight([view(random(out * width, seed: UInt64(head)), [out, width], dtype)])
                }
                backend.linear(
                    x, ColumnBlocks(first: 3, stride: stride, width: width), weights, into: y,
                    ColumnBlocks(first: 1, stride: out + 2, width: out), rows: rows)
                backend.copy(
                    x, ColumnBlocks(first: 3 + width, stride: stride, width: 2), into: y,
                    ColumnBlocks(first: 1 + out, stride: out + 2, width: 2), count: heads, rows: rows)
                let norm = try backend.makeVector([view(random(out, seed: 8), [out], .float32)])
                backend.normalize(y, columns: 1..<1 + out, weight: norm, epsilon: 1e-5, rows: rows)
                let chosen = (0..<Int32(rows)).filter { $0 % 2 == 0 }
                let delta = try activations(backend, rows: chosen.count, columns: y.columns, seed: 9)
                backend.accumulate(delta, weights: chosen.map { Float($0) - 1.5 }, rows: chosen, into: y)
                return (0..<rows).map { backend.read(y, row: $0) }
            }
            let expected = try output(ReferenceBackend())
            for (a, b) in zip(expected.joined(), try output(backend).joined()) {
                #expect(abs(a - b) <= 1e-4 * max(1, abs(a)), "\(path) \(dtype) \(rows) \(heads)")
            }
        }
    }

    @Test(arguments: CPUBackend.availableKernelPaths())
    func samplingAgrees(path: String) throws {
        let reference = ReferenceBackend()
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        backend.beginStep()
        defer { backend.endStep() }
        let vocabulary = 515
        var rows: [SamplingRow] = []
        for index in 0..<40 {
            var row = SamplingRow(row: index % 4)
            row.temperature = index % 3 == 0 ? 0 : 0.1 + Float(index) / 20
            row.topK = index % 4 == 1 ? 7 : -1
            row.topP = index % 5 == 2 ? 0.8 : 1
            row.minP = index % 7 == 3 ? 0.05 : 0
            row.uniform = Float(index) / 40
            row.biases = index % 2 == 0 ? [(id: 3, value: 5), (id: 4, value: -.infinity)] : []
            row.topLogprobs = index % 6 == 0 ? 5 : nil
            rows.append(row)
        }
        func sampled(_ backend: any Backend) throws -> [SampledToken] {
            backend.sample(try activations(backend, rows: 4, columns: vocabulary, seed: 21), rows)
        }
        let (expected, found) = (try sampled(reference), try sampled(backend))
        #expect(expected.map(\.id) == found.map(\.id))
        for (a, b) in zip(expected, found) {
            #expect(a.top.map(\.id) == b.top.map(\.id))
            #expect((a.logprob == nil) == (b.logprob == nil))
            #expect(abs((a.logprob ?? 0) - (b.logprob ?? 0)) < 1e-4)
        }
    }

    @Test func unknownPathNamesTheAvailableOnes() {
        #expect(throws: ComputeError.self) { try CPUBackend(kernels: "avx9", threads: 1, pin: false) }
    }
}
