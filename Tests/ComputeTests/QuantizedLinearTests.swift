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

    /// Bytes and scales as a checkpoint has them, for W8A8.
    private struct PublishedBytes: CodedMatrix {
        let outputs: Int
        let inputs: Int
        let codes: [Int8]
        let scales: [Float]
        let form = CodeForm(.int8, factors: .float32)
        let groups = 1
        let quantizesInputs = true
        var groupOfInput: [Int32] { [Int32](repeating: 0, count: inputs) }

        func read(from first: Int, into rows: CodedRows) {
            for index in rows.codes.indices { rows.codes[index] = UInt8(bitPattern: codes[first * inputs + index]) }
            for index in rows.scales.indices { rows.scales[index] = scales[first + index] }
        }
    }

    /// Weights of a checkpoint whose scheme quantizes inputs too: all bytes, -128 among them, against the definition.
    @Test(arguments: CPUBackend.availableKernelPaths())
    func publishedBytesAreMultipliedAsTheyAre(path: String) throws {
        for (index, (rows, outputs, inputs)) in Self.shapes.enumerated() {
            let numbers = random(outputs * inputs, seed: UInt64(index) + 40)
            let codes = numbers.map { Int8(min(max(($0 * 140).rounded(), -128), 127)) }
            let scales = random(outputs, seed: UInt64(index) + 50).map { abs($0) * 0.01 + 0.001 }
            let cut = outputs / 3
            let parts = [0..<cut, cut..<outputs].filter { !$0.isEmpty }.map {
                PublishedBytes(
                    outputs: $0.count, inputs: inputs,
                    codes: Array(codes[$0.lowerBound * inputs..<$0.upperBound * inputs]), scales: Array(scales[$0]))
            }
            let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
            let weight = try #require(try backend.packCoded(parts, widenedTo: .bfloat16, name: "w"))
            #expect(weight.format == .int8)
            #expect(weight.byteCount == CPUBackend.codedBytes(parts, widenedTo: .bfloat16))
            let x = random(rows * inputs, seed: UInt64(index) + 60)
            let y = try backend.makeTensor(rows: rows, columns: outputs)
            backend.beginStep()
            backend.linear(try tensor(backend, x, columns: inputs), weight, bias: nil, into: y, rows: rows)
            backend.endStep()
            for row in 0..<rows {
                let input = Array(x[row * inputs..<(row + 1) * inputs])
                let largest = input.reduce(0) { max($0, abs($1)) }
                let bytes = input.map { Int(($0 * (127 / largest)).rounded(.toNearestOrEven)) }
                let wanted = (0..<outputs).map { output in
                    let sum = (0..<inputs).reduce(0) { $0 + Int(codes[output * inputs + $1]) * bytes[$1] }
                    return Float(sum) * scales[output] * (largest / 127)
                }
                #expect(backend.read(y, row: row) == wanted, "\(rows) x \(outputs) x \(inputs)")
            }
            // The oracle quantizes inputs too, and rounds its sums in another order.
            let reference = ReferenceBackend()
            let same = try #require(try reference.packCoded(parts, widenedTo: .bfloat16, name: "w"))
            let z = try reference.makeTensor(rows: rows, columns: outputs)
            reference.linear(try tensor(reference, x, columns: inputs), same, bias: nil, into: z, rows: rows)
            for row in 0..<rows {
                for (a, b) in zip(backend.read(y, row: row), reference.read(z, row: row)) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(b)))
                }
            }
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
