#!/usr/bin/env python3
"""Makes Tests/CheckpointTests/Fixtures/gguf and Tests/ModelsTests/Fixtures/gguf.

blocks.gguf: a tensor of random blocks of each quantized type, and in blocks.safetensors the float32 numbers that the
`gguf` package, the format's reference implementation, makes of them.

Models: the golden checkpoints of Tests/ModelsTests, written as GGUF the way llama.cpp's converter does (names, sizes
innermost first, rows of q and k interleaved for the Llama architecture). transformers' own GGUF reader confirms each: its
logits have to be those of golden.json's checkpoint, where it reads the architecture. Tensor names are those of the
package's own map. Tokenizers: the vocabularies of the demo model ("gpt2") and of
stories260K ("llama", from its SentencePiece scores where given), to be compared with their tokenizer.json.

    python -m venv venv && venv/bin/pip install torch transformers==5.23.0 accelerate gguf==0.19.0 safetensors
    venv/bin/python Tools/make_gguf_goldens.py      # names of golden checkpoints behind it: only these
"""
import json
import pathlib
import sys

import gguf
import numpy
import torch
import transformers
from gguf import GGMLQuantizationType as T
from safetensors.numpy import save_file
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "Tests/ModelsTests/Fixtures"
TYPES = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_NL, T.IQ4_XS, T.MXFP4]
# Where the half floats of a block stand: random bits there would be NaN now and then.
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: []}
# What the golden checkpoints are called as GGUF.
MODELS_AS_GGUF = {
    "llama31-gqa-bf16": "llama", "qwen3-f32": "qwen3", "qwen2-shards-f16": "qwen2", "gemma2-f32": "gemma2",
    "gemma3-old-f32": "gemma3", "phi3-longrope-f32": "phi3", "olmo2-f32": "olmo2", "glm4-f32": "glm4",
    "smollm3-f32": "smollm3", "granite-f32": "granite", "granite-moe-f32": "granitemoe", "mixtral-f32": "llama", "qwen2-moe-f32": "qwen2moe",
    "qwen3-moe-f32": "qwen3moe", "deepseek-v2-lite-f32": "deepseek2", "deepseek-v3-f32": "deepseek2",
    "gpt-oss-mxfp4": "gpt-oss",
}
# Rows of q and k are interleaved.
INTERLEAVED = {"llama", "smollm3", "granite", "granitemoe"}


