import Checkpoint
import Compute
import Models
import Tensors
import Testing

/// What happens to checkpoints that are not the model their configuration promises.
@Suite struct LoadingTests {
    private typealias Tensor = (name: String, type: String, shape: [Int])

    /// Tensors of the configuration in `TestConfiguration`, untied.
    private static func tensors(type: String = "F32") -> [Tensor] {
        var result: [Tensor] = [
            ("model.embed_tokens.weight", type, [96, 32]), ("model.norm.weight", type, [32]),
            ("lm_head.weight", type, [96, 32]),
        ]
        for layer in 0..<2 {
            let name = "model.layers.\(layer)."
            for part in ["q_proj", "k_proj", "v_proj", "o_proj"] {
                result.append((name + "self_attn.\(part).weight", type, [32, 32]))
            }
            result.append((name + "mlp.gate_proj.weight", type, [64, 32]))
            result.append((name + "mlp.up_proj.weight", type, [64, 32]))
            result.append((name + "mlp.down_proj.weight", type, [32, 64]))
            result.append((name + "input_layernorm.weight", type, [32]))
            result.append((name + "post_attention_layernorm.weight", type, [32]))
        }
        return result
    }

    private func load(
        _ tensors: [Tensor], _ members: String = "", dtype: DType? = nil, backend: any Backend = ReferenceBackend(),
        progress: (LoadProgress) -> Void = { _ in }
    ) throws -> any Model {
        let files = try TestConfiguration.files(
            members, others: [("model.safetensors", TestConfiguration.weights(tensors))])
        return try ModelLoader.load(
            files, backend: backend, limits: ModelLimits(maximumRows: 4, maximumSampledRows: 2), dtype: dtype,
            progress: progress)
    }

    private func error(_ body: () throws -> Void) -> any Error {
        struct NoError: Error {}
        do { try body() } catch { return error }
        return NoError()
    }

