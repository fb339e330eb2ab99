/// `config.json` of a GGUF model, from its metadata and the shapes of its tensors.
struct GGUFConfig {
    private let model: GGUFFile
    private let metadata: GGUFMetadata
    private let architecture: GGUFArchitecture
    private var text = JSONText()

    /// - Throws: `configuration` or `unsupported` with the metadata's key.
    static func json(_ model: GGUFFile) throws(CheckpointError) -> [UInt8] {
        var config = GGUFConfig(model)
        try config.write()
        return config.text.bytes
    }

    private init(_ model: GGUFFile) {
        self.model = model
        metadata = model.metadata
        architecture = metadata.architecture
    }

    private func integer(_ key: String) throws(CheckpointError) -> Int? { try metadata.integer(metadata.key(key)) }
    private func number(_ key: String) throws(CheckpointError) -> Double? { try metadata.number(metadata.key(key)) }
    private func required(_ key: String) throws(CheckpointError) -> Int { try metadata.required(metadata.key(key)) }

    private func integer(_ key: String, or other: String) throws(CheckpointError) -> Int {
        guard let value = try integer(key) else { return try required(other) }
        return value
    }

    private func has(_ tensor: String) -> Bool { model.shape("model.layers.0.\(tensor)") != nil }

    /// A member for each key that the file has.
    private mutating func integers(_ members: [(name: String, key: String)]) throws(CheckpointError) {
        for member in members {
            if let value = try integer(member.key) { text.member(member.name, value) }
        }
    }

    private mutating func numbers(_ members: [(name: String, key: String)]) throws(CheckpointError) {
        for member in members {
            if let value = try number(member.key) { text.member(member.name, raw: "\(value)") }
        }
    }

    private mutating func write() throws(CheckpointError) {
        let experts = try integer("expert_count") ?? 0
        // 2: sigmoid, as in `llama.h`.
        let usesSigmoid = try integer("expert_gating_func") == 2
        text.open("{")
        let name = architecture.huggingFace(hasExperts: experts > 0, usesSigmoid: usesSigmoid)
        text.member("architectures", raw: "[\"\(name)\"]")
        text.member("model_type", architecture.rawValue)
        text.member("hidden_size", try required("embedding_length"))
        text.member("intermediate_size", try required("feed_forward_length"))
        text.member("num_hidden_layers", try required("block_count"))
        let heads = try required("attention.head_count")
        text.member("num_attention_heads", heads)
        text.member("num_key_value_heads", try integer("attention.head_count_kv") ?? heads)
        if architecture == .deepseek2 {
            try latentAttention()
        } else if let size = try integer("attention.key_length") {
            text.member("head_dim", size)
        }
        text.member("max_position_embeddings", try required("context_length"))
        try numbers([("rms_norm_eps", "attention.layer_norm_rms_epsilon")])
        if let vocabulary = model.shape("model.embed_tokens.weight")?.first { text.member("vocab_size", vocabulary) }
        text.member("tie_word_embeddings", raw: model.shape("lm_head.weight") == nil ? "true" : "false")
        if has("self_attn.o_proj.bias") {
            text.member("attention_bias", raw: "true")
        } else if architecture == .glm4 {
            text.member("attention_bias", raw: has("self_attn.q_proj.bias") ? "true" : "false")
        }
        if has("mlp.down_proj.bias") { text.member("mlp_bias", raw: "true") }
        try windows()
        try multipliers()
        if experts > 0 { try self.experts(experts) }
        try rope()
        try tokens()
        text.close("}")
    }

    private mutating func windows() throws(CheckpointError) {
        switch architecture {
        case .gemma2, .gemma3, .gptOss, .phi3:
            try integers([("sliding_window", "attention.sliding_window")])
            // A number, or which layers have the window.
            let key = metadata.key("attention.sliding_window_pattern")
            if let pattern = try? metadata.integers(key) {
                let types = pattern.map { $0 == 0 ? "\"full_attention\"" : "\"sliding_attention\"" }
                text.member("layer_types", raw: "[\(types.joined(separator: ","))]")
            } else if let pattern = try metadata.integer(key) {
                text.member("sliding_window_pattern", pattern)
            }
        case .llama: break
        default: text.member("use_sliding_window", raw: "false")
        }
    }

    private mutating func multipliers() throws(CheckpointError) {
        switch architecture {
        case .gemma2, .gemma3:
            text.member("attn_logit_softcapping", raw: try number("attn_logit_softcapping").map { "\($0)" } ?? "null")
            text.member("final_logit_softcapping", raw: try number("final_logit_softcapping").map { "\($0)" } ?? "null")
            // The largest models divide the width by heads instead, which their files do not say.
            let layers = try required("block_count")
            let isLargest = layers == (architecture == .gemma2 ? 46 : 62)
            let heads = max(1, try required("attention.head_count"))
            let width = try required("embedding_length") / heads
            let size = try integer("attention.key_length") ?? width
            text.member("query_pre_attn_scalar", isLargest ? width : size)
        case .granite, .granitemoe:
            try numbers([
                ("embedding_multiplier", "embedding_scale"), ("residual_multiplier", "residual_scale"),
                ("attention_multiplier", "attention.scale"), ("logits_scaling", "logit_scale"),
            ])
        default: break
        }
    }

