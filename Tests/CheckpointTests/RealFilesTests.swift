import Checkpoint
import Glibc
import Tensors
import Testing

/// Checkpoints that other programs wrote.
@Suite struct RealFilesTests {
    private static let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    private func numbersAreFinite(_ source: any WeightSource, _ name: String) throws -> Bool {
        try #require(try source.tensor(name).floats()).allSatisfy(\.isFinite)
    }

    @Test func theDemoModelListsItsTensors() throws {
        let files = try ModelFiles.directory(Self.repository + "/Models/demo")
        let config = try ModelConfig.read(files)
        let source = try ModelDirectory.weights(files)
        // Embedding and last norm; nine tensors of each layer; the output is the embedding.
        #expect(config.tiesEmbeddings)
        #expect(source.names.count == 2 + 9 * config.layerCount)
        for name in source.names {
            let information = try #require(source.information(name))
            #expect(information.typeName == "BF16" && information.dtype == .bfloat16, "\(name)")
            #expect(try numbersAreFinite(source, name), "\(name)")
        }
        let embedding = try source.tensor("model.embed_tokens.weight")
        #expect(embedding.shape == [config.vocabularySize, config.hiddenSize])
        #expect(
            source.information("model.layers.3.mlp.down_proj.weight")?.shape
                == [config.hiddenSize, config.intermediateSize])
        #expect(try ModelIdentity.read(files).architectures == ["LlamaForCausalLM"])
        #expect(try TokenizerConfig.read(files).chatTemplates.map(\.name) == ["default"])
        #expect(try !GenerationDefaults.read(files).endOfSequenceIDs.isEmpty)
    }

    @Test func storiesListsItsTensors() throws {
        let shared = getenv("RADISH_SHARED").map { String(cString: $0) } ?? Self.repository + "/../shared"
        let path = shared + "/models/stories260k"
        guard let files = try? ModelFiles.directory(path) else {
            print("SKIPPED: reading stories260k: no directory \(path)")
            return
        }
        let config = try ModelConfig.read(files)
        #expect(config.layerCount == 5 && config.vocabularySize == 512 && config.keyValueHeadCount == 4)
        #expect(config.headDimension == 8 && config.tiesEmbeddings && config.rope == RopeParameters(theta: 10_000))
        let source = try ModelDirectory.weights(files)
        #expect(source.names.count >= 2 + 9 * 5)
        for name in source.names {
            #expect(source.information(name)?.typeName == "F32", "\(name)")
            #expect(try numbersAreFinite(source, name), "\(name)")
        }
        #expect(source.information("model.layers.4.self_attn.k_proj.weight")?.shape == [32, 64])
        let defaults = try GenerationDefaults.read(files)
        #expect(defaults.beginOfSequenceID == 1 && defaults.endOfSequenceIDs == [2])
    }
}