def blocks(folder):
    generator = numpy.random.default_rng(1)
    writer = gguf.GGUFWriter(folder / "blocks.gguf", "llama")
    expected = {}
    for type in TYPES:
        size, width = gguf.GGML_QUANT_SIZES[type]
        rows, columns = 3, 2 if size == 256 else 4
        data = generator.integers(0, 256, (rows, columns, width), dtype=numpy.uint8)
        for place in HALVES[type]:
            half = (generator.standard_normal((rows, columns, 1)) * 0.1).astype(numpy.float16)
            data[:, :, place:place + 2] = half.view(numpy.uint8)
        if type == T.MXFP4:
            data[:, :, 0] = generator.integers(100, 140, (rows, columns))
        data = data.reshape(rows, columns * width)
        writer.add_tensor(type.name, data, raw_dtype=type)
        expected[type.name] = gguf.quants.dequantize(data, type).astype(numpy.float32)
        assert numpy.isfinite(expected[type.name]).all(), type
    for name, values in expected.items():
        expected[name] = numpy.ascontiguousarray(values)
    finish(writer)
    save_file(expected, folder / "blocks.safetensors")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def interleave(weight, heads):
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def metadata(writer, architecture, config):
    """What llama.cpp's converter writes of a configuration."""
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    head = config.get("head_dim") or hidden // heads
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    local = rope.get("sliding_attention", {}).get("rope_theta") or config.get("rope_local_base_freq")
    rope = rope.get("full_attention", rope)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(hidden)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
    writer.add_vocab_size(config["vocab_size"])
    if architecture == "deepseek2":
        query = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
        absorbed = config["model_type"] == "deepseek_v3"
        writer.add_head_count_kv(1 if absorbed else heads)
        if config["q_lora_rank"]:
            writer.add_q_lora_rank(config["q_lora_rank"])
        writer.add_kv_lora_rank(config["kv_lora_rank"])
        if absorbed:
            writer.add_key_length(config["kv_lora_rank"] + config["qk_rope_head_dim"])
            writer.add_value_length(config["kv_lora_rank"])
            writer.add_key_length_mla(query)
            writer.add_value_length_mla(config["v_head_dim"])
        else:
            writer.add_key_length(query)
            writer.add_value_length(config["v_head_dim"])
        writer.add_rope_dimension_count(config["qk_rope_head_dim"])
        writer.add_leading_dense_block_count(config["first_k_dense_replace"])
        writer.add_expert_count(config["n_routed_experts"])
        writer.add_expert_shared_count(config["n_shared_experts"])
        writer.add_expert_weights_scale(config["routed_scaling_factor"])
        writer.add_expert_weights_norm(config.get("norm_topk_prob", False))
        writer.add_expert_gating_func(
            gguf.ExpertGatingFuncType.SIGMOID if absorbed else gguf.ExpertGatingFuncType.SOFTMAX)
        if config["n_group"] > 1:
            writer.add_expert_group_count(config["n_group"])
            writer.add_expert_group_used_count(config["topk_group"])
    else:
        writer.add_head_count_kv(config["num_key_value_heads"])
        writer.add_key_length(head)
        writer.add_value_length(head)
        writer.add_rope_dimension_count(int(head * (config.get("partial_rotary_factor") or rope.get(
            "partial_rotary_factor", 1))))
        count = config.get("num_experts") or config.get("num_local_experts")
        if count:
            writer.add_expert_count(count)
    if config.get("num_experts_per_tok"):
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if config.get("moe_intermediate_size"):
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if config.get("shared_expert_intermediate_size"):
        writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    if architecture in ("gemma2", "gemma3", "gpt-oss", "phi3"):
        writer.add_sliding_window(config["sliding_window"])
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if architecture == "gemma3":
        writer.add_sliding_window_pattern(config["sliding_window_pattern"])
        writer.add_rope_freq_base_swa(local)
    if architecture in ("granite", "granitemoe"):
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])
    if rope.get("rope_type") == "llama3":
        from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
        loaded = transformers.AutoConfig.from_pretrained(MODELS / "llama31-gqa-bf16")
        scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](loaded, "cpu")
        plain = 1.0 / (loaded.rope_parameters["rope_theta"] ** (torch.arange(0, head, 2).float() / head))
        writer.add_tensor("rope_freqs.weight", (plain / scaled).numpy())
    if rope.get("rope_type") == "longrope":
        original = config["original_max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(original)
        scale = config["max_position_embeddings"] / original
        writer.add_rope_scaling_attn_factors((1 + numpy.log(scale) / numpy.log(original)) ** 0.5)
        for name in ["long", "short"]:
            writer.add_tensor(f"rope_factors_{name}.weight", numpy.array(rope[f"{name}_factor"], dtype=numpy.float32))
    if rope.get("rope_type") == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "mscale_all_dim" in rope:
            writer.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])


def stacked(tensors):
    """Matrices of a layer's experts as one tensor each, under the names the converter asks the name map for."""
    result, stacks = {}, {}
    for name, value in tensors.items():
        parts = name.split(".")
        if "experts" in parts and parts[parts.index("experts") + 1].isdigit():
            at = parts.index("experts")
            stacks.setdefault(".".join(parts[:at + 1] + parts[at + 2:]), {})[int(parts[at + 1])] = value
        else:
            result[name] = value
    for name, values in stacks.items():
        name = name.replace("model.layers", "layers").replace("block_sparse_moe", "feed_forward") if "sparse" in name \
            else name
        result[name] = torch.stack([values[i] for i in range(len(values))])
    return result