    private mutating func latentAttention() throws(CheckpointError) {
        try integers([("q_lora_rank", "attention.q_lora_rank")])
        text.member("kv_lora_rank", try required("attention.kv_lora_rank"))
        let turned = try required("rope.dimension_count")
        text.member("qk_rope_head_dim", turned)
        // Files for absorbed attention state the cached sizes in the usual place.
        let key = try integer("attention.key_length_mla", or: "attention.key_length")
        text.member("qk_nope_head_dim", key - turned)
        text.member("v_head_dim", try integer("attention.value_length_mla", or: "attention.value_length"))
    }

    private mutating func experts(_ count: Int) throws(CheckpointError) {
        switch architecture {
        case .llama, .granitemoe, .gptOss: text.member("num_local_experts", count)
        case .deepseek2: text.member("n_routed_experts", count)
        default: text.member("num_experts", count)
        }
        try integers([
            ("num_experts_per_tok", "expert_used_count"), ("moe_intermediate_size", "expert_feed_forward_length"),
            ("shared_expert_intermediate_size", "expert_shared_feed_forward_length"),
        ])
        switch architecture {
        // Not said in the file.
        case .qwen2moe: text.member("norm_topk_prob", raw: "false")
        case .qwen3moe: text.member("norm_topk_prob", raw: "true")
        case .deepseek2:
            try integers([
                ("n_shared_experts", "expert_shared_count"), ("first_k_dense_replace", "leading_dense_block_count"),
                ("n_group", "expert_group_count"), ("topk_group", "expert_group_used_count"),
            ])
            try numbers([("routed_scaling_factor", "expert_weights_scale")])
            if try integer("expert_gating_func") == 2 {
                let normalizes = try metadata.boolean(metadata.key("expert_weights_norm")) ?? false
                text.member("norm_topk_prob", raw: "\(normalizes)")
            } else if try integer("expert_group_count") ?? 1 > 1 {
                text.member("topk_method", "group_limited_greedy")
            }
        default: break
        }
    }

    private mutating func rope() throws(CheckpointError) {
        try numbers([("rope_theta", "rope.freq_base"), ("rope_local_base_freq", "rope.freq_base_swa")])
        if architecture != .deepseek2, let turned = try integer("rope.dimension_count"),
            let heads = try integer("attention.head_count"), heads > 0
        {
            let width = try required("embedding_length")
            let size = try integer("attention.key_length") ?? width / heads
            if turned != size, size > 0 {
                text.member("partial_rotary_factor", raw: "\(Double(turned) / Double(size))")
            }
        }
        if let factors = try model.factors(GGUFNames.frequencyFactors) {
            text.member("rope_scaling", raw: "{\"rope_type\":\"frequency_factors\",\"factors\":\(factors)}")
            return
        }
        var members: [String] = []
        func add(_ name: String, _ value: Double?) {
            if let value { members.append("\"\(name)\":\(value)") }
        }
        let original = try integer("rope.scaling.original_context_length")
        if let original { members.append("\"original_max_position_embeddings\":\(original)") }
        if let short = try model.factors(GGUFNames.shortFactors), let long = try model.factors(GGUFNames.longFactors) {
            members += ["\"rope_type\":\"longrope\"", "\"short_factor\":\(short)", "\"long_factor\":\(long)"]
            add("attention_factor", try number("rope.scaling.attn_factor"))
        } else {
            let key = metadata.key("rope.scaling.type")
            let type = try metadata.string(key) ?? "none"
            if type == "none" { return }
            guard type == "linear" || type == "yarn" else {
                throw .unsupported(
                    file: metadata.file.path, key: key, found: "\"\(type)\"",
                    supported: "none, linear and yarn are supported")
            }
            members.append("\"rope_type\":\"\(type)\"")
            add("factor", try number("rope.scaling.factor") ?? 1)
            add("beta_fast", try number("rope.scaling.yarn_beta_fast"))
            add("beta_slow", try number("rope.scaling.yarn_beta_slow"))
            if architecture == .deepseek2, let scale = try number("rope.scaling.yarn_log_multiplier") {
                // A tenth of it is what the file has.
                add("mscale", 10 * scale)
                add("mscale_all_dim", 10 * scale)
            }
            if architecture == .gptOss { members.append("\"truncate\":false") }
        }
        text.member("rope_scaling", raw: "{\(members.joined(separator: ","))}")
    }

    private mutating func tokens() throws(CheckpointError) {
        if let begin = try metadata.integer("tokenizer.ggml.bos_token_id") { text.member("bos_token_id", begin) }
        var ends: [Int] = []
        for name in ["eos", "eot", "eom"] {
            if let end = try metadata.integer("tokenizer.ggml.\(name)_token_id"), !ends.contains(end) {
                ends.append(end)
            }
        }
        if !ends.isEmpty { text.member("eos_token_id", raw: "\(ends)") }
    }
}
