import Checkpoint
import Compute
import Models
import Tensors
import Testing

/// Experts that a checkpoint stores as one tensor are those that it could have stored one by one.
@Suite struct StackedExpertsTests {
    /// A safetensors file.
    private func file(_ tensors: [(name: String, shape: [Int], bytes: [UInt8])]) -> [UInt8] {
        var offset = 0
        let entries = tensors.map { tensor in
            defer { offset += tensor.bytes.count }
            return "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),"
                + "\"data_offsets\":[\(offset),\(offset + tensor.bytes.count)]}"
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + tensors.flatMap(\.bytes)
    }

    /// The fixture with the experts of each layer in two tensors, gate above up.
    private func stacked(_ name: String) throws -> ModelFiles {
        let golden = try GoldenModel(name)
        let source = try SafetensorsFile(try #require(try golden.files.mapped("model.safetensors")))
        let count = try #require(try ModelLoader.spec(golden.files).experts[0]).count
        var tensors: [(name: String, shape: [Int], bytes: [UInt8])] = []
        for name in source.names where !name.contains(".experts.") {
            let view = try source.tensor(name)
            tensors.append((name, view.shape, Array(view.bytes)))
        }
        for layer in 0..<2 {
            let stem = "model.layers.\(layer).mlp.experts."
            for (stack, parts) in [("gate_up_proj", ["gate_proj", "up_proj"]), ("down_proj", ["down_proj"])] {
                var bytes: [UInt8] = []
                var shape = [count, 0, 0]
                for expert in 0..<count {
                    for part in parts {
                        let view = try source.tensor("\(stem)\(expert).\(part).weight")
                        bytes += view.bytes
                        shape = [count, parts.count * view.shape[0], view.shape[1]]
                    }
                }
                tensors.append((stem + stack, shape, bytes))
            }
        }
        let config = try #require(try golden.files.contents(of: "config.json"))
        return TestConfiguration.memory([("config.json", config), ("model.safetensors", file(tensors))])
    }

    @Test(arguments: TestBackend.all) func aStackGivesTheSameBits(backend: TestBackend) throws {
        let golden = try GoldenModel("qwen3-moe-f32")
        func logits(_ files: ModelFiles) throws -> [[UInt32]] {
            let run = try ModelRun(files, backend.make())
            return run.logits(golden.prompt, chunk: 80, pages: ModelRun.pages(0, tokens: golden.prompt.count))
                .map { $0.map(\.bitPattern) }
        }
        #expect(try logits(stacked("qwen3-moe-f32")) == logits(golden.files))
    }

    @Test func progressCountsEachByteOnce() throws {
        let files = try GoldenModel("gpt-oss-mxfp4").files
        var last: LoadProgress?
        _ = try ModelLoader.load(
            files, backend: ReferenceBackend(), limits: ModelLimits(maximumRows: 1, maximumSampledRows: 1)
        ) { last = $0 }
        #expect(last?.loadedBytes == last?.totalBytes && last?.unusedTensors == [])
    }

    @Test func aStackOfAnImpossibleShapeIsNamed() throws {
        let config = try #require(try GoldenModel("qwen3-moe-f32").files.contents(of: "config.json"))
        for (shape, expected) in [([6, 3, 32], "as many outputs of gate as of up"), ([6, 32], "a matrix for each")] {
            let bytes = [UInt8](repeating: 0, count: 4 * shape.reduce(1, *))
            let files = TestConfiguration.memory([
                ("config.json", config),
                ("model.safetensors", file([("model.layers.0.mlp.experts.gate_up_proj", shape, bytes)])),
            ])
            let error = #expect(throws: CheckpointError.self) { try ModelLoader.verify(files) }
            #expect(
                error?.description.contains(expected) == true
                    && error?.description.contains("model.layers.0.mlp.experts.gate_up_proj") == true,
                "\(error?.description ?? "")")
        }
    }
}
