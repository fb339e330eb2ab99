import Checkpoint
import Compute
import FoundationEssentials
import Models
import Tensors
import Testing

/// Encoders and rerankers against transformers, on every backend; see Tools/make_encoder_goldens.py.
struct EncoderTests {
    private struct Text: Decodable {
        var tokens: [Int32]
        var types: [Int32]
        var vectors: [String: [Float]]?
        var score: Float?
    }

    private static let encoders = ["encoder-bert", "encoder-xlmr"]
    private static let rerankers = ["encoder-bert-reranker", "encoder-roberta-reranker"]

    private func load(_ name: String, _ backend: TestBackend, rows: Int = 400) throws -> (TextEncoder, [Text]) {
        let files = try ModelFiles.directory(GoldenModel.fixtures + "/" + name)
        let made = try #require(try backend.make() as? any EncoderBackend)
        let encoder = try EncoderLoader.load(files, backend: made, rows: rows, texts: 16)
        let json = try #require(try files.contents(of: "golden.json"))
        return (encoder, try JSONDecoder().decode([Text].self, from: Data(json)))
    }

    private func inputs(_ texts: [Text], _ encoder: TextEncoder) -> [EncoderInput] {
        texts.map { EncoderInput(tokens: $0.tokens, types: encoder.spec.typeCount > 1 ? $0.types : []) }
    }

    @Test(arguments: encoders, TestBackend.all)
    func vectorsAreThoseOfTransformers(name: String, backend: TestBackend) throws {
        let (encoder, texts) = try load(name, backend)
        let pooling: [String: SentenceModules.Pooling] = ["mean": .mean, "cls": .cls, "max": .max, "last": .last]
        for key in try #require(texts[0].vectors).keys.sorted() {
            let made = encoder.vectors(inputs(texts, encoder), pooling: try #require(pooling[key]))
            let wanted = texts.map { $0.vectors?[key] ?? [] }
            #expect(largestDifference(made, wanted) < 3e-5, "\(key)")
        }
    }

    @Test(arguments: encoders + rerankers) func progressRunsFromNothingToAll(name: String) throws {
        let files = try ModelFiles.directory(GoldenModel.fixtures + "/" + name)
        var steps: [LoadProgress] = []
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        _ = try EncoderLoader.load(files, backend: backend, rows: 16, texts: 2) { steps.append($0) }
        let last = try #require(steps.last)
        #expect(steps[0].loadedBytes == 0 && last.loadedBytes == last.totalBytes && last.totalBytes > 0)
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.loadedBytes <= $1.loadedBytes })
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.packedBytes <= $1.packedBytes })
        #expect(steps.count > 20 && last.packedBytes > 0)
    }

    @Test(arguments: rerankers, TestBackend.all)
    func scoresAreThoseOfTransformers(name: String, backend: TestBackend) throws {
        let (encoder, texts) = try load(name, backend)
        let made = encoder.scores(inputs(texts, encoder))
        #expect(largestDifference([made], [texts.map { $0.score ?? .nan }]) < 3e-5)
    }

    @Test(arguments: encoders, TestBackend.processors)
    func aTextKeepsItsBitsInAnyCompany(name: String, backend: TestBackend) throws {
        let (encoder, texts) = try load(name, backend)
        let all = inputs(texts, encoder)
        let together = encoder.vectors(all, pooling: .mean)
        #expect(encoder.vectors(all.reversed(), pooling: .mean) == together.reversed())
        for (input, vector) in zip(all, together) { #expect(encoder.vectors([input], pooling: .mean) == [vector]) }
        #expect(encoder.vectors([all[5], all[5]], pooling: .mean) == [together[5], together[5]])
    }

    @Test(arguments: TestBackend.all)
    func aDecodersLastStateAndItsProjectionAreThoseOfTransformers(backend: TestBackend) throws {
        let files = try ModelFiles.directory(GoldenModel.fixtures + "/embedding-qwen3")
        // Saved without its head: enough for states, not for text.
        #expect(throws: ModelError.self) { try ModelLoader.verify(files) }
        try ModelLoader.verify(files, needsOutput: false)
        let modules = try #require(try SentenceModules.read(files))
        #expect(modules.pooling == .last && modules.normalizes && modules.dense.count == 1)
        let made = try backend.make()
        let model = try ModelLoader.load(
            files, backend: made, limits: ModelLimits(maximumRows: 64, maximumSampledRows: 1), needsOutput: false)
        let projection = try VectorProjection(modules, hidden: model.hiddenSize)
        #expect(projection.dimensions == 8)
        let cache = try made.makeKVCache(model.kvLayout(pageSize: 16), pages: 4)
        let json = try #require(try files.contents(of: "golden.json"))
        for text in try JSONDecoder().decode([Text].self, from: Data(json)) {
            var context = ForwardContext()
            context.tokens = text.tokens
            context.positions = text.tokens.indices.map { Int32($0) }
            context.sequences = [
                SequenceSpan(firstRow: 0, rowCount: text.tokens.count, startPosition: 0, firstPage: 0, pageCount: 4)
            ]
            context.pageTable = [0, 1, 2, 3]
            context.sampledRows = [Int32(text.tokens.count - 1)]
            made.beginStep()
            _ = model.forward(context, cache: cache)
            made.endStep()
            let state = made.read(model.sampledStates, row: 0)
            let wanted = try #require(text.vectors)
            #expect(largestDifference([state], [wanted["last"] ?? []]) < 3e-5)
            #expect(largestDifference([projection.apply(state)], [wanted["finished"] ?? []]) < 3e-5)
        }
    }

    @Test func projectionsComeAfterThePoolingAndLengthLast() throws {
        let modules = SentenceModules(pooling: .mean, dense: [], normalizes: true)
        let projection = try VectorProjection(modules, hidden: 2)
        #expect(projection.apply([3, 4]) == [0.6, 0.8])
        #expect(projection.apply([0, 0]) == [0, 0])
        #expect(projection.dimensions == 2)
    }

    @Test func aMissingTensorAndAWrongShapeAreNamed() throws {
        let files = try ModelFiles.directory(GoldenModel.fixtures + "/encoder-bert")
        let spec = try EncoderSpec.read(files)
        #expect(spec.contextLength == 80 && spec.headDimension == 8 && spec.head == nil)
        let config = String(decoding: try #require(try files.contents(of: "config.json")), as: UTF8.self)
        let weights = try #require(try files.contents(of: "model.safetensors"))
        func thrown(_ old: String, _ new: String) throws -> String {
            let changed = config.replacing(old, with: new)
            #expect(changed != config)
            return try Array(changed.utf8).withUnsafeBytes { config in
                try weights.withUnsafeBytes { weights in
                    let files = ModelFiles.embedded(
                        [("config.json", config), ("model.safetensors", weights)], description: "test")
                    do {
                        _ = try EncoderLoader.load(files, backend: ReferenceBackend(), rows: 8, texts: 1)
                        return "nothing"
                    } catch { return "\(error)" }
                }
            }
        }
        #expect(try thrown(#""num_hidden_layers": 2"#, #""num_hidden_layers": 3"#).contains("encoder.layer.2."))
        #expect(try thrown(#""intermediate_size": 48"#, #""intermediate_size": 40"#).contains("intermediate.dense"))
        #expect(try thrown(#""hidden_act": "gelu""#, #""hidden_act": "mish""#).contains("hidden_act"))
        #expect(try thrown(#""num_attention_heads": 4"#, #""num_attention_heads": 8"#).contains("hidden_size"))
    }
}
