import Compute
import Tensors
import Testing

/// Weights of codes: products and embeddings have the bits of those of the widened weight, on every path and in any
/// company of rows.
struct CodedLinearTests {
    /// Codes and factors that were drawn.
    private struct DrawnCodes: CodedMatrix {
        let outputs: Int
        let inputs: Int
        let form: CodeForm
        let groups: Int
        let groupOfInput: [Int32]
        private var codes: [UInt8] = []
        private var scales: [Float] = []
        private var zeros: [Float] = []
        private var offsets: [Float] = []
        private var blockScales: [Float] = []
        private var blockOffsets: [Float] = []

        init(
            _ form: CodeForm, outputs: Int, inputs: Int, groupSize: Int, mixed: Bool, scale: Float = 0.05, seed: UInt64
        ) {
            self.form = form
            self.outputs = outputs
            self.inputs = inputs
            let groups = (inputs + groupSize - 1) / groupSize
            self.groups = groups
            let blocks = (inputs + CodedRows.blockSize - 1) / CodedRows.blockSize
            var state = seed
            func below(_ limit: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % limit
            }
            func factor() -> Float {
                let value = Float(below(2048) - 1024) / 1024 * scale
                return HalfFloats.rounded(value, to: form.hasTwoLevels ? .float16 : form.factors)
            }
            groupOfInput = (0..<inputs).map { Int32(mixed ? below(groups) : $0 / groupSize) }
            var largest = 256
            if case .fourBits = form.codes { largest = 16 }
            codes = (0..<outputs * inputs).map { _ in UInt8(below(largest)) }
            for _ in 0..<outputs * groups {
                scales.append(form.hasTwoLevels ? Float(below(64) - 32) : factor())
                zeros.append(Float(below(256) - 128))
                offsets.append(form.hasTwoLevels ? Float(below(64)) : factor())
            }
            for _ in 0..<outputs * blocks {
                blockScales.append(factor())
                blockOffsets.append(factor())
            }
        }

        func read(from first: Int, into rows: CodedRows) {
            func copy<T>(_ source: [T], _ target: UnsafeMutableBufferPointer<T>) {
                let width = target.count / rows.count
                for index in target.indices { target[index] = source[first * width + index] }
            }
            copy(codes, rows.codes)
            copy(scales, rows.scales)
            copy(zeros, rows.zeros)
            copy(offsets, rows.offsets)
            copy(blockScales, rows.blockScales)
            copy(blockOffsets, rows.blockOffsets)
        }

        func widened(to dtype: DType) -> TensorView {
            TensorView.filled(name: "w", dtype: dtype, shape: [outputs, inputs], piece: inputs) { range, values in
                decode(range.lowerBound / inputs..<range.upperBound / inputs, into: values)
            }.view
        }
    }

    static let forms: [CodeForm] = [
        CodeForm(CodeForm.signedFourBits, factors: .float16),
        CodeForm(CodeForm.unsignedFourBits, factors: .float16, hasZeros: true),
        CodeForm(CodeForm.unsignedFourBits, factors: .bfloat16, hasZeros: true, hasOffsets: true),
        CodeForm(CodeForm.unsignedFourBits, factors: .int8, hasOffsets: true),
        CodeForm(.fourBits(SmallFloats.e2m1), factors: .bfloat16),
        CodeForm(.int8, factors: .float32),
        CodeForm(.int8, factors: .int8),
        CodeForm(.int8, factors: .float16, hasZeros: true, hasOffsets: true),
        CodeForm(.float8e4m3, factors: .float32),
        CodeForm(.float8e4m3, factors: .bfloat16),
    ]
    /// Rows, outputs, inputs and group size around the edges of blocks, panels, groups and units.
    private static let shapes = [
        (1, 1, 1, 1), (1, 64, 256, 32), (2, 63, 31, 16), (3, 65, 33, 32), (7, 130, 96, 32), (13, 66, 515, 128),
        (65, 70, 130, 130),
    ]

    private func bits(_ rows: [[Float]]) -> [UInt32] { rows.joined().map { $0.isNaN ? .max : $0.bitPattern } }

