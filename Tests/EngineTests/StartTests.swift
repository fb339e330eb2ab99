import Checkpoint
import Compute
import Engine
import EngineInterface
import Models
import Synchronization
import Testing

/// What an engine does before it takes requests.
struct StartTests {
    @Test func tinyModelAnswers() async throws {
        let engine = try await Demo.start(TinyLlama().files())
        let answer = try await engine.answer(Demo.request("r", [1, 2, 3], tokens: 5) { $0.topLogprobs = 1 })
        #expect(answer.flaws == [] && answer.tokens.count == 5)
        #expect(answer.tokens.allSatisfy { $0.logprob?.isFinite == true })
        await engine.shutdown()
    }

    @Test func information() async throws {
        try await Demo.withEngine({
            $0.modelPath = "/models/demo"
            $0.maxTotalTokens = 1000
            $0.pageSize = 32
            $0.contextLength = 500
        }) { engine in
            let information = engine.information
            #expect(information.modelPath == "/models/demo")
            #expect(information.architecture == "LlamaForCausalLM")
            #expect(information.vocabularySize == 2048)
            #expect(information.contextLength == 500)
            #expect(information.poolTokens == 992 && information.pageSize == 32)
            #expect(information.dtype == "bfloat16")
            #expect(information.backend.hasPrefix("cpu (") && information.backend.hasSuffix("2 threads)"))
            #expect(information.endOfSequenceIDs == [0, 2])
            let statistics = await engine.statistics()
            #expect(statistics.totalPages == 31 && statistics.freePages == 31)
        }
    }

    /// One bad number anywhere is enough, and what was loaded so far is given back.
    @Test(arguments: [
        ("model.norm.weight", 5, Float.nan),
        ("model.layers.0.input_layernorm.weight", 0, Float.nan),
        ("model.layers.0.mlp.down_proj.weight", 100, Float.nan),
        ("model.layers.0.self_attn.v_proj.weight", 31, Float.infinity),
        ("model.embed_tokens.weight", 63 * 32, Float.nan),
    ])
    func damagedWeightsAreRefused(tensor: String, index: Int, value: Float) async throws {
        var model = TinyLlama()
        model.set(tensor, at: index, to: value)
        let gate = StepGate()
        do {
            _ = try await Demo.start(model.files(), gate: gate)
            Issue.record("the engine started with \(value) in \(tensor)")
        } catch EngineError.selfCheckFailed(let text) {
            #expect(text.contains("of 64 logits are not finite"))
        }
        #expect(await gate.backendIsGone())
    }

    @Test func wrongFilesAreRefused() async throws {
        await #expect(throws: CheckpointError.self) { try await Demo.start(TinyLlama().files(weights: false)) }
        var model = TinyLlama()
        model.remove("model.norm.weight")
        let files = model.files()
        await #expect(throws: ModelError.self) { try await Demo.start(files) }
    }

    @Test func wrongSettingsAreRefused() async throws {
        await #expect(throws: EngineError.pageSize(requested: 5, granularity: 16)) {
            try await Demo.start { $0.pageSize = 5 }
        }
        await #expect(throws: EngineError.contextLength(requested: 4096, model: 2048)) {
            try await Demo.start { $0.contextLength = 4096 }
        }
        await #expect(throws: EngineError.self) { try await Demo.start { $0.maxTotalTokens = 1 << 40 } }
        await #expect(throws: ComputeError.self) {
            try await EngineLoader.start(
                EngineConfiguration(modelPath: "demo"), files: Demo.files(), endOfSequenceIDs: [],
                backend: { throw ComputeError.outOfMemory(bytes: 1, purpose: "test") },
                availableMemory: { 1 << 30 }, progress: { _ in })
        }
    }

    @Test func progressIsReported() async throws {
        let stages = Stages()
        let engine = try await EngineLoader.start(
            EngineConfiguration(modelPath: "demo"), files: Demo.files(), endOfSequenceIDs: [],
            backend: { try CPUBackend(kernels: nil, threads: 1, pin: false) }, availableMemory: { 1 << 30 },
            progress: { stages.add($0) })
        await engine.shutdown()
        let names = stages.names.withLock { $0 }
        #expect(names.last == "ready" && names.dropLast().last == "selfCheck")
        #expect(names.dropLast(2).count > 2 && names.dropLast(2).allSatisfy { $0 == "weights" })
        #expect(stages.fractions.withLock { $0.last == 1 && $0 == $0.sorted() })
    }

    private final class Stages: Sendable {
        let names = Mutex<[String]>([])
        let fractions = Mutex<[Double]>([])

        func add(_ stage: EngineLoader.Stage) {
            switch stage {
            case .weights(let progress):
                names.withLock { $0.append("weights") }
                fractions.withLock { $0.append(Double(progress.loadedBytes) / Double(progress.totalBytes)) }
            case .note: names.withLock { $0.append("note") }
            case .selfCheck: names.withLock { $0.append("selfCheck") }
            case .ready: names.withLock { $0.append("ready") }
            }
        }
    }
}
