/// Tensor names of GGUF and of Hugging Face checkpoints.
enum GGUFNames {
    static let frequencyFactors = "rope_freqs.weight"

    private static let outer = [
        "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    ]
    private static let layer = [
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    ]

    /// `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; what is not known stays as it is.
    static func huggingFace(_ name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, let module = outer[parts[0]] { return "\(module).\(parts[1])" }
        if parts.count == 4, parts[0] == "blk", let module = layer[parts[2]] {
            return "model.layers.\(parts[1]).\(module).\(parts[3])"
        }
        return name
    }
}