def converted(architecture, config, tensors):
    """Names and numbers as llama.cpp's converter leaves them; a value of bytes is MXFP4."""
    for name, value in stacked(tensors).items():
        stem = name.removesuffix(".weight")
        if architecture in INTERLEAVED and stem.endswith(("q_proj", "k_proj")):
            heads = config["num_attention_heads" if stem.endswith("q_proj") else "num_key_value_heads"]
            value = interleave(value, heads)
        if architecture in ("gemma2", "gemma3") and name.endswith("norm.weight"):
            value = value.float() + 1
        if stem.endswith("shared_expert_gate"):
            value = value[0]
        if stem.endswith("e_score_correction_bias"):
            name = name.replace("_bias", ".bias")
        if architecture == "gemma2" and stem.endswith("q_proj"):
            # The format has no place for a scale that is not the head's size.
            value = value * (config["head_dim"] / config["query_pre_attn_scalar"]) ** 0.5
        if name.endswith("kv_b_proj.weight") and config["model_type"] == "deepseek_v3":
            heads = config["num_attention_heads"]
            keys, values = value.view(heads, -1, value.shape[-1]).split(
                [config["qk_nope_head_dim"], config["v_head_dim"]], dim=1)
            yield name.replace("kv_b_proj", "k_b_proj"), keys.transpose(1, 2)
            yield name.replace("kv_b_proj", "v_b_proj"), values
        elif stem.endswith("input_linear"):
            half = value.shape[1] // 2
            yield name.replace("input_linear", "experts.gate_proj").replace("block_sparse_moe", "mlp"), value[:, :half]
            yield name.replace("input_linear", "experts.up_proj").replace("block_sparse_moe", "mlp"), value[:, half:]
        elif name.endswith("gate_up_proj_bias"):
            yield name.replace("gate_up_proj_bias", "gate_proj.bias"), value[:, ::2]
            yield name.replace("gate_up_proj_bias", "up_proj.bias"), value[:, 1::2]
        elif name.endswith("down_proj_bias"):
            yield name.replace("down_proj_bias", "down_proj.bias"), value
        elif name.endswith("_blocks"):
            scales = tensors[name.replace("_blocks", "_scales")][..., None]
            # GGUF has the first sixteen numbers of a block in the lower halves of its bytes.
            low, high = value & 15, value >> 4
            numbers = torch.stack([low, high], dim=-1).flatten(-2)
            packed = numbers[..., :16] | numbers[..., 16:] << 4
            rows = torch.cat([scales, packed], dim=-1).flatten(-2)
            if "gate_up" in name:
                yield name.replace("gate_up_proj_blocks", "gate_proj.weight"), rows[:, ::2].contiguous().numpy()
                yield name.replace("gate_up_proj_blocks", "up_proj.weight"), rows[:, 1::2].contiguous().numpy()
            else:
                yield name.replace("_blocks", ".weight"), rows.contiguous().numpy()
        elif not name.endswith("_scales"):
            yield name, value


