import Compute
import Tensors
import Testing

/// Quantized weights: every path against the plain reference, all paths against each other bit by bit, and a row against
/// itself in other company.
struct QuantizedLinearTests {
    private static let formats: [WeightFormat] = [.int8, .int4]
    private static let types: [DType] = [.float32, .float16, .bfloat16]
    /// Rows, outputs and inputs around the edges of blocks, panels, groups and runs.
    private static let shapes = [
        (1, 1, 1), (1, 64, 32), (2, 63, 31), (3, 65, 33), (6, 128, 64), (7, 130, 96), (13, 66, 127), (63, 64, 257),
        (65, 70, 130), (5, 64, 1023), (4, 65, 1025), (2, 64, 2100), (256, 64, 40),
    ]

    private func random(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
        }
    }

    private final class Block {
        let bytes: UnsafeMutableRawBufferPointer
        init(count: Int) { bytes = .allocate(byteCount: max(1, count), alignment: 64) }
        deinit { bytes.deallocate() }
    }

    private func view(_ values: [Float], _ shape: [Int], _ dtype: DType) -> TensorView {
        let block = Block(count: values.count * dtype.byteCount)
        for (index, value) in values.enumerated() {
            switch dtype {
            case .float32: block.bytes.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
            case .float16:
                block.bytes.storeBytes(of: HalfFloats.float16(value), toByteOffset: 2 * index, as: UInt16.self)
            default: block.bytes.storeBytes(of: HalfFloats.bfloat16(value), toByteOffset: 2 * index, as: UInt16.self)
            }
        }
        return TensorView(
            name: "w", dtype: dtype, shape: shape,
            bytes: UnsafeRawBufferPointer(rebasing: block.bytes[..<(values.count * dtype.byteCount)]), owner: block)
    }

    private func tensor(_ backend: any Backend, _ values: [Float], columns: Int) throws -> Tensor {
        let rows = values.count / columns
        let table = try backend.packWeight([view(values, [rows, columns], .float32)])
        let x = try backend.makeTensor(rows: rows, columns: columns)
        backend.embed((0..<Int32(rows)).map { $0 }, table, into: x)
        return x
    }

    /// The product of the first `rows` rows of `x`, the weight given in parts.
    private func product(
        _ backend: any Backend, _ x: [Float], rows: Int, _ weights: [Float], parts: [Int], bias: [Float]?, inputs: Int,
        _ format: WeightFormat, _ dtype: DType
    ) throws -> [[Float]] {
        let outputs = parts.reduce(0, +)
        var views: [TensorView] = []
        var first = 0
        for part in parts {
            let values = Array(weights[first * inputs..<(first + part) * inputs])
            views.append(view(values, [part, inputs], dtype))
            first += part
        }
        let packed = try backend.packWeight(views, as: format)
        #expect(packed.format == format && packed.outputs == outputs)
        let y = try backend.makeTensor(rows: rows, columns: outputs)
        let b = try bias.map { try backend.makeVector([view($0, [outputs], .float32)]) }
        backend.beginStep()
        defer { backend.endStep() }
        backend.linear(try tensor(backend, x, columns: inputs), packed, bias: b, into: y, rows: rows)
        return (0..<rows).map { backend.read(y, row: $0) }
    }

    private func bits(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }

    @Test(arguments: formats, types)
    func allPathsGiveTheSameBitsAndAgreeWithTheReference(format: WeightFormat, dtype: DType) throws {
        for (index, (rows, outputs, inputs)) in Self.shapes.enumerated() {
            let seed = UInt64(1000 + index)
            let weights = random(outputs * inputs, seed: seed)
            let x = random(rows * inputs, seed: seed + 100)
            let bias = index % 2 == 0 ? random(outputs, seed: seed + 200) : nil
            // Parts that end within a panel, and within a vector of one.
            let parts = outputs > 40 ? [outputs - 37, 20, 17] : [outputs]
            let name: Comment = "\(format) \(dtype) \(rows) x \(outputs) x \(inputs), seed \(seed)"
            func run(_ backend: any Backend, rows count: Int) throws -> [[Float]] {
                try product(
                    backend, x, rows: count, weights, parts: parts, bias: bias, inputs: inputs, format, dtype)
            }
            let expected = try run(ReferenceBackend(), rows: rows)
            var first: [[UInt32]]?
            for path in CPUBackend.availableKernelPaths() {
                for threads in path == "plain" ? [1] : [1, 3] {
                    let backend = try CPUBackend(kernels: path, threads: threads, pin: false)
                    let found = try run(backend, rows: rows)
                    for (a, b) in zip(expected.joined(), found.joined()) {
                        #expect(abs(a - b) <= 1e-5 * Float(inputs).squareRoot(), "\(path): \(name)")
                    }
                    if let first { #expect(bits(found) == first, "\(path): \(name)") }
                    first = first ?? bits(found)
                    for count in [1, 2, 5, 6, 7, 64] where count < rows && path != "plain" {
                        let alone = bits(try run(backend, rows: count))
                        #expect(alone == Array(bits(found)[..<count]), "\(path): \(name)")
                    }
                }
            }
        }
    }

    @Test(arguments: formats)
    func embeddingIsTheRoundedWeight(format: WeightFormat) throws {
        let (rows, columns) = (70, 75)
        let weights = random(rows * columns, seed: 5)
        func embedded(_ backend: any Backend) throws -> [[UInt32]] {
            let table = try backend.packWeight([view(weights, [rows, columns], .float32)], as: format)
            let x = try backend.makeTensor(rows: rows, columns: columns)
            backend.embed((0..<Int32(rows)).map { $0 }, table, into: x)
            return (0..<rows).map { backend.read(x, row: $0).map(\.bitPattern) }
        }
        let expected = try embedded(ReferenceBackend())
        for path in CPUBackend.availableKernelPaths() {
            let found = try embedded(CPUBackend(kernels: path, threads: 2, pin: false))
            let differing = zip(found.joined(), expected.joined()).count { $0 != $1 }
            #expect(differing == 0 && found.count == expected.count, "\(path)")
        }
        // Half a step of int8. A step of int4: what lies opposite the largest magnitude has no eighth step.
        let limit: Float = format == .int8 ? 0.5 / 127 : 1 / 8
        for (value, bits) in zip(weights, expected.joined()) {
            #expect(abs(value - Float(bitPattern: bits)) <= limit * 1.01)
        }
    }

    /// Largest sums that can occur, zeros, rows of tiny numbers and numbers that are none.
    @Test(arguments: formats, CPUBackend.availableKernelPaths())
    func extremes(format: WeightFormat, path: String) throws {
        let backend = try CPUBackend(kernels: path, threads: 1, pin: false)
        let inputs = 4864
        let ones = [Float](repeating: 1, count: inputs)
        let weights = ones + ones.map { -$0 } + ones.map { $0 * 0 } + ones.map { $0 * 1e-33 }
        var broken = ones
        broken[77] = .infinity
        let x = ones + ones.map { $0 * 0 } + ones.map { $0 * 1e-35 } + broken
        let found = try product(
            backend, x, rows: 4, weights + broken, parts: [5], bias: nil, inputs: inputs, format, .float32)
        #expect(abs(found[0][0] - 4864) < 1 && abs(found[0][1] + 4864) < 1)
        #expect(found[0][2] == 0 && abs(found[0][3]) < 1e-20)
        #expect(found[1][..<4].allSatisfy { $0 == 0 } && found[2][..<4].allSatisfy { abs($0) < 1e-20 })
        #expect(found.allSatisfy { $0[4].isNaN }, "a weight that is not finite has to show")
        #expect(found[3].allSatisfy { $0.isNaN }, "an input that is not finite has to show")
    }
}
