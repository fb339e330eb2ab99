import Compute
import Models
import TestSupport
import Testing

/// The logits of a token depend on its prefix and on nothing else, to the last bit.
@Suite struct BatchInvarianceTests {
    private static let models = [
        "llama31-gqa-bf16", "mistral-window-f32", "qwen2-shards-f16", "qwen3-f32", "gemma2-f32", "gemma3-bf16",
        "phi3-longrope-f32", "olmo2-f32", "glm4-f32", "smollm3-f32", "granite-f32", "mixtral-f32", "qwen2-moe-f32",
        "qwen3-moe-f32", "qwen3-moe-mixed-f32", "deepseek-v2-f32", "deepseek-v3-bf16", "gpt-oss-mxfp4",
    ]
    private static let length = 150

    private func prompts(_ model: any Model) -> [[Int32]] {
        var generator = SeededGenerator(seed: 7)
        // Lengths at, before and after the borders of pages and tiles.
        return [Self.length, 64, 33, 17, 1].map { length in
            (0..<length).map { _ in Int32.random(in: 0..<Int32(model.vocabularySize), using: &generator) }
        }
    }

    private func bits(_ logits: [[Float]]) -> [[UInt32]] { logits.map { $0.map(\.bitPattern) } }

    @Test(arguments: models, TestBackend.processors)
    func chunksDoNotMatter(name: String, backend: TestBackend) throws {
        let run = try ModelRun(GoldenModel(name).files, backend.make())
        let prompt = prompts(run.model)[0]
        let whole = bits(run.logits(prompt, chunk: prompt.count, pages: ModelRun.pages(0, tokens: prompt.count)))
        for chunk in [1, 7, 64] {
            let pages = ModelRun.pages(20, tokens: prompt.count)
            #expect(bits(run.logits(prompt, chunk: chunk, pages: pages)) == whole, "chunks of \(chunk)")
        }
    }

    @Test(arguments: models, TestBackend.processors)
    func threadsDoNotMatter(name: String, backend: TestBackend) throws {
        let files = try GoldenModel(name).files
        let found = try [1, 2, 3].map { threads in
            let run = try ModelRun(files, backend.make(threads: threads))
            let prompt = prompts(run.model)[0]
            return bits(run.logits(prompt, chunk: 64, pages: ModelRun.pages(0, tokens: prompt.count)))
        }
        #expect(found[1] == found[0] && found[2] == found[0])
    }

    /// All prompts together, in two orders, in chunks that begin at different times.
    @Test(arguments: models, TestBackend.processors)
    func neighboursDoNotMatter(name: String, backend: TestBackend) throws {
        let run = try ModelRun(GoldenModel(name).files, backend.make(), rows: 300)
        let prompts = prompts(run.model)
        let alone = prompts.map { bits(run.logits($0, chunk: $0.count, pages: ModelRun.pages(0, tokens: $0.count))) }
        func entry(_ index: Int, _ range: Range<Int>) -> ModelRun.Entry {
            let pages = [0, 10, 15, 19, 22][index]
            return .init(
                tokens: Array(prompts[index][range]), start: range.lowerBound,
                pages: ModelRun.pages(Int32(pages), tokens: prompts[index].count))
        }
        for order in [[0, 1, 2, 3, 4], [3, 4, 1, 0, 2]] {
            let together = run.step(order.map { entry($0, 0..<prompts[$0].count) })
            for (found, index) in zip(together, order) { #expect(bits(found) == alone[index], "order \(order)") }
        }
        // Chunks of 7 for the first, 1 for the second, 20 for the others; each begins at a step of its own.
        var done = [0, 0, 0, 0, 0]
        var found = [[[UInt32]]](repeating: [], count: 5)
        var step = 0
        while zip(done, prompts).contains(where: { $0 < $1.count }) {
            let active = (0..<5).filter { done[$0] < prompts[$0].count && step >= 2 * $0 }
            let ranges = active.map { done[$0]..<min(prompts[$0].count, done[$0] + [7, 1, 20, 20, 20][$0]) }
            let logits = run.step(zip(active, ranges).map { entry($0, $1) })
            for (index, rows) in zip(active, logits) { found[index] += bits(rows) }
            for (index, range) in zip(active, ranges) { done[index] = range.upperBound }
            step += 1
        }
        #expect(found == alone)
    }

    /// A prefix from the cache: two full pages shared, the third copied up to where the prompts part.
    @Test(arguments: models, TestBackend.processors)
    func cachedPrefixesDoNotMatter(name: String, backend: TestBackend) throws {
        let run = try ModelRun(GoldenModel(name).files, backend.make())
        let prompts = prompts(run.model)
        let common = 37
        let second = Array(prompts[0][..<common]) + prompts[1]
        let expected = bits(run.logits(second, chunk: second.count, pages: ModelRun.pages(0, tokens: second.count)))
        let first = ModelRun.pages(10, tokens: prompts[0].count)
        _ = run.logits(prompts[0], chunk: 150, pages: first)
        let own = ModelRun.pages(25, tokens: second.count)
        run.backend.copyPage(run.cache, from: first[2], to: own[2], tokens: common - 32)
        let rest = run.step([
            .init(tokens: Array(second[common...]), start: common, pages: [first[0], first[1]] + own[2...])
        ])[0]
        #expect(bits(rest) == Array(expected[common...]))
    }
}
