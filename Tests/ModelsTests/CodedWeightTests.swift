import Checkpoint
import Compute
import Models
import Tensors
import Testing

/// Quantized checkpoints stay in their own bits, and nothing of a result shows it.
@Suite struct CodedWeightTests {
    private static let fixtures =
        "/" + String(#filePath).split(separator: "/").dropLast(2).joined(separator: "/")
        + "/CheckpointTests/Fixtures/"
    static let sources = [
        "quantized/gptq-4bit", "quantized/gptq-v2", "quantized/awq-gemm", "quantized/compressed-integer",
        "quantized/fp8", "quantized/fp4", "quantized/modelopt", "quantized/bitsandbytes", "gguf/blocks.gguf",
    ]

    private static func weights(_ path: String) throws -> any WeightSource {
        // The file of all block types has no model around it.
        path.hasSuffix(".gguf")
            ? try GGUFFile([MappedFile(path: fixtures + path)])
            : try ModelDirectory.weights(.directory(fixtures + path))
    }

    private static func rows(_ backend: any Backend, _ weight: PackedWeight) throws -> [[UInt32]] {
        let x = try backend.makeTensor(rows: weight.outputs, columns: weight.inputs)
        backend.embed((0..<Int32(weight.outputs)).map { $0 }, weight, into: x)
        return (0..<weight.outputs).map { backend.read(x, row: $0).map(\.bitPattern) }
    }

    @Test(arguments: sources, [DType.float32, .bfloat16])
    func everyPublishedMatrixIsPackedExactly(path: String, dtype: DType) throws {
        let source = try Self.weights(path)
        let backend = try CPUBackend(kernels: nil, threads: 2, pin: false)
        var packed = 0
        for name in source.names {
            guard let matrix = try source.coded(name), matrix.outputs > 0 else { continue }
            let codes = try backend.packCoded([matrix], widenedTo: dtype, name: name)
            if let codes {
                packed += 1
                let wide = TensorView.filled(
                    name: name, dtype: dtype, shape: [matrix.outputs, matrix.inputs], piece: matrix.inputs
                ) { range, values in
                    matrix.decode(range.lowerBound / matrix.inputs..<range.upperBound / matrix.inputs, into: values)
                }.view
                let widened = try backend.packWeight([wide])
                #expect(try Self.rows(backend, codes) == (try Self.rows(backend, widened)), "\(path) \(name)")
                #expect(codes.byteCount < widened.byteCount)
            }
        }
        // Each fixture has matrices that are worth it.
        #expect(packed > 0, "\(path): nothing packed")
    }

    /// The bytes that are announced are those that are there.
    @Test(arguments: ["llama31-gqa-bf16", "qwen3-moe-f32", "mixtral-f32"], WeightFormat.allCases)
    func footprintsAreThoseOfTheLoadedModel(name: String, format: WeightFormat) throws {
        let files = try GoldenModel(name).files
        let footprint = try WeightFootprint(files, format: format)
        var packed = 0
        _ = try ModelLoader.load(
            files, backend: CPUBackend(kernels: nil, threads: 1, pin: false),
            limits: ModelLimits(maximumRows: 4, maximumSampledRows: 1), format: format
        ) { packed = $0.packedBytes }
        // Fused matrices share the padding to whole panels, of which these small ones have much.
        #expect(footprint.total >= packed && footprint.total < 2 * packed)
        #expect(footprint.bytesPerStep <= footprint.total)
        let isSparse = name != "llama31-gqa-bf16"
        #expect(isSparse == (footprint.bytesPerStep < footprint.total - footprint.total / 10))
    }
}