    private func product(_ backend: any Backend, _ x: Tensor, _ weight: PackedWeight, bias: Vector, rows: Int) throws
        -> [UInt32]
    {
        let y = try backend.makeTensor(rows: rows, columns: weight.outputs)
        backend.beginStep()
        defer { backend.endStep() }
        backend.linear(x, weight, bias: bias, into: y, rows: rows)
        return bits((0..<rows).map { backend.read(y, row: $0) })
    }

    private func embedded(_ backend: any Backend, _ weight: PackedWeight) throws -> [UInt32] {
        let x = try backend.makeTensor(rows: weight.outputs, columns: weight.inputs)
        backend.embed((0..<Int32(weight.outputs)).map { $0 }, weight, into: x)
        return bits((0..<weight.outputs).map { backend.read(x, row: $0) })
    }

    @Test(arguments: CPUBackend.availableKernelPaths(), [DType.float32, .float16, .bfloat16])
    func productsHaveTheBitsOfTheWidenedWeight(path: String, dtype: DType) throws {
        for (index, form) in Self.forms.enumerated() {
            for (number, (rows, outputs, inputs, groupSize)) in Self.shapes.enumerated() {
                let seed = UInt64(100 * index + number)
                // Two parts whose border lies within a panel; groups mixed as activation order mixes them.
                let parts = [outputs - outputs / 3, outputs / 3].filter { $0 > 0 }.enumerated().map {
                    DrawnCodes(
                        form, outputs: $1, inputs: inputs, groupSize: groupSize, mixed: false,
                        seed: seed + 7 * UInt64($0))
                }
                let mixed = [
                    DrawnCodes(
                        form, outputs: outputs, inputs: inputs, groupSize: groupSize, mixed: true, seed: seed + 50)
                ]
                for matrices in [parts, mixed] {
                    let backend = try CPUBackend(kernels: path, threads: number % 2 == 0 ? 1 : 3, pin: false)
                    let packed = try backend.packCoded(matrices, widenedTo: dtype, name: "w")
                    // A code with a factor of its own takes more room than the number.
                    guard let packed else {
                        let bytes = CPUBackend.codedBytes(matrices, widenedTo: dtype)
                        #expect(bytes == nil && groupSize <= 16, "\(form) \(outputs)×\(inputs)")
                        continue
                    }
                    #expect(packed.byteCount == CPUBackend.codedBytes(matrices, widenedTo: dtype))
                    let wide = try backend.packWeight(matrices.map { $0.widened(to: dtype) })
                    #expect(packed.byteCount < wide.byteCount)
                    let x = try backend.makeTensor(rows: rows, columns: inputs)
                    let table = try backend.packWeight([
                        DrawnCodes(
                            CodeForm(.int8, factors: .float32), outputs: rows, inputs: inputs, groupSize: inputs,
                            mixed: false, seed: seed + 90
                        ).widened(to: .float32)
                    ])
                    backend.embed((0..<Int32(rows)).map { $0 }, table, into: x)
                    let bias = try backend.makeVector([floatView((0..<outputs).map { Float($0) }, [outputs])])
                    let name: Comment = "\(path) \(dtype) \(form) \(rows)×\(outputs)×\(inputs), seed \(seed)"
                    let found = try product(backend, x, packed, bias: bias, rows: rows)
                    #expect(found == (try product(backend, x, wide, bias: bias, rows: rows)), name)
                    #expect(try embedded(backend, packed) == (try embedded(backend, wide)), name)
                    for count in [1, 2, 5, 6] where count < rows {
                        let alone = try product(backend, x, packed, bias: bias, rows: count)
                        #expect(alone == Array(found[..<(count * outputs)]), name)
                    }
                }
            }
        }
    }

