import Compute
import Models
import Tensors
import Testing

/// What transformers says of tiny models of every family.
@Suite struct GoldenTests {
    @Test(arguments: GoldenModel.names, TestBackend.all)
    func logitsAgreeAtEveryPositionAndTheGreedyContinuationIsEqual(name: String, backend: TestBackend) throws {
        let golden = try GoldenModel(name)
        let run = try ModelRun(golden.files, backend.make())
        let pages = ModelRun.pages(3, tokens: golden.prompt.count + golden.continuation.count)
        let logits = run.logits(golden.prompt, chunk: golden.prompt.count, pages: pages)
        // In half precision we may be as far from the exact result as transformers is; a quarter more where keys and
        // values are never made, so that other numbers are rounded than there.
        let share: Float = name.hasPrefix("deepseek") ? 1.25 : 1
        let tolerance = run.model.weightDType == .float32 ? 1e-4 : share * golden.nativeError
        let difference = largestDifference(logits, golden.logits)
        #expect(difference <= tolerance, "largest difference \(difference), allowed \(tolerance)")
        let continuation = run.greedy(golden.prompt, count: golden.continuation.count, pages: pages)
        #expect(continuation == golden.continuation)
    }

    /// Widening is exact, so half-precision checkpoints must then give the exact logits.
    @Test(arguments: ["llama31-gqa-bf16", "qwen2-window-bf16", "qwen2-shards-f16"], TestBackend.all)
    func convertedToFloat32AtLoadLogitsAreExact(name: String, backend: TestBackend) throws {
        let golden = try GoldenModel(name)
        let run = try ModelRun(golden.files, backend.make(), dtype: .float32)
        #expect(run.model.weightDType == .float32)
        #expect(run.model.kvLayout(pageSize: 16).dtype == .float32)
        let logits = run.logits(golden.prompt, chunk: 80, pages: ModelRun.pages(0, tokens: golden.prompt.count))
        let difference = largestDifference(logits, golden.logits)
        #expect(difference <= 1e-4, "largest difference \(difference)")
    }

    @Test(arguments: [DType.bfloat16, .float16], TestBackend.all)
    func convertedToHalfPrecisionAtLoadLogitsAreNear(dtype: DType, backend: TestBackend) throws {
        let golden = try GoldenModel("qwen3-f32")
        let run = try ModelRun(golden.files, backend.make(), dtype: dtype)
        #expect(run.model.weightDType == dtype)
        let logits = run.logits(golden.prompt, chunk: 80, pages: ModelRun.pages(0, tokens: golden.prompt.count))
        let difference = largestDifference(logits, golden.logits)
        #expect(difference <= (dtype == .bfloat16 ? 0.25 : 0.03), "largest difference \(difference)")
        #expect(difference > 1e-4, "the weights were not converted")
    }

    @Test func logitsComeForTheSampledRowsOnly() throws {
        let golden = try GoldenModel("llama-mha-f32")
        let run = try ModelRun(golden.files, ReferenceBackend())
        let pages = ModelRun.pages(0, tokens: golden.prompt.count)
        let wanted = [2, 3, 79]
        let rows = run.step([.init(tokens: golden.prompt, start: 0, pages: pages)]) { wanted.contains($1) }[0]
        #expect(largestDifference(rows, wanted.map { golden.logits[$0] }) <= 1e-4)
        // A chunk that samples nothing still writes its keys and values.
        _ = run.step([.init(tokens: Array(golden.prompt[..<79]), start: 0, pages: [20, 21, 22, 23, 24])]) { _, _ in
            false
        }
        let last = run.step([.init(tokens: [golden.prompt[79]], start: 79, pages: [20, 21, 22, 23, 24])])[0]
        #expect(largestDifference(last, [golden.logits[79]]) <= 1e-4)
    }
}
