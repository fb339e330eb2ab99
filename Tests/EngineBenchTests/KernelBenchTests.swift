import Compute
import EngineBench
import Tensors
import Testing

struct KernelBenchTests {
    private static let tiny = ModelShape(
        name: "tiny", hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, headDimension: 16, vocabulary: 300)

    @Test(arguments: CPUBackend.availableKernelPaths())
    func everyTableIsMade(path: String) throws {
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        let ceilings = try backend.measureCeilings(bufferBytes: 1 << 20, seconds: 0)
        #expect(ceilings.threads == 2 && ceilings.readBandwidth > 0 && ceilings.float32 > 0)
        #expect(ceilings.bfloat16 ?? 1 > 0 && ceilings.int8 ?? 1 > 0)
        let bench = KernelBench(backend, ceilings: ceilings, models: [Self.tiny], seconds: 0, setBytes: 1 << 20)
        var text = ""
        try bench.products(Self.tiny, dtype: .bfloat16, rows: [1, 65], show: { text += $0 })
        #expect(text.contains("head 300 x 64") && text.contains("rows 65"))
        try bench.products(Self.tiny, dtype: .bfloat16, format: .int4, rows: [3], show: { text += $0 })
        #expect(text.contains("rows 3"))
        try bench.attention(Self.tiny, dtype: .bfloat16, show: { text += $0 })
        #expect(text.contains("decode 8 at 1024"))
        try bench.rest(Self.tiny, show: { text += $0 })
        #expect(text.contains("min-p") && text.contains("gated SiLU"))
    }
}
