import Checkpoint
import Compute
import Models
import Testing

/// What a person reads when a checkpoint does not load: file, place, what was found, and what would do.
@Suite struct LoadingErrorTextTests {
    /// One layer of the configuration in `TestConfiguration`, tied.
    private static let members = #""num_hidden_layers": 1, "tie_word_embeddings": true"#

    private static var tensors: [(name: String, type: String, shape: [Int])] {
        let attention = ["q_proj", "k_proj", "v_proj", "o_proj"].map {
            (name: "model.layers.0.self_attn.\($0).weight", type: "BF16", shape: [32, 32])
        }
        return attention + [
            ("model.embed_tokens.weight", "BF16", [96, 32]), ("model.norm.weight", "BF16", [32]),
            ("model.layers.0.mlp.gate_proj.weight", "BF16", [64, 32]),
            ("model.layers.0.mlp.up_proj.weight", "BF16", [64, 32]),
            ("model.layers.0.mlp.down_proj.weight", "BF16", [32, 64]),
            ("model.layers.0.input_layernorm.weight", "BF16", [32]),
            ("model.layers.0.post_attention_layernorm.weight", "BF16", [32]),
        ]
    }

    private func text(_ files: ModelFiles) -> String {
        do {
            _ = try ModelLoader.load(
                files, backend: ReferenceBackend(), limits: ModelLimits(maximumRows: 1, maximumSampledRows: 1))
            return "loaded"
        } catch { return "\(error)" }
    }

    private func text(
        _ tensors: [(name: String, type: String, shape: [Int])] = tensors, _ members: String = members
    ) throws -> String {
        text(
            try TestConfiguration.files(
                members, others: [("model.safetensors", TestConfiguration.weights(tensors))]))
    }

    @Test func theWholeModelLoads() throws {
        #expect(try text() == "loaded")
    }

    @Test func anotherArchitecture() throws {
        #expect(
            try text(Self.tensors, #""architectures": ["LlamaForCausalLMs"]"#)
                == "config.json (test), architectures: LlamaForCausalLMs is not supported; supported are "
                + ModelRegistry.architectures.joined(separator: ", ") + ". The nearest is LlamaForCausalLM.")
        #expect(
            try text(Self.tensors, #""architectures": [], "model_type": null"#)
                .hasPrefix("config.json (test), architectures: nothing is not supported; supported are Llama"))
    }

    @Test func noWeightsAndNoConfiguration() throws {
        #expect(
            try text(TestConfiguration.files())
                == "test has no model.safetensors or model.safetensors.index.json. Supported are safetensors weights: "
                + "look for them beside these files, or convert with transformers' save_pretrained.")
        #expect(text(TestConfiguration.memory([])) == "test has no config.json.")
    }

    @Test func missingTensors() throws {
        let one = Self.tensors.filter { $0.name != "model.norm.weight" }
        #expect(
            try text(one)
                == "model.safetensors (test) lacks a tensor that config.json asks for: model.norm.weight.")
        // Many are counted, and the first of them named.
        let none = Self.tensors.filter { $0.name == "model.norm.weight" }
        let message = try text(none)
        #expect(
            message.hasPrefix("model.safetensors (test) lacks 10 tensors that config.json asks for: "), "\(message)")
        #expect(message.contains("model.embed_tokens.weight") && message.hasSuffix(", ...."), "\(message)")
    }

    @Test func aWrongShape() throws {
        var tensors = Self.tensors
        tensors[0].shape = [64, 16]
        let header = TestConfiguration.weights(tensors).count - tensors.reduce(0) { $0 + $1.shape.reduce(2, *) }
        #expect(
            try text(tensors)
                == "model.safetensors (test), tensor model.layers.0.self_attn.q_proj.weight, "
                + "bytes \(header)..<\(header + 2048): config.json asks for shape [32, 32], found [64, 16].")
    }

    @Test func quantizedWeights() throws {
        #expect(
            try text(Self.tensors, #""quantization_config": {"quant_method": "aqlm", "bits": 2}"#)
                == "config.json (test), quantization_config.quant_method: \"aqlm\" is not supported; supported are awq, "
                + "bitsandbytes, compressed-tensors, fbgemm_fp8, fp8, gptq, modelopt, mxfp4, and GGUF files.")
    }

    @Test func aTypeThatNoKernelReads() throws {
        var tensors = Self.tensors
        tensors[4].type = "I64"
        #expect(
            try text(tensors)
                == "model.safetensors (test), tensor model.embed_tokens.weight: type I64 is not supported; supported "
                + "are F32, F16, BF16.")
    }

    @Test func damagedWeights() throws {
        let weights = TestConfiguration.weights(Self.tensors)
        let files = try TestConfiguration.files(
            Self.members, others: [("model.safetensors", Array(weights.dropLast(1)))])
        let end = weights.count
        #expect(
            text(files)
                == "model.safetensors (test), tensor model.layers.0.post_attention_layernorm.weight, "
                + "bytes \(end - 64)..<\(end): expected bytes within the file, which ends at \(end - 1), found end at "
                + "\(Self.tensors.reduce(0) { $0 + $1.shape.reduce(2, *) }) after the header. "
                + "The file is damaged or incomplete: fetch it again.")
    }
}
