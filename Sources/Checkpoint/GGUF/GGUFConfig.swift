/// `config.json` of a GGUF model, from its metadata and the shapes of its tensors.
enum GGUFConfig {
    /// - Throws: `configuration` or `unsupported` with the metadata's key.
    static func json(_ model: GGUFFile) throws(CheckpointError) -> [UInt8] {
        let metadata = model.metadata
        func key(_ name: String) -> String { metadata.key(name) }
        var text = JSONText()
        text.open("{")
        text.member("architectures", raw: "[\"\(metadata.architecture.huggingFace)\"]")
        text.member("model_type", metadata.architecture.rawValue)
        text.member("hidden_size", try metadata.required(key("embedding_length")))
        text.member("intermediate_size", try metadata.required(key("feed_forward_length")))
        text.member("num_hidden_layers", try metadata.required(key("block_count")))
        let heads = try metadata.required(key("attention.head_count"))
        text.member("num_attention_heads", heads)
        text.member("num_key_value_heads", try metadata.integer(key("attention.head_count_kv")) ?? heads)
        if let size = try metadata.integer(key("attention.key_length")) { text.member("head_dim", size) }
        text.member("max_position_embeddings", try metadata.required(key("context_length")))
        if let epsilon = try metadata.number(key("attention.layer_norm_rms_epsilon")) {
            text.member("rms_norm_eps", raw: "\(epsilon)")
        }
        if let vocabulary = model.shape("model.embed_tokens.weight")?.first {
            text.member("vocab_size", vocabulary)
        }
        text.member("tie_word_embeddings", raw: model.shape("lm_head.weight") == nil ? "true" : "false")
        if model.shape("model.layers.0.self_attn.o_proj.bias") != nil { text.member("attention_bias", raw: "true") }
        if model.shape("model.layers.0.mlp.down_proj.bias") != nil { text.member("mlp_bias", raw: "true") }
        if metadata.architecture != .llama { text.member("use_sliding_window", raw: "false") }
        try rope(model, &text)
        if let begin = try metadata.integer("tokenizer.ggml.bos_token_id") { text.member("bos_token_id", begin) }
        var ends: [Int] = []
        for name in ["eos", "eot", "eom"] {
            if let end = try metadata.integer("tokenizer.ggml.\(name)_token_id"), !ends.contains(end) {
                ends.append(end)
            }
        }
        if !ends.isEmpty { text.member("eos_token_id", raw: "\(ends)") }
        text.close("}")
        return text.bytes
    }

    private static func rope(_ model: GGUFFile, _ text: inout JSONText) throws(CheckpointError) {
        let metadata = model.metadata
        if let theta = try metadata.number(metadata.key("rope.freq_base")) {
            text.member("rope_theta", raw: "\(theta)")
        }
        if let turned = try metadata.integer(metadata.key("rope.dimension_count")),
            let width = try metadata.integer(metadata.key("embedding_length")),
            let heads = try metadata.integer(metadata.key("attention.head_count")), heads > 0
        {
            let size = try metadata.integer(metadata.key("attention.key_length")) ?? width / heads
            if turned != size, size > 0 {
                text.member("partial_rotary_factor", raw: "\(Double(turned) / Double(size))")
            }
        }
        if let factors = try model.frequencyFactors() {
            text.member("rope_scaling", raw: "{\"rope_type\":\"frequency_factors\",\"factors\":\(factors)}")
            return
        }
        let type = try metadata.string(metadata.key("rope.scaling.type")) ?? "none"
        switch type {
        case "none": return
        case "linear", "yarn":
            let factor = try metadata.number(metadata.key("rope.scaling.factor")) ?? 1
            let original = try metadata.integer(metadata.key("rope.scaling.original_context_length"))
            let context = original.map { ",\"original_max_position_embeddings\":\($0)" } ?? ""
            text.member("rope_scaling", raw: "{\"rope_type\":\"\(type)\",\"factor\":\(factor)\(context)}")
        default:
            throw .unsupported(
                file: metadata.file.path, key: metadata.key("rope.scaling.type"), found: "\"\(type)\"",
                supported: "none, linear and yarn are supported")
        }
    }
}