    @Test func aWholeCheckpointLoads() throws {
        let model = try load(Self.tensors())
        #expect(model.architecture == "LlamaForCausalLM")
        #expect(model.vocabularySize == 96)
        #expect(model.contextLength == 256)
        #expect(model.maximumRows == 4)
        #expect(model.maximumSampledRows == 2)
        #expect(model.weightDType == .float32)
        #expect(
            model.kvLayout(pageSize: 32)
                == KVLayout(layers: 2, keyValueHeads: 4, headDimension: 8, pageSize: 32, dtype: .float32))
    }

    @Test func progressRunsFromNothingToAll() throws {
        var steps: [LoadProgress] = []
        _ = try load(Self.tensors()) { steps.append($0) }
        let total = Self.tensors().reduce(0) { $0 + $1.shape.reduce(4, *) }
        #expect(steps.first == LoadProgress(loadedBytes: 0, totalBytes: total))
        // float32 is packed as it is.
        var all = LoadProgress(loadedBytes: total, totalBytes: total)
        all.packedBytes = total
        #expect(steps.last == all)
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.loadedBytes < $1.loadedBytes })
    }

    @Test(arguments: [
        ("MistralForCasualLM", "MistralForCausalLM"), ("Qwen2MoEForCausalLM", "Qwen2MoeForCausalLM"),
        ("LLaMAForCausalLM", "LlamaForCausalLM"),
    ])
    func anUnsupportedArchitectureIsAnsweredWithWhatIs(found: String, nearest: String) throws {
        // The rest of such a configuration may lack everything a decoder has.
        let files = TestConfiguration.memory([("config.json", Array(#"{"architectures": ["\#(found)"]}"#.utf8))])
        let thrown = error { _ = try ModelLoader.configuration(files) }
        let expected = ModelError.unsupportedArchitecture(
            file: "config.json (test)", found: [found],
            supported: ModelRegistry.architectures,
            nearest: nearest)
        #expect(thrown as? ModelError == expected)
        #expect("\(thrown)".contains("The nearest is \(nearest)"))
    }

    @Test func aModelForMoreThanTextIsItsDecoderOrNamesIt() throws {
        func files(_ text: String) -> ModelFiles { TestConfiguration.memory([("config.json", Array(text.utf8))]) }
        let seeing = """
            {"architectures": ["Gemma3ForConditionalGeneration"], "vision_config": {}, "text_config": {
            "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}}
            """
        // As published, what it leaves out is the family's.
        let spec = try ModelLoader.spec(files(seeing))
        #expect(spec.architecture == "Gemma3ForCausalLM" && spec.headCount == 8 && spec.headDimension == 256)
        #expect(spec.vocabularySize == 262_208 && spec.windows[..<6] == [1024, 1024, 1024, 1024, 1024, nil])
        let other = #"{"architectures": ["SightForCausalLM"], "text_config": {"model_type": "sight_text"}}"#
        let thrown = error { _ = try ModelLoader.spec(files(other)) }
        #expect(
            "\(thrown)".contains(
                "SightForCausalLM, with a decoder of type sight_text is not supported; supported are "),
            "\(thrown)")
    }

    @Test func theModelTypeServesWhereNoArchitectureIsNamed() throws {
        let files = try TestConfiguration.files(#""architectures": null, "model_type": "qwen3""#)
        #expect(try ModelLoader.spec(files).architecture == "Qwen3ForCausalLM")
    }

    @Test func missingTensorsAreAllNamed() throws {
        let gone = ["model.layers.1.mlp.up_proj.weight", "lm_head.weight"]
        let thrown = error { _ = try load(Self.tensors().filter { !gone.contains($0.name) }) }
        #expect(
            thrown as? ModelError == .missingTensors(source: "model.safetensors (test)", names: gone))
    }

    @Test func aWrongShapeIsRefusedBeforeAnythingIsPacked() throws {
        var tensors = Self.tensors()
        tensors[4].shape = [16, 64]
        var steps = 0
        let thrown = error { _ = try load(tensors) { _ in steps += 1 } }
        guard case .wrongShape(let name, _, let bytes, let expected, let found)? = thrown as? ModelError else {
            Issue.record("\(thrown)")
            return
        }
        #expect(name == "model.layers.0.self_attn.k_proj.weight")
        #expect(bytes.count == 4096)
        #expect(expected == [32, 32] && found == [16, 64])
        #expect(steps == 0)
    }

    @Test(arguments: ["F64", "I64", "F8_E4M3"]) func typesThatNoKernelReadsAreNamed(type: String) throws {
        var tensors = Self.tensors()
        tensors[6].type = type
        let thrown = error { _ = try load(tensors) }
        #expect(
            thrown as? ModelError
                == .unsupportedTensorType(
                    tensor: "model.layers.0.self_attn.o_proj.weight", file: "model.safetensors (test)", found: type,
                    supported: ["F32", "F16", "BF16"]))
    }

    @Test func biasesThatTheConfigurationDoesNotMentionAreRefused() throws {
        let bias: Tensor = ("model.layers.1.self_attn.q_proj.bias", "F32", [32])
        let thrown = error { _ = try load(Self.tensors() + [bias]) }
        #expect(
            thrown as? ModelError == .unexpectedTensors(source: "model.safetensors (test)", names: [bias.name]))
    }

    @Test func harmlessTensorsAreReportedOrIgnored() throws {
        var last: LoadProgress?
        let extra: [Tensor] = [
            ("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", [4]), ("score.weight", "F32", [2, 32]),
            ("model.layers.2.input_layernorm.weight", "F32", [32]),
        ]
        _ = try load(Self.tensors() + extra) { last = $0 }
        #expect(last?.unusedTensors == ["model.layers.2.input_layernorm.weight", "score.weight"])
    }

    @Test func tiedEmbeddingsExistOnce() throws {
        let backend = RecordingBackend()
        let untied = Self.tensors().filter { $0.name != "lm_head.weight" }
        _ = try load(untied, #""tie_word_embeddings": true"#, backend: backend)
        // Embedding, and for each of two layers qkv, o, gate/up, down.
        #expect(backend.packed == [[96], [32, 32, 32], [32], [64, 64], [32], [32, 32, 32], [32], [64, 64], [32]])
        // A copy of the embedding under the other name is not loaded either.
        let again = RecordingBackend()
        _ = try load(Self.tensors(), #""tie_word_embeddings": true"#, backend: again)
        #expect(again.packed.count == 9)
    }

    @Test func partsOfOneFusedMatrixMayHaveDifferentTypes() throws {
        var tensors = Self.tensors(type: "BF16")
        tensors[3].type = "F16"
        let model = try load(tensors)
        #expect(model.weightDType == .bfloat16)
    }

    @Test func aTypeThatIsNotFloatingIsRefused() throws {
        let thrown = error { _ = try load(Self.tensors(), dtype: .int8) }
        #expect(
            thrown as? ComputeError
                == .unsupportedDType(
                    tensor: "all weights", dtype: .int8, supported: [.float32, .float16, .bfloat16]))
    }

    @Test func aWeightTooLargeForTheTypeAskedForIsNamed() throws {
        var file = TestConfiguration.weights(Self.tensors())
        // The last element of the embedding, which is the first tensor.
        let header = 8 + file[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let end = header + 96 * 32 * 4
        let bits = Float(1e6).bitPattern
        for byte in 0..<4 { file[end - 4 + byte] = UInt8(truncatingIfNeeded: bits >> (8 * byte)) }
        let files = try TestConfiguration.files("", others: [("model.safetensors", file)])
        let limits = ModelLimits(maximumRows: 1, maximumSampledRows: 1)
        let thrown = error {
            _ = try ModelLoader.load(files, backend: ReferenceBackend(), limits: limits, dtype: .float16)
        }
        #expect(
            thrown as? ModelError
                == .doesNotFit(tensor: "model.embed_tokens.weight", value: 1e6, dtype: .float16))
        _ = try ModelLoader.load(files, backend: ReferenceBackend(), limits: limits, dtype: .bfloat16)
    }

    @Test(arguments: [
        (#""hidden_act": "relu""#, "hidden_act"), (#""head_dim": 12"#, "head_dim"),
        (#""hidden_size": 36, "num_attention_heads": 8"#, "hidden_size"),
        (#""rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}"#, "partial_rotary_factor"),
        (
            #""architectures": ["Gemma2ForCausalLM"], "use_bidirectional_attention": true"#,
            "use_bidirectional_attention"
        ),
        (
            #""architectures": ["Phi3ForCausalLM"], "rope_scaling": {"type": "linear", "factor": 2}"#,
            "rope_scaling.rope_type"
        ),
        (
            #""rope_parameters": {"full_attention": {}, "sliding_attention": {"rope_theta": 7}}"#,
            "rope_parameters.sliding_attention"
        ),
        (#""architectures": ["SmolLM3ForCausalLM"], "no_rope_layers": [1]"#, "no_rope_layers"),
        (
            #""architectures": ["Qwen2ForCausalLM"], "layer_types": ["full_attention", "linear_attention"]"#,
            "layer_types[1]"
        ),
        (
            #""architectures": ["Qwen3ForCausalLM"], "layer_types": ["sliding_attention", "full_attention"]"#,
            "layer_types[0]"
        ),
    ])
    func settingsThatDoNotRunAreNamed(members: String, key: String) throws {
        let thrown = error { _ = try ModelLoader.spec(TestConfiguration.files(members)) }
        guard case .unsupportedSetting(_, let found, _, _)? = thrown as? ModelError else {
            Issue.record("\(thrown)")
            return
        }
        #expect(found == key)
    }
}
