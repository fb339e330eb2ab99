import Checkpoint
import Testing

/// `config.json`: one meaning for each key, and errors that name the JSON path.
@Suite struct ConfigTests {
    private static let llama = """
        "architectures": ["LlamaForCausalLM"], "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "max_position_embeddings": 4096
        """

    private func read(_ text: String) throws -> ModelConfig {
        let directory = try TemporaryDirectory(["config.json": Array(text.utf8)])
        return try ModelConfig.read(ModelFiles.directory(directory.path))
    }

    /// The configuration above and further members, which win.
    private func config(_ members: String) throws -> ModelConfig {
        try read("{\(Self.llama)\(members.isEmpty ? "" : ", ")\(members)}")
    }

    /// The JSON path that the error names.
    private func key(_ body: () throws -> ModelConfig) -> String? {
        let error = #expect(throws: CheckpointError.self) { _ = try body() }
        switch error {
        case .configuration(let file, let key, _, _)?, .unsupported(let file, let key, _, _)?:
            #expect(file.hasSuffix("/config.json"))
            return key
        default: return nil
        }
    }

    @Test func whatIsNotSaidHasTheUsualMeaning() throws {
        let config = try config("")
        #expect(config.keyValueHeadCount == 32)
        #expect(config.headDimension == nil)
        #expect(config.normEpsilon == 1e-6)
        #expect(config.activation == "silu")
        #expect(config.rope == RopeParameters(theta: 10_000))
        #expect(!config.tiesEmbeddings)
        #expect(config.slidingWindow == .unspecified)
        #expect(config.contextLength == 4096)
        #expect(config.endOfSequenceIDs == [])
        #expect(try self.config(#""sliding_window": null, "head_dim": null"#).slidingWindow == .off)
    }

    @Test func valuesAreTakenAsWritten() throws {
        let config = try config(
            """
            "num_key_value_heads": 8, "head_dim": 128, "rms_norm_eps": 1e-05, "tie_word_embeddings": true,
            "attention_bias": true, "mlp_bias": false, "sliding_window": 4096.0, "use_sliding_window": true,
            "max_window_layers": 28, "eos_token_id": [2, 7], "rope_theta": 500000.0, "unknown": [1, {"a": null}],
            "vocab_size": 128256
            """)
        #expect(config.vocabularySize == 128_256)
        #expect(config.keyValueHeadCount == 8)
        #expect(config.headDimension == 128)
        #expect(config.normEpsilon == 1e-5)
        #expect(config.tiesEmbeddings)
        #expect(config.attentionBias == true && config.mlpBias == false)
        #expect(config.slidingWindow == .tokens(4096))
        #expect(config.usesSlidingWindow == true && config.maximumWindowLayers == 28)
        #expect(config.endOfSequenceIDs == [2, 7])
        #expect(config.rope.theta == 500_000)
    }

    @Test(arguments: [
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "max_position_embeddings",
    ])
    func aMissingSizeIsNamed(name: String) throws {
        #expect(key { try config("\"\(name)\": null") } == name)
    }

