import Checkpoint
import Models
import Tensors
import Testing

/// The golden checkpoints written as GGUF give the same logits; see Tools/make_gguf_goldens.py.
@Suite struct GGUFModelTests {
    @Test(arguments: ["llama31-gqa-bf16", "qwen3-f32", "qwen2-shards-f16"], TestBackend.all)
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
        for name in ["llama31-gqa-bf16", "qwen3-f32", "qwen2-shards-f16"] {
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
            // The file stores it as float32.
            #expect(abs(made.normEpsilon - stored.normEpsilon) < 1e-12)
            made.normEpsilon = stored.normEpsilon
            #expect(made == stored)
        }
    }
}
