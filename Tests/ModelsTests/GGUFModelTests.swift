import Checkpoint
import Models
import Tensors
import Testing

/// The golden checkpoints written as GGUF give the same logits; see Tools/make_gguf_goldens.py.
@Suite struct GGUFModelTests {
    private static let names = [
        "llama31-gqa-bf16", "qwen3-f32", "qwen2-shards-f16", "gemma2-f32", "gemma3-old-f32", "phi3-longrope-f32",
        "olmo2-f32", "glm4-f32", "smollm3-f32", "granite-f32", "granite-moe-f32", "mixtral-f32", "qwen2-moe-f32",
        "qwen3-moe-f32",
        "deepseek-v2-lite-f32", "deepseek-v3-f32", "gpt-oss-mxfp4",
    ]

    @Test(arguments: names, TestBackend.all)
    func logitsAreThoseOfTheCheckpoint(name: String, backend: TestBackend) throws {
        let golden = try GoldenModel(name)
        let files = try ModelFiles.at(GoldenModel.fixtures + "/gguf/\(name).gguf")
        let run = try ModelRun(files, backend.make(), dtype: .float32)
        let pages = ModelRun.pages(3, tokens: golden.prompt.count + golden.continuation.count)
        let logits = run.logits(golden.prompt, chunk: golden.prompt.count, pages: pages)
        let difference = largestDifference(logits, golden.logits)
        #expect(difference <= 1e-4, "largest difference \(difference)")
    }

    @Test func configurationsAreThoseOfTheCheckpoint() throws {
        for name in Self.names {
            let files = try ModelFiles.at(GoldenModel.fixtures + "/gguf/\(name).gguf")
            var made = try ModelLoader.spec(files)
            let stored = try ModelLoader.spec(GoldenModel(name).files)
            if name.hasPrefix("llama") {
                // The file has the factors that the scaling comes to.
                guard case .factors = made.rope.scaling else {
                    Issue.record("\(made.rope)")
                    continue
                }
                made.rope = stored.rope
            }
            if name.hasPrefix("phi3") {
                guard case .longrope(let rope) = made.rope.scaling, case .longrope(let own) = stored.rope.scaling else {
                    Issue.record("\(made.rope)")
                    continue
                }
                #expect(rope.factors.map { Float($0) } == own.factors.map { Float($0) })
                made.rope = stored.rope
            }
            if name.hasPrefix("deepseek-v3") {
                // The file has a tenth of mscale as float32.
                guard case .yarn(let rope) = made.rope.scaling else {
                    Issue.record("\(made.rope)")
                    continue
                }
                #expect(abs((rope.mscaleAllDimensions ?? 0) - 1) < 1e-6)
                #expect(abs(made.attentionScale - stored.attentionScale) < 1e-6)
                (made.rope, made.attentionScale) = (stored.rope, stored.attentionScale)
            }
            // Its scale is in the weights: the format has no place for another than the head's.
            if name.hasPrefix("gemma2") { made.attentionScale = stored.attentionScale }
            // The file stores it as float32.
            #expect(abs(made.normEpsilon - stored.normEpsilon) < 1e-10)
            made.normEpsilon = stored.normEpsilon
            #expect(made == stored, "\(name)")
        }
    }
}