    @Test(arguments: [
        (#""hidden_size": "4096""#, "hidden_size"), (#""hidden_size": -1"#, "hidden_size"),
        (#""hidden_size": 0.5"#, "hidden_size"), (#""hidden_size": 1e300"#, "hidden_size"),
        (#""hidden_size": 99999999999999999999"#, "hidden_size"), (#""hidden_size": NaN"#, "hidden_size"),
        (#""num_key_value_heads": 5"#, "num_key_value_heads"), (#""num_key_value_heads": 64"#, "num_key_value_heads"),
        (#""num_key_value_heads": 0"#, "num_key_value_heads"), (#""rms_norm_eps": -1"#, "rms_norm_eps"),
        (#""rms_norm_eps": Infinity"#, "rms_norm_eps"), (#""tie_word_embeddings": "yes""#, "tie_word_embeddings"),
        (#""layer_types": ["full_attention"]"#, "layer_types"), (#""layer_types": [1]"#, "layer_types"),
        (#""eos_token_id": -1"#, "eos_token_id"), (#""eos_token_id": [1, "2"]"#, "eos_token_id"),
        (#""rope_theta": 0"#, "rope_theta"), (#""rope_scaling": "linear""#, "rope_scaling"),
        (#""rope_scaling": {"type": "linear"}"#, "rope_scaling.factor"),
        (#""rope_scaling": {"type": "linear", "factor": 0.5}"#, "rope_scaling.factor"),
        (#""rope_scaling": {"rope_type": "dynamic", "factor": 2}"#, "rope_scaling.rope_type"),
        (#""rope_scaling": {"type": "longrope", "factor": 2}"#, "rope_scaling.short_factor"),
        (#""rope_parameters": {"rope_type": "llama3", "factor": 8}"#, "rope_parameters.low_freq_factor"),
        (
            #""rope_parameters": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}"#,
            "rope_parameters.high_freq_factor"
        ),
        (
            #""rope_parameters": {"full_attention": {"rope_type": "default"}, "chunked_attention": {}}"#,
            "rope_parameters.chunked_attention"
        ),
        (#""quantization_config": {"quant_method": "awq", "version": "gemv"}"#, "quantization_config.version"),
        (#""quantization_config": {"quant_method": "hqq"}"#, "quantization_config.quant_method"),
    ])
    func anOddValueIsNamedByItsPath(members: String, path: String) throws {
        #expect(key { try config(members) } == path, "\(members)")
    }

    @Test func aModelForMoreThanTextGivesItsDecoder() throws {
        let nested = #"{"eos_token_id": [1, 7], "text_config": {\#(Self.llama), "eos_token_id": 1}}"#
        let found = try read(nested)
        #expect(found.hiddenSize == 4096 && found.endOfSequenceIDs == [1])
        // What the decoder does not say stands beside it, or is the family's.
        let beside = #"{"eos_token_id": [1, 7], "rms_norm_eps": 2, "text_config": {\#(Self.llama)}}"#
        #expect(key { try read(beside) } == "rms_norm_eps")
        let within = #"{"text_config": {\#(Self.llama), "rms_norm_eps": 2}}"#
        #expect(key { try read(within) } == "text_config.rms_norm_eps")
        // Sizes of its own make the outer object the decoder, whatever lies beside them.
        #expect(try config(#""text_config": {"hidden_size": 1}"#).hiddenSize == 4096)
    }

    @Test func theArchitectureIsReadAlone() throws {
        func identity(_ text: String) throws -> ModelIdentity {
            let directory = try TemporaryDirectory(["config.json": Array(text.utf8)])
            return try ModelIdentity.read(ModelFiles.directory(directory.path))
        }
        let both = try identity(#"{"architectures": ["A", "B"], "model_type": "a", "hidden_size": "odd"}"#)
        #expect(both.architectures == ["A", "B"] && both.modelType == "a")
        let neither = try identity(#"{"architectures": null}"#)
        #expect(neither.architectures == [] && neither.modelType == nil)
        for (text, message) in [
            (#"{"architectures": "A"}"#, #"architectures: expected a list of strings, found "A"."#),
            (#"{"architectures": ["A", 1]}"#, #"architectures: expected a list of strings, found ["A", 1]."#),
            (#"{"model_type": {}}"#, "model_type: expected a string, found an object."),
        ] {
            let error = #expect(throws: CheckpointError.self) { try identity(text) }
            #expect(error?.description.hasSuffix("/config.json, " + message) == true)
        }
    }

    @Test func messagesNameFileKeyExpectedAndFound() throws {
        for (members, message) in [
            (#""hidden_size": "4096""#, #"hidden_size: expected a whole number from 1 to 1048576, found "4096"."#),
            (#""vocab_size": null"#, "vocab_size: expected a whole number from 1 to 16777216, found null."),
            (
                #""num_key_value_heads": 5"#,
                "num_key_value_heads: expected a divisor of num_attention_heads (32), found 5."
            ),
            (
                #""eos_token_id": [1, "2"]"#,
                "eos_token_id: expected a whole number from 0 to 2147483647, or a list of them, "
                    + #"found [1, "2"]."#
            ),
            (#""tie_word_embeddings": "yes""#, #"tie_word_embeddings: expected true or false, found "yes"."#),
            (
                #""layer_types": ["full_attention"]"#,
                #"layer_types: expected one type for each of 32 layers, found ["full_attention"]."#
            ),
            (
                #""quantization_config": {"quant_method": "aqlm"}"#,
                "quantization_config.quant_method: \"aqlm\" is not supported; supported are awq, bitsandbytes, "
                    + "compressed-tensors, fbgemm_fp8, fp8, gptq, modelopt, mxfp4, and GGUF files."
            ),
        ] {
            let error = #expect(throws: CheckpointError.self) { try config(members) }
            #expect(error?.description.hasSuffix("/config.json, " + message) == true, "\(error?.description ?? "")")
        }
        let missing = #expect(throws: CheckpointError.self) { try read("{}") }
        #expect(
            missing?.description.hasSuffix(
                "/config.json, num_attention_heads: expected a whole number from 1 to 65536, found nothing.") == true)
    }

    @Test func unknownLayoutsAreRefusedByName() throws {
        let error = #expect(throws: CheckpointError.self) {
            try config(#""quantization_config": {"quant_method": "gptq", "checkpoint_format": "marlin"}"#)
        }
        #expect("\(error as Any)".contains("marlin"))
        // A file of an unquantized model may say so.
        _ = try config(#""quantization_config": null"#)
    }

    @Test func brokenFilesArePointedAt() throws {
        let error = #expect(throws: CheckpointError.self) { try read(#"{"vocab_size": 1,}"#) }
        guard case .malformedJSON(_, let offset, _, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(offset == 17 && found == "\"}\"")
        let directory = try TemporaryDirectory()
        #expect(throws: CheckpointError.missingFile(name: "config.json", directory: directory.path)) {
            try ModelConfig.read(ModelFiles.directory(directory.path))
        }
        #expect(key { try read("[]") } == "$")
    }

    @Test func ropeIsReadInBothNotations() throws {
        var yarn = RopeScaling.Yarn(factor: 4, originalContext: 32_768)
        #expect(
            try config(
                #""rope_theta": 1000000, "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}"#
            )
            .rope == RopeParameters(theta: 1_000_000, scaling: .yarn(yarn)))
        yarn.attentionFactor = 1.5
        yarn.mscale = 1
        yarn.mscaleAllDimensions = 0.5
        yarn.betaFast = 16
        yarn.truncates = false
        #expect(
            try config(
                """
                "rope_parameters": {"rope_type": "yarn", "rope_theta": 5000, "factor": 4, "beta_fast": 16,
                "attention_factor": 1.5, "mscale": 1.0, "mscale_all_dim": 0.5, "truncate": false,
                "original_max_position_embeddings": 32768}
                """
            ).rope == RopeParameters(theta: 5_000, scaling: .yarn(yarn)))
        // Null factor: by the two lengths; the original length beside the parameters.
        #expect(
            try config(#""original_max_position_embeddings": 1024, "rope_scaling": {"type": "yarn"}"#).rope.scaling
                == .yarn(RopeScaling.Yarn(factor: 4, originalContext: 1024)))
        #expect(
            try config(#""rope_scaling": {"rope_type": "default"}, "rope_theta": 7"#).rope == RopeParameters(theta: 7))
    }
}

/// `generation_config.json`.
@Suite struct GenerationDefaultsTests {
    private func read(_ generation: String?, config: String? = nil) throws -> GenerationDefaults {
        let directory = try TemporaryDirectory()
        if let generation { try directory.write("generation_config.json", Array(generation.utf8)) }
        if let config { try directory.write("config.json", Array(config.utf8)) }
        return try GenerationDefaults.read(ModelFiles.directory(directory.path))
    }

    @Test func advisedSamplingIsRead() throws {
        let defaults = try read(
            """
            {"bos_token_id": 151643, "do_sample": true, "eos_token_id": [151645, 151643], "repetition_penalty": 1.05,
             "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": 0, "max_new_tokens": 2048, "pad_token_id": -1}
            """, config: #"{"eos_token_id": 5}"#)
        var expected = GenerationDefaults()
        expected.endOfSequenceIDs = [151_645, 151_643]
        expected.beginOfSequenceID = 151_643
        expected.doSample = true
        expected.temperature = 0.7
        expected.topK = 20
        expected.topP = 0.8
        expected.minP = 0
        expected.repetitionPenalty = 1.05
        expected.maximumNewTokens = 2048
        #expect(defaults == expected)
    }

    @Test func theConfigurationSaysWhereTheFileDoesNot() throws {
        #expect(try read(nil) == GenerationDefaults())
        #expect(try read(nil, config: #"{"eos_token_id": 2, "bos_token_id": 1}"#).endOfSequenceIDs == [2])
        let mixed = try read(
            #"{"eos_token_id": 3, "temperature": null}"#, config: #"{"eos_token_id": 2, "bos_token_id": 1}"#)
        #expect(mixed.endOfSequenceIDs == [3] && mixed.beginOfSequenceID == 1 && mixed.temperature == nil)
    }

    @Test(arguments: [
        (#"{"temperature": -1}"#, "temperature"), (#"{"top_p": 0}"#, "top_p"), (#"{"top_p": 1.5}"#, "top_p"),
        (#"{"top_k": 2.5}"#, "top_k"), (#"{"min_p": 2}"#, "min_p"),
        (#"{"repetition_penalty": 0}"#, "repetition_penalty"),
        (#"{"eos_token_id": "</s>"}"#, "eos_token_id"), (#"{"do_sample": 1}"#, "do_sample"),
    ])
    func oddAdviceIsNamed(text: String, path: String) throws {
        let error = #expect(throws: CheckpointError.self) { try read(text) }
        guard case .configuration(let file, let key, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(key == path && file.hasSuffix("/generation_config.json"))
    }
}
