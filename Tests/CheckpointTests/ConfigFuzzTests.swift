import Checkpoint
import Testing

/// Damaged configuration: settings within the ranges that are promised, or an error that names the file.
@Suite struct ConfigFuzzTests {
    private static let config = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32000, "hidden_size": 4096,
        "intermediate_size": 11008, "num_hidden_layers": 2, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 131072, "head_dim": 128, "rms_norm_eps": 1e-05, "sliding_window": 4096,
        "rope_theta": 500000.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "beta_fast": 32, "mscale": 1,
        "original_max_position_embeddings": 32768}, "layer_types": ["full_attention", "full_attention"],
        "max_window_layers": 1, "eos_token_id": [2, 7], "bos_token_id": 1, "tie_word_embeddings": false}
        """
    private static let generation = """
        {"bos_token_id": 1, "eos_token_id": [2, 7], "do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8,
        "min_p": 0.05, "repetition_penalty": 1.05, "max_new_tokens": 2048}
        """
    private static let tokenizer = """
        {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": [{"name": "default",
        "template": "{{ messages[0].content }}\\n\\u00e9\\ud83c\\udf31"}, {"name": "tool_use", "template": "2"}]}
        """

    /// - Returns: whether it was accepted.
    private func survives(_ file: String, _ text: String, seed: UInt64, _ read: (ModelFiles) throws -> Void) throws
        -> Bool
    {
        var mutator = ByteMutator(seed: seed)
        var contents = Array(text.utf8)
        for _ in 0...mutator.below(3) {
            if mutator.below(3) == 0 { mutator.damage(&contents) } else { mutator.lie(in: &contents) }
        }
        let guarded = try GuardedBytes(contents)
        defer { withExtendedLifetime(guarded) {} }
        do {
            try read(ModelFiles.embedded([(file, guarded.bytes)], description: "fuzzed"))
            return true
        } catch let error as CheckpointError {
            #expect(error.description.hasPrefix("\(file) (fuzzed), "), "seed \(seed): \(error)")
            return false
        }
    }

    @Test func modelConfigurations() throws {
        let seeds: Range<UInt64> = 0xC0F_0000..<0xC0F_0000 + 4000
        var accepted = 0
        for seed in seeds {
            let note = Comment(rawValue: "seed \(seed)")
            let isAccepted = try survives("config.json", Self.config, seed: seed) { files in
                let config = try ModelConfig.read(files)
                #expect(config.headCount > 0 && config.headCount % config.keyValueHeadCount == 0, note)
                #expect(config.vocabularySize > 0 && config.hiddenSize > 0 && config.intermediateSize > 0, note)
                #expect(1...(1 << 28) ~= config.contextLength, note)
                #expect(config.rope.theta > 0 && config.rope.theta.isFinite, note)
                #expect(config.layerTypes.map { $0.count == config.layerCount } != false, note)
                #expect(config.endOfSequenceIDs.allSatisfy { $0 >= 0 }, note)
                _ = try ModelIdentity.read(files)
            }
            if isAccepted { accepted += 1 }
        }
        #expect(accepted > 200 && accepted < 3000, "\(accepted) of \(seeds.count) accepted")
    }

    @Test func generationDefaults() throws {
        let seeds: Range<UInt64> = 0x6E_0000..<0x6E_0000 + 3000
        var accepted = 0
        for seed in seeds {
            let note = Comment(rawValue: "seed \(seed)")
            let isAccepted = try survives("generation_config.json", Self.generation, seed: seed) { files in
                let defaults = try GenerationDefaults.read(files)
                #expect(defaults.endOfSequenceIDs.allSatisfy { $0 >= 0 }, note)
                #expect(defaults.temperature.map { $0 >= 0 && $0.isFinite } != false, note)
                #expect(defaults.topP.map { $0 > 0 && $0 <= 1 } != false, note)
                #expect(defaults.topK.map { $0 >= -1 } != false, note)
                #expect(defaults.maximumNewTokens.map { $0 > 0 } != false, note)
            }
            if isAccepted { accepted += 1 }
        }
        #expect(accepted > 200 && accepted < 2500, "\(accepted) of \(seeds.count) accepted")
    }

    @Test func tokenizerConfigurations() throws {
        let seeds: Range<UInt64> = 0x70_0000..<0x70_0000 + 3000
        var accepted = 0
        for seed in seeds {
            let isAccepted = try survives("tokenizer_config.json", Self.tokenizer, seed: seed) { files in
                _ = try TokenizerConfig.read(files)
            }
            if isAccepted { accepted += 1 }
        }
        #expect(accepted > 200 && accepted < 2500, "\(accepted) of \(seeds.count) accepted")
    }
}
