/// Architectures of GGUF files that are read, as `general.architecture` names them, with what llama.cpp's converter
/// changes of each.
enum GGUFArchitecture: String, Sendable, CaseIterable {
    case llama, qwen2, qwen2moe, qwen3, qwen3moe, gemma2, gemma3, phi3, olmo2, glm4, smollm3, granite, granitemoe
    case deepseek2
    case gptOss = "gpt-oss"

    /// In `architectures` of `config.json`. Two families that share an architecture are told apart by their metadata.
    func huggingFace(hasExperts: Bool, usesSigmoid: Bool) -> String {
        switch self {
        case .llama: hasExperts ? "MixtralForCausalLM" : "LlamaForCausalLM"
        case .qwen2: "Qwen2ForCausalLM"
        case .qwen2moe: "Qwen2MoeForCausalLM"
        case .qwen3: "Qwen3ForCausalLM"
        case .qwen3moe: "Qwen3MoeForCausalLM"
        case .gemma2: "Gemma2ForCausalLM"
        case .gemma3: "Gemma3ForCausalLM"
        case .phi3: "Phi3ForCausalLM"
        case .olmo2: "Olmo2ForCausalLM"
        case .glm4: "Glm4ForCausalLM"
        case .smollm3: "SmolLM3ForCausalLM"
        case .granite: "GraniteForCausalLM"
        case .granitemoe: "GraniteMoeForCausalLM"
        case .deepseek2: usesSigmoid ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM"
        case .gptOss: "GptOssForCausalLM"
        }
    }

    /// Rows of q and k are laid so that neighbours turn together.
    var interleavesHeads: Bool {
        switch self {
        case .llama, .smollm3, .granite, .granitemoe: true
        default: false
        }
    }

    /// What the converter has added to the weights of norms.
    var normOffset: Float { self == .gemma2 || self == .gemma3 ? 1 : 0 }

    /// Modules of a layer that are called otherwise than in most architectures.
    var modules: [String: String] {
        switch self {
        case .gemma2, .gemma3:
            [
                "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
                "post_ffw_norm": "post_feedforward_layernorm",
            ]
        case .olmo2:
            ["post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm"]
        case .glm4:
            [
                "post_attention_norm": "post_self_attn_layernorm", "post_ffw_norm": "post_mlp_layernorm",
                "ffn_up": "mlp.gate_up_proj",
            ]
        case .phi3: ["ffn_up": "mlp.gate_up_proj"]
        case .gptOss: ["post_attention_norm": "post_attention_layernorm", "ffn_gate_inp": "mlp.router"]
        case .deepseek2:
            [
                "ffn_gate_shexp": "mlp.shared_experts.gate_proj", "ffn_up_shexp": "mlp.shared_experts.up_proj",
                "ffn_down_shexp": "mlp.shared_experts.down_proj",
            ]
        case .llama: ["ffn_gate_inp": "block_sparse_moe.gate"]
        case .granitemoe: ["ffn_gate_inp": "block_sparse_moe.router.layer"]
        default: [:]
        }
    }

    /// Module of a layer's experts, and the matrices of one of them, by the names of their stacks.
    var experts: (module: String, matrices: [String: String]) {
        switch self {
        case .llama:
            ("block_sparse_moe.experts", ["ffn_gate_exps": "w1", "ffn_up_exps": "w3", "ffn_down_exps": "w2"])
        default:
            (
                self == .granitemoe ? "block_sparse_moe.experts" : "mlp.experts",
                ["ffn_gate_exps": "gate_proj", "ffn_up_exps": "up_proj", "ffn_down_exps": "down_proj"]
            )
        }
    }
}
