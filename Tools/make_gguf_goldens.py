#!/usr/bin/env python3
"""Makes Tests/CheckpointTests/Fixtures/gguf and Tests/ModelsTests/Fixtures/gguf.

blocks.gguf: a tensor of random blocks of each quantized type, and in blocks.safetensors the float32 numbers that the
`gguf` package, the format's reference implementation, makes of them.

Models: the golden checkpoints of Tests/ModelsTests, written as GGUF the way llama.cpp's converter does (names, sizes
innermost first, rows of q and k interleaved for the Llama architecture). transformers' own GGUF reader confirms each: its
logits have to be those of golden.json's checkpoint. Tokenizers: the vocabularies of the demo model ("gpt2") and of
stories260K ("llama", from its SentencePiece scores where given), to be compared with their tokenizer.json.

    python -m venv venv && venv/bin/pip install torch transformers==5.23.0 gguf==0.19.0 safetensors
    venv/bin/python Tools/make_gguf_goldens.py
"""
import json
import pathlib

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
RENAMED = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


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


def model(name, architecture):
    source = MODELS / name
    config = json.loads((source / "config.json").read_text())
    folder = MODELS / "gguf"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    head = config.get("head_dim") or hidden // heads
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(hidden)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
    writer.add_vocab_size(config["vocab_size"])
    if rope.get("rope_type") == "llama3":
        from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
        loaded = transformers.AutoConfig.from_pretrained(source)
        scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](loaded, "cpu")
        plain = 1.0 / (loaded.rope_parameters["rope_theta"] ** (torch.arange(0, head, 2).float() / head))
        writer.add_tensor("rope_freqs.weight", (plain / scaled).numpy())
    vocabulary = config["vocab_size"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{i}" for i in range(vocabulary)])
    writer.add_token_types([1] * vocabulary)
    writer.add_token_merges([])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    for shard in sorted(source.glob("model*.safetensors")):
        for tensor, value in load_file(shard).items():
            stem, kind = tensor.rsplit(".", 1)
            parts = stem.split(".")
            if parts[:2] == ["model", "layers"]:
                new = f"blk.{parts[2]}.{RENAMED['.'.join(parts[3:])]}.{kind}"
            else:
                new = f"{RENAMED[stem]}.{kind}"
            array = value.float().numpy()
            if architecture == "llama" and parts[-1] in ("q_proj", "k_proj"):
                array = interleave(array, heads if parts[-1] == "q_proj" else config["num_key_value_heads"])
            if value.dim() == 1:
                writer.add_tensor(new, array)
            elif value.dtype == torch.bfloat16:
                bits = (numpy.ascontiguousarray(array).view(numpy.uint32) >> 16).astype(numpy.uint16)
                writer.add_tensor(new, bits.view(numpy.uint8), raw_dtype=T.BF16)
            else:
                writer.add_tensor(new, array.astype(numpy.float16) if value.dtype == torch.float16 else array)
    finish(writer)
    prompt = torch.tensor([json.loads((source / "golden.json").read_text())["prompt"]])
    expected = load_file(source / "golden.safetensors")["logits"]
    with torch.no_grad():
        loaded = transformers.AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=path.name, dtype=torch.float32, config=transformers.AutoConfig.from_pretrained(source))
        logits = loaded(prompt).logits[0]
    worst = (logits - expected).abs().max().item()
    print(f"{name}: transformers reads it with a largest difference of {worst:.2g}")


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
    folder = ROOT / "Tests/CheckpointTests/Fixtures/gguf"
    folder.mkdir(parents=True, exist_ok=True)
    blocks(folder)
    model("llama31-gqa-bf16", "llama")
    model("qwen3-f32", "qwen3")
    model("qwen2-shards-f16", "qwen2")
    tokenizer(folder, ROOT / "Models/demo", "demo-vocabulary", "gpt2", "qwen2")
    stories = ROOT.parent / "shared/models/stories260k"
    tokenizer(folder, stories, "stories-vocabulary", "llama")


if __name__ == "__main__":
    main()