def model(name, architecture):
    source = MODELS / name
    config = json.loads((source / "config.json").read_text())
    folder = MODELS / "gguf"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    metadata(writer, architecture, config)
    vocabulary = config["vocab_size"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{i}" for i in range(vocabulary)])
    writer.add_token_types([1] * vocabulary)
    writer.add_token_merges([])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    kind = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == architecture)
    names = gguf.get_tensor_name_map(kind, config["num_hidden_layers"])
    tensors = {}
    for shard in sorted(source.glob("model*.safetensors")):
        tensors |= load_file(shard)
    for tensor, value in converted(architecture, config, tensors):
        new = names.get_name(tensor, try_suffixes=(".weight", ".bias"))
        assert new, tensor
        if tensor.endswith("sinks"):
            new += ".weight"
        if isinstance(value, numpy.ndarray):
            writer.add_tensor(new, value, raw_dtype=T.MXFP4)
            continue
        array = numpy.ascontiguousarray(value.float().numpy())
        if value.dim() > 1 and value.dtype == torch.bfloat16:
            bits = (array.view(numpy.uint32) >> 16).astype(numpy.uint16)
            writer.add_tensor(new, bits.view(numpy.uint8), raw_dtype=T.BF16)
        else:
            writer.add_tensor(
                new, array.astype(numpy.float16) if value.dim() > 1 and value.dtype == torch.float16 else array)
    finish(writer)
    prompt = torch.tensor([json.loads((source / "golden.json").read_text())["prompt"]])
    expected = load_file(source / "golden.safetensors")["logits"]
    try:
        with torch.no_grad():
            stated = transformers.AutoConfig.from_pretrained(source)
            if architecture == "gemma2":
                stated.query_pre_attn_scalar = stated.head_dim
            loaded = transformers.AutoModelForCausalLM.from_pretrained(
                folder, gguf_file=path.name, dtype=torch.float32, config=stated)
            logits = loaded(prompt).logits[0]
        worst = (logits - expected).abs().max().item()
        print(f"{name}: {path.stat().st_size} bytes, transformers reads it with a largest difference of {worst:.2g}")
    except Exception as error:
        print(f"{name}: {path.stat().st_size} bytes, transformers does not read it: {str(error).splitlines()[0][:90]}")


def tokenizer(folder, source, name, kind, pre=None):
    """Vocabulary and merges only; the file has no tensors of layers."""
    data = json.loads((source / "tokenizer.json").read_text())
    vocabulary = sorted(data["model"]["vocab"].items(), key=lambda item: item[1])
    texts = {id: text for text, id in vocabulary}
    added = {token["id"]: token for token in data["added_tokens"]}
    size = max(max(texts), max(added, default=0)) + 1
    tokens = [added[i]["content"] if i in added else texts[i] for i in range(size)]
    types = []
    for i, text in enumerate(tokens):
        if kind == "llama" and text == data["model"].get("unk_token"):
            types.append(2)
        elif i in added:
            types.append(3 if added[i]["special"] else 4)
        elif kind == "llama" and text.startswith("<0x") and text.endswith(">") and len(text) == 6:
            types.append(6)
        else:
            types.append(1)
    writer = gguf.GGUFWriter(folder / f"{name}.gguf", "llama")
    for key, value in [("context_length", 64), ("embedding_length", 8), ("block_count", 0), ("feed_forward_length", 8)]:
        writer.add_uint32(f"llama.{key}", value)
    writer.add_head_count(1)
    writer.add_tokenizer_model(kind)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if kind == "llama":
        # A SentencePiece BPE model scores a piece by when it was merged: later is less.
        merged = {}
        for rank, merge in enumerate(data["model"]["merges"]):
            left, right = merge if isinstance(merge, list) else merge.split(" ")
            merged.setdefault(left + right, -float(rank))
        writer.add_token_scores([merged.get(text, -1e9) for text in tokens])
        writer.add_add_bos_token(True)
    else:
        merges = data["model"]["merges"]
        writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in merges])
    config = json.loads((source / "tokenizer_config.json").read_text())
    for role in ["bos", "eos"]:
        token = config.get(f"{role}_token")
        token = token["content"] if isinstance(token, dict) else token
        if token in tokens:
            getattr(writer, f"add_{role}_token_id")(tokens.index(token))
    if "chat_template" in config:
        writer.add_chat_template(config["chat_template"])
    finish(writer)


def main():
    if len(sys.argv) > 1:
        for name in sys.argv[1:]:
            model(name, MODELS_AS_GGUF[name])
        return
    folder = ROOT / "Tests/CheckpointTests/Fixtures/gguf"
    folder.mkdir(parents=True, exist_ok=True)
    blocks(folder)
    for name, architecture in MODELS_AS_GGUF.items():
        model(name, architecture)
    tokenizer(folder, ROOT / "Models/demo", "demo-vocabulary", "gpt2", "qwen2")
    stories = ROOT.parent / "shared/models/stories260k"
    tokenizer(folder, stories, "stories-vocabulary", "llama")


if __name__ == "__main__":
    main()
