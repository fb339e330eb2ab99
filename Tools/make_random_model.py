"""Writes a model of random weights with the shapes of a real one, for measuring speed where the real one is not at hand.

    python3 Tools/make_random_model.py qwen2.5-0.5b /tmp/qwen2.5-0.5b
    python3 Tools/make_random_model.py llama-3.2-1b /tmp/llama-3.2-1b --layers 4

Needs numpy. The vocabulary is made up (bytes, then numbered words), so that every id decodes to text; answers make no
sense, but take as long as real ones. Weights are drawn from a normal distribution of deviation 0.02, in bfloat16.
"""

import argparse
import json
import pathlib

import numpy

SHAPES = {
    "qwen2.5-0.5b": dict(
        architectures=["Qwen2ForCausalLM"], model_type="qwen2", hidden_size=896, intermediate_size=4864,
        num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, vocab_size=151936,
        max_position_embeddings=32768, rope_theta=1000000.0, rms_norm_eps=1e-6, tie_word_embeddings=True),
    "llama-3.2-1b": dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=2048, intermediate_size=8192,
        num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, head_dim=64, vocab_size=128256,
        max_position_embeddings=131072, rope_theta=500000.0, rms_norm_eps=1e-5, tie_word_embeddings=True),
}


def tensors(config):
    """Names and shapes, in the order of the file."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim", hidden // heads)
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    yield "model.norm.weight", (hidden,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (hidden,)
        yield prefix + "post_attention_layernorm.weight", (hidden,)
        for name, outputs in (("q", heads * width), ("k", groups * width), ("v", groups * width)):
            yield f"{prefix}self_attn.{name}_proj.weight", (outputs, hidden)
            if config["model_type"] == "qwen2":
                yield f"{prefix}self_attn.{name}_proj.bias", (outputs,)
        yield prefix + "self_attn.o_proj.weight", (hidden, heads * width)
        yield prefix + "mlp.gate_proj.weight", (inner, hidden)
        yield prefix + "mlp.up_proj.weight", (inner, hidden)
        yield prefix + "mlp.down_proj.weight", (hidden, inner)


def bfloat16(values):
    """Bits of the nearest bfloat16, ties to even."""
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(numpy.uint16)


def write_weights(config, path, seed):
    header, offset = {}, 0
    for name, shape in tensors(config):
        size = 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = numpy.random.default_rng(seed)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in tensors(config):
            if name.endswith("norm.weight"):
                values = numpy.ones(shape, dtype=numpy.float32)
            else:
                values = generator.standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.02)
            bfloat16(values).tofile(file)


def byte_alphabet():
    """The printable character that stands for each byte in byte-level vocabularies (GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [table[byte] for byte in range(256)]


def write_tokenizer(config, folder):
    words = byte_alphabet()
    space = words[32]
    end = "<|endoftext|>"
    words += [f"{space}w{number}" for number in range(config["vocab_size"] - len(words) - 1)]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{
            "id": len(words), "content": end, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True,
        }],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
            "vocab": {word: index for index, word in enumerate(words)}, "merges": [],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))
    template = (
        "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "chat_template": template}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", type=int, help="fewer layers than the real model has")
    parser.add_argument("--untied", action="store_true", help="an output projection of its own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = dict(SHAPES[arguments.shape])
    config |= {"hidden_act": "silu", "torch_dtype": "bfloat16"}
    config["eos_token_id"] = config["bos_token_id"] = config["vocab_size"] - 1
    if arguments.layers:
        config["num_hidden_layers"] = arguments.layers
    if arguments.untied:
        config["tie_word_embeddings"] = False
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_tokenizer(config, arguments.folder)
    write_weights(config, arguments.folder / "model.safetensors", arguments.seed)
    print(f"{arguments.folder}: {sum(f.stat().st_size for f in arguments.folder.iterdir()) >> 20} MiB")


if __name__ == "__main__":
    main()
