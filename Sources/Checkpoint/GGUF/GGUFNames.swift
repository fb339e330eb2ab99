/// Tensor names of GGUF and of Hugging Face checkpoints.
enum GGUFNames {
    /// Divisors of the rotary frequencies: Llama 3.1's, and Phi-3's for short and for long sequences.
    static let frequencyFactors = "rope_freqs.weight"
    static let shortFactors = "rope_factors_short.weight"
    static let longFactors = "rope_factors_long.weight"

    private static let outer = [
        "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    ]
    private static let layer = [
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_qkv": "self_attn.qkv_proj",
        "attn_q_a": "self_attn.q_a_proj", "attn_q_a_norm": "self_attn.q_a_layernorm", "attn_q_b": "self_attn.q_b_proj",
        "attn_kv_a_mqa": "self_attn.kv_a_proj_with_mqa", "attn_kv_a_norm": "self_attn.kv_a_layernorm",
        "attn_kv_b": "self_attn.kv_b_proj", "attn_k_b": "self_attn.k_b_proj", "attn_v_b": "self_attn.v_b_proj",
        "ffn_gate_inp": "mlp.gate", "ffn_gate_inp_shexp": "mlp.shared_expert_gate",
        "ffn_gate_shexp": "mlp.shared_expert.gate_proj", "ffn_up_shexp": "mlp.shared_expert.up_proj",
        "ffn_down_shexp": "mlp.shared_expert.down_proj",
    ]
    /// Tensors whose last part is not the same either.
    private static let whole = [
        "attn_sinks.weight": "self_attn.sinks", "exp_probs_b.bias": "mlp.gate.e_score_correction_bias",
    ]

    /// `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; what is not known stays as it is. One expert's
    /// matrix of a stack: `blk.3.ffn_up_exps.weight` → `model.layers.3.mlp.experts.7.up_proj.weight`.
    static func huggingFace(_ name: String, _ architecture: GGUFArchitecture, expert: Int? = nil) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, let module = outer[parts[0]] { return "\(module).\(parts[1])" }
        guard parts.count == 4, parts[0] == "blk" else { return name }
        let prefix = "model.layers.\(parts[1])."
        if let expert, let matrix = architecture.experts.matrices[parts[2]] {
            return "\(prefix)\(architecture.experts.module).\(expert).\(matrix).\(parts[3])"
        }
        if let tensor = whole["\(parts[2]).\(parts[3])"] { return prefix + tensor }
        if let module = architecture.modules[parts[2]] ?? layer[parts[2]] { return "\(prefix)\(module).\(parts[3])" }
        return name
    }

    /// A matrix of one row: the gate of the shared expert.
    static func isRow(_ name: String) -> Bool { name.hasSuffix(".ffn_gate_inp_shexp.weight") }

    /// One tensor for all experts of a layer.
    static func isStack(_ name: String) -> Bool {
        name.split(separator: ".").dropLast().last?.hasSuffix("_exps") == true
    }
}