    @Test func whatDiffersOrDoesNotFitIsLeftToBeWidened() throws {
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        func matrix(_ form: CodeForm, inputs: Int = 64, groupSize: Int = 32, mixed: Bool = false, scale: Float = 1)
            -> DrawnCodes
        {
            DrawnCodes(form, outputs: 64, inputs: inputs, groupSize: groupSize, mixed: mixed, scale: scale, seed: 3)
        }
        func packs(_ parts: [any CodedMatrix], _ dtype: DType = .float16) throws -> Bool {
            try backend.packCoded(parts, widenedTo: dtype, name: "w") != nil
        }
        let int4 = Self.forms[0]
        #expect(try packs([matrix(int4), matrix(int4)]))
        #expect(try !packs([matrix(int4), matrix(Self.forms[5])]))
        #expect(try !packs([matrix(int4), matrix(int4, groupSize: 16)]))
        #expect(try !packs([matrix(int4), matrix(int4, mixed: true)]))
        #expect(try !packs([matrix(CodeForm(.table((0..<256).map { Float($0) }), factors: .float32))]))
        #expect(try !packs([matrix(int4, scale: 60000)]), "float16 does not hold -8 · 60000")
        #expect(try packs([matrix(int4, scale: 60000)], .bfloat16))
        #expect(try !packs([matrix(int4, groupSize: 1)]), "larger than float16")
    }

    /// Formats that are made of a checkpoint's numbers, against the plain definition.
    @Test(arguments: [WeightFormat.fp8, .mxfp4], [DType.float32, .float16, .bfloat16])
    func quantizedWeightsAreThoseOfTheReference(format: WeightFormat, dtype: DType) throws {
        for (rows, outputs, inputs) in [(1, 1, 1), (3, 65, 33), (7, 70, 300)] {
            var views = [0, 1].map { seed in
                DrawnCodes(
                    CodeForm(.float8e4m3, factors: .float32), outputs: outputs, inputs: inputs, groupSize: 8,
                    mixed: true, scale: 0.002, seed: UInt64(outputs + seed)
                ).finite(to: dtype)
            }
            views.append(
                TensorView.filled(name: "zero", dtype: dtype, shape: [1, inputs], piece: inputs) { _, values in
                    values.update(repeating: 0)
                }.view)
            let reference = ReferenceBackend()
            let expected = try reference.packWeight(views, as: format)
            for path in CPUBackend.availableKernelPaths() {
                let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
                let packed = try backend.packWeight(views, as: format)
                #expect(packed.format == format && packed.outputs == 2 * outputs + 1)
                // A zero may lose its sign.
                let found = try embedded(backend, packed).map { $0 == 1 << 31 ? 0 : $0 }
                #expect(found == (try embedded(reference, expected).map { $0 == 1 << 31 ? 0 : $0 }), "\(path)")
                let x = floatView((0..<rows * inputs).map { Float($0 % 17) / 17 - 0.4 }, [rows, inputs])
                func run(_ backend: any Backend, _ weight: PackedWeight) throws -> [Float] {
                    let input = try backend.makeTensor(rows: rows, columns: inputs)
                    backend.embed((0..<Int32(rows)).map { $0 }, try backend.packWeight([x]), into: input)
                    let y = try backend.makeTensor(rows: rows, columns: weight.outputs)
                    backend.beginStep()
                    defer { backend.endStep() }
                    backend.linear(input, weight, bias: nil, into: y, rows: rows)
                    return (0..<rows).flatMap { backend.read(y, row: $0) }
                }
                for (a, b) in zip(try run(backend, packed), try run(reference, expected)) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(b)) * Float(inputs).squareRoot(), "\(path)")
                }
            }
        }
    }

    @Test(arguments: [WeightFormat.fp8, .mxfp4])
    func aNumberThatIsNotFiniteShows(format: WeightFormat) throws {
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        var values = [Float](repeating: 1, count: 64)
        values[3] = .infinity
        values[40] = .nan
        let weight = try backend.packWeight([floatView(values, [2, 32])], as: format)
        #expect(try embedded(backend, weight).allSatisfy { $0 == .max })
    }
}

extension CodedMatrix {
    /// As `decode`, what is not finite replaced.
    fileprivate func finite(to dtype: DType) -> TensorView {
        TensorView.filled(name: "w", dtype: dtype, shape: [outputs, inputs], piece: inputs) { range, values in
            decode(range.lowerBound / inputs..<range.upperBound / inputs, into: values)
            for index in values.indices where !values[index].isFinite { values[index] = 1 }
        }.view
    }
}
