#!/usr/bin/env python3
"""Makes the golden checkpoints of Tests/ModelsTests/Fixtures with Hugging Face transformers.

Each is a tiny decoder with random weights (seeded), a prompt, the logits at every position of the prompt and the greedy
continuation. Logits are computed in float32 from the weights as stored, so that a half-precision fixture says what the
model is, not how transformers rounds; `native_error` says how far transformers itself is from that when it runs in the
stored type, which is the tolerance the tests allow.

Also rotary.json: inverse frequencies and attention factors of published rope settings, from transformers' own functions.

    python -m venv venv && venv/bin/pip install torch transformers==5.23.0
    venv/bin/python Tools/make_model_goldens.py Tests/ModelsTests/Fixtures
"""
import argparse
import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    DeepseekV2Config, DeepseekV3Config, Gemma2Config, Gemma3Config, Gemma3TextConfig, Glm4Config, GlmConfig, GptOssConfig,
    GraniteConfig, GraniteMoeConfig, LlamaConfig, MistralConfig, MixtralConfig,
    Olmo2Config, Phi3Config, Qwen2Config, Qwen2MoeConfig, Qwen3Config, Qwen3MoeConfig, SmolLM3Config)
from transformers.integrations import mxfp4 as mxfp4_integration
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

PROMPT = 80
CONTINUATION = 24
VOCABULARY = 96
COMMON = dict(vocab_size=VOCABULARY, num_hidden_layers=2, max_position_embeddings=256, pad_token_id=None,
              bos_token_id=1, eos_token_id=2)
SMALL = dict(COMMON, hidden_size=32, intermediate_size=64, num_attention_heads=4)

GPT_OSS = dict(head_dim=16, num_key_value_heads=2, intermediate_size=32, num_local_experts=5, num_experts_per_tok=2,
               sliding_window=24)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
# Sizes of latent attention.
LATENT = dict(num_key_value_heads=4, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=16)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64)

CASES = {
    "llama-mha-f32": ("float32", LlamaConfig(**dict(SMALL, num_hidden_layers=3))),
    "llama31-gqa-bf16": ("bfloat16", LlamaConfig(**dict(
        COMMON, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2,
        rope_parameters=LLAMA3, tie_word_embeddings=True))),
    "llama-linear-f32": ("float32", LlamaConfig(**dict(
        SMALL, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.5), attention_bias=True,
        mlp_bias=True))),
    "llama-yarn-f32": ("float32", LlamaConfig(**dict(
        SMALL, num_attention_heads=2, num_key_value_heads=1, rope_parameters=YARN))),
    "mistral-window-f32": ("float32", MistralConfig(**dict(
        SMALL, num_key_value_heads=1, sliding_window=24, head_dim=16))),
    "qwen2-window-bf16": ("bfloat16", Qwen2Config(**dict(
        COMMON, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2,
        use_sliding_window=True, sliding_window=20, max_window_layers=1))),
    "qwen2-shards-f16": ("float16", Qwen2Config(**dict(
        COMMON, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=4,
        tie_word_embeddings=True))),
    "qwen3-f32": ("float32", Qwen3Config(**dict(
        SMALL, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True))),
    "gemma2-f32": ("float32", Gemma2Config(**dict(
        SMALL, num_hidden_layers=3, num_key_value_heads=2, head_dim=16, sliding_window=24, query_pre_attn_scalar=20,
        attn_logit_softcapping=4.0, final_logit_softcapping=3.0))),
    "gemma3-bf16": ("bfloat16", Gemma3TextConfig(**dict(
        COMMON, num_hidden_layers=3, hidden_size=48, intermediate_size=64, num_attention_heads=2, num_key_value_heads=1,
        head_dim=16, sliding_window=24, query_pre_attn_scalar=16,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters=dict(full_attention=dict(rope_type="linear", rope_theta=1000000.0, factor=8.0),
                             sliding_attention=dict(rope_type="default", rope_theta=10000.0))))),
    "gemma3-old-f32": ("float32", Gemma3TextConfig(**dict(
        SMALL, num_hidden_layers=3, num_key_value_heads=1, head_dim=16, sliding_window=24, query_pre_attn_scalar=16,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
        rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=500000.0),
                             sliding_attention=dict(rope_type="default", rope_theta=5000.0))))),
    "phi3-longrope-f32": ("float32", Phi3Config(**dict(
        SMALL, num_key_value_heads=2, hidden_size=64, original_max_position_embeddings=32, sliding_window=50,
        partial_rotary_factor=0.5,
        rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=32,
                             short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.5, 2.0, 3.0, 4.0])))),
    "olmo2-f32": ("float32", Olmo2Config(**dict(SMALL, num_key_value_heads=2))),
    "glm-f32": ("float32", GlmConfig(**dict(SMALL, num_key_value_heads=2, head_dim=16))),
    "glm4-f32": ("float32", Glm4Config(**dict(SMALL, num_key_value_heads=2, head_dim=16))),
    "smollm3-f32": ("float32", SmolLM3Config(**dict(SMALL, num_hidden_layers=5, num_key_value_heads=2))),
    "granite-f32": ("float32", GraniteConfig(**dict(
        SMALL, num_key_value_heads=2, embedding_multiplier=1.7, attention_multiplier=0.3, residual_multiplier=0.6,
        logits_scaling=0.4))),
    "mixtral-f32": ("float32", MixtralConfig(**dict(
        SMALL, intermediate_size=40, num_key_value_heads=2, num_local_experts=5, num_experts_per_tok=2))),
    "qwen2-moe-f32": ("float32", Qwen2MoeConfig(**dict(
        SMALL, num_key_value_heads=2, moe_intermediate_size=24, shared_expert_intermediate_size=40, num_experts=5,
        num_experts_per_tok=2))),
    "qwen3-moe-f32": ("float32", Qwen3MoeConfig(**dict(
        SMALL, num_key_value_heads=2, head_dim=16, moe_intermediate_size=24, num_experts=6, num_experts_per_tok=3,
        norm_topk_prob=True))),
    "granite-moe-f32": ("float32", GraniteMoeConfig(**dict(
        SMALL, intermediate_size=24, num_key_value_heads=2, num_local_experts=5, num_experts_per_tok=2,
        embedding_multiplier=1.7, attention_multiplier=0.3, residual_multiplier=0.6, logits_scaling=0.4))),
    "deepseek-v2-lite-f32": ("float32", DeepseekV2Config(**dict(
        SMALL, **LATENT, q_lora_rank=None, moe_intermediate_size=16, n_routed_experts=6, n_shared_experts=2,
        num_experts_per_tok=3, first_k_dense_replace=1, num_hidden_layers=3, topk_method="greedy", n_group=1,
        topk_group=1))),
    "deepseek-v2-f32": ("float32", DeepseekV2Config(**dict(
        SMALL, **LATENT, q_lora_rank=24, moe_intermediate_size=16, n_routed_experts=8, n_shared_experts=1,
        num_experts_per_tok=3, first_k_dense_replace=0, topk_method="group_limited_greedy", n_group=4, topk_group=2,
        routed_scaling_factor=1.5, rope_parameters=dict(YARN, mscale=0.7, mscale_all_dim=0.9)))),
    "deepseek-v3-f32": ("float32", DeepseekV3Config(**dict(
        SMALL, **LATENT, q_lora_rank=24, moe_intermediate_size=16, n_routed_experts=8, n_shared_experts=1,
        num_experts_per_tok=3, first_k_dense_replace=1, n_group=4, topk_group=2, norm_topk_prob=True, rms_norm_eps=1e-4,
        routed_scaling_factor=1.5, rope_parameters=dict(YARN, mscale=1.0, mscale_all_dim=1.0, beta_fast=32,
                                                        beta_slow=1)))),
    "deepseek-v3-bf16": ("bfloat16", DeepseekV3Config(**dict(
        SMALL, **LATENT, q_lora_rank=24, moe_intermediate_size=16, n_routed_experts=4, n_shared_experts=1,
        num_experts_per_tok=2, first_k_dense_replace=1, n_group=1, topk_group=1, norm_topk_prob=False,
        routed_scaling_factor=1.0))),
    "gpt-oss-f32": ("float32", GptOssConfig(**dict(
        SMALL, **GPT_OSS, swiglu_limit=1.5, rope_parameters=dict(rope_type="default", rope_theta=150000.0)))),
    "gemma3-vision-f32": ("float32", Gemma3Config(
        text_config=dict(
            vocab_size=VOCABULARY, num_hidden_layers=3, hidden_size=32, intermediate_size=48, num_attention_heads=2,
            num_key_value_heads=1, head_dim=16, sliding_window=24, query_pre_attn_scalar=16,
            max_position_embeddings=256, pad_token_id=None, bos_token_id=1, eos_token_id=2,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
        vision_config=dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                           image_size=28, patch_size=14),
        mm_tokens_per_image=4, image_token_index=95, boi_token_index=94, eoi_token_index=93)),
}


def gptq_bits(name):
    """Of one matrix of a checkpoint whose layers, experts and routers have different bits; None: stored as it is."""
    if "norm" in name or "embed" in name or "lm_head" in name:
        return None
    first = name.split(".")[2] == "0"
    if name.endswith("mlp.gate.weight"):
        return 8 if first else None
    return 4 if first else None if ".experts.0." in name else 8


# Quantized checkpoints: configuration, what makes of a tensor its stored parts and the numbers they stand for (None: it
# stays as it is), and what config.json says of it.
QUANTIZED = {
    "qwen3-moe-mixed-f32": (
        Qwen3MoeConfig(**dict(
            SMALL, num_key_value_heads=2, head_dim=16, moe_intermediate_size=24, num_experts=8, num_experts_per_tok=3,
            norm_topk_prob=True)),
        lambda name, value: gptq(name, value, gptq_bits(name)) if value.dim() == 2 and gptq_bits(name) else None,
        dict(quant_method="gptq", bits=4, group_size=8, desc_act=False, sym=True)),
    "gpt-oss-mxfp4": (
        GptOssConfig(**dict(SMALL, **GPT_OSS, rope_parameters=dict(
            YARN, factor=8.0, rope_theta=150000.0, original_max_position_embeddings=32, truncate=False))),
        lambda name, value: mxfp4(name, value) if name.endswith("_proj") and ".experts." in name else None,
        dict(quant_method="mxfp4", modules_to_not_convert=["model.layers.*.self_attn", "model.layers.*.mlp.router",
                                                           "model.embed_tokens", "lm_head"])),
}
# Written as transformers 4 did: rope_theta and rope_scaling beside each other, torch_dtype.
OLD_CONFIGURATION = {"llama31-gqa-bf16", "mistral-window-f32", "phi3-longrope-f32", "gemma3-old-f32"}

ROTARY = {
    "default": (dict(rope_type="default", rope_theta=10000.0), 128, 4096),
    "llama-3.1-8b": (dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0,
                          high_freq_factor=4.0, original_max_position_embeddings=8192), 128, 131072),
    "llama-3.2-1b": (dict(rope_type="llama3", rope_theta=500000.0, factor=32.0, low_freq_factor=1.0,
                          high_freq_factor=4.0, original_max_position_embeddings=8192), 64, 131072),
    "linear": (dict(rope_type="linear", rope_theta=10000.0, factor=4.0), 128, 4096),
    "qwen-2.5-yarn": (dict(rope_type="yarn", rope_theta=1000000.0, factor=4.0,
                           original_max_position_embeddings=32768), 128, 32768),
    "yarn-mscale": (dict(rope_type="yarn", rope_theta=10000.0, factor=40.0, original_max_position_embeddings=4096,
                         beta_fast=32, beta_slow=1, mscale=1.0, mscale_all_dim=0.707), 64, 163840),
    "yarn-attention-factor": (dict(rope_type="yarn", rope_theta=150000.0, factor=32.0,
                                   original_max_position_embeddings=4096, beta_fast=32.0, beta_slow=1.0,
                                   attention_factor=1.25, truncate=False), 64, 131072),
}


def randomize(model, generator):
    """Weights that give activations of order 1, so that every part of the model matters to the logits."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight"):
                # Gemma's norms multiply by 1 + weight.
                parameter.copy_((0 if model.config.model_type.startswith("gemma") else 1) + 0.2 * noise)
            elif name.endswith(".bias"):
                parameter.copy_(0.3 * noise)
            elif "embed_tokens" in name:
                parameter.copy_(noise if not model.config.tie_word_embeddings else 0.4 * noise)
            else:
                parameter.copy_(noise * (1.2 / parameter.shape[-1] ** 0.5))
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))


def logits(model, tokens):
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0].float()


def continuation(model, prompt, margin):
    """Greedy tokens, or None where a step is closer than the margin: a fair test must not hang on a coin."""
    tokens = list(prompt)
    for _ in range(CONTINUATION):
        best = torch.topk(logits(model, tokens)[-1], 2)
        if best.values[0] - best.values[1] < margin:
            return None
        tokens.append(int(best.indices[0]))
    return tokens[len(prompt):]


def make(name, dtype_name, config, root):
    dtype = getattr(torch, dtype_name)
    config._attn_implementation = "eager"
    for seed in range(1000):
        generator = torch.Generator().manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        randomize(model, generator)
        native = model.to(dtype)
        prompt = torch.randint(0, VOCABULARY, (PROMPT,), generator=generator).tolist()
        native_logits = logits(native, prompt)
        directory = root / name
        shutil.rmtree(directory, ignore_errors=True)
        if "shards" in name:
            native.save_pretrained(directory, max_shard_size="80KB")
        else:
            native.save_pretrained(directory)
        # From disk, so that what is tested is what is stored.
        exact = transformers.AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, attn_implementation="eager").eval()
        expected = logits(exact, prompt)
        native_error = float((native_logits - expected).abs().max())
        greedy = continuation(exact, prompt, margin=max(0.01, 2 * native_error))
        if greedy is not None:
            break
    else:
        raise SystemExit(f"{name}: no seed gives a clear continuation")
    (directory / "generation_config.json").unlink(missing_ok=True)
    if name in OLD_CONFIGURATION:
        make_old(directory / "config.json")
    save_file({"logits": expected.contiguous()}, directory / "golden.safetensors")
    with open(directory / "golden.json", "w") as file:
        json.dump(dict(transformers=transformers.__version__, torch=torch.__version__, seed=seed, prompt=prompt,
                       continuation=greedy, native_error=native_error), file)
        file.write("\n")
    size = sum(f.stat().st_size for f in directory.iterdir())
    print(f"{name}: seed {seed}, native error {native_error:.3g}, logits std {expected.std():.2f}, {size} bytes")
    return size


def pack(values, bits, dimension):
    """Neighbours along a dimension into words of 32 bits, the first lowest."""
    values = values.transpose(0, dimension).to(torch.int64)
    words = sum(values[i::32 // bits] << (bits * i) for i in range(32 // bits))
    words = torch.where(words >= 2**31, words - 2**32, words).to(torch.int32)
    return words.transpose(0, dimension).contiguous()


def gptq(name, weight, bits, group=8):
    """Parts of a GPTQ matrix (format v1: zero points are stored less one) and the numbers that they stand for."""
    outputs, inputs = weight.shape
    zero = 2 ** (bits - 1)
    blocks = weight.view(outputs, inputs // group, group)
    scales = (blocks.abs().amax(-1, keepdim=True) / (zero - 1)).half().float()
    codes = (torch.round(blocks / scales) + zero).clamp(0, 2 * zero - 1)
    stem = name[:-len("weight")]
    parts = {
        stem + "qweight": pack(codes.view(outputs, inputs).T.contiguous(), bits, 0),
        stem + "qzeros": pack(torch.full((inputs // group, outputs), zero - 1), bits, 1),
        stem + "scales": scales[..., 0].T.contiguous().half(),
        stem + "g_idx": torch.arange(inputs, dtype=torch.int32) // group}
    return parts, ((codes - zero) * scales).view(outputs, inputs)


def mxfp4(name, weight):
    """Blocks and scales near a stack of experts `[experts, inputs, outputs]`; what they stand for says transformers."""
    values = weight.transpose(1, 2)
    values = values.reshape(*values.shape[:2], -1, 32)
    exponents = torch.floor(torch.log2(values.abs().amax(-1))) - 2
    levels = torch.tensor(mxfp4_integration.FP4_VALUES)
    codes = ((values / 2 ** exponents[..., None])[..., None] - levels).abs().argmin(-1).to(torch.uint8)
    blocks = codes[..., ::2] | codes[..., 1::2] << 4
    scales = (exponents + 127).to(torch.uint8)
    exact = mxfp4_integration.convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
    return {name + "_blocks": blocks.contiguous(), name + "_scales": scales}, exact


def make_quantized(name, config, encode, quantization, root):
    """Quantizes what `make` has written; the golden is of the numbers that the codes stand for."""
    directory = root / name
    for seed in range(1000):
        generator = torch.Generator().manual_seed(seed)
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        randomize(model, generator)
        shutil.rmtree(directory, ignore_errors=True)
        model.save_pretrained(directory)
        stored, exact = {}, {}
        for key, value in load_file(directory / "model.safetensors").items():
            parts, exact[key] = encode(key, value) or ({key: value}, value)
            stored.update(parts)
        save_file(exact, directory / "model.safetensors", metadata={"format": "pt"})
        model = transformers.AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, attn_implementation="eager").eval()
        prompt = torch.randint(0, VOCABULARY, (PROMPT,), generator=generator).tolist()
        expected, greedy = logits(model, prompt), continuation(model, prompt, margin=0.01)
        if greedy is not None:
            break
    save_file(stored, directory / "model.safetensors", metadata={"format": "pt"})
    text = json.loads((directory / "config.json").read_text())
    text["quantization_config"] = quantization
    (directory / "config.json").write_text(json.dumps(text, indent=2) + "\n")
    (directory / "generation_config.json").unlink(missing_ok=True)
    save_file({"logits": expected.contiguous()}, directory / "golden.safetensors")
    with open(directory / "golden.json", "w") as file:
        json.dump(dict(transformers=transformers.__version__, torch=torch.__version__, seed=seed, prompt=prompt,
                       continuation=greedy, native_error=0.0), file)
        file.write("\n")
    print(f"{name}: seed {seed}, {sum(f.stat().st_size for f in directory.iterdir())} bytes")


def make_old(path):
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
        config["sliding_window_pattern"] = config.pop("layer_types").index("full_attention") + 1
    if "partial_rotary_factor" in rope:
        config["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2) + "\n")


def make_rotary(root):
    cases = []
    for name, (parameters, dimension, positions) in ROTARY.items():
        config = LlamaConfig(hidden_size=4 * dimension, num_attention_heads=4, head_dim=dimension,
                             max_position_embeddings=positions, rope_parameters=dict(parameters))
        if parameters["rope_type"] == "default":
            frequencies = 1.0 / (parameters["rope_theta"] ** (torch.arange(0, dimension, 2).float() / dimension))
            factor = 1.0
        else:
            frequencies, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, device="cpu")
        cases.append(dict(name=name, dimensions=dimension, max_position_embeddings=positions, rope_parameters=parameters,
                          attention_factor=float(factor), inverse_frequencies=frequencies.tolist()))
    with open(root / "rotary.json", "w") as file:
        json.dump(cases, file)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fixtures", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="only these; all if none is given")
    arguments = parser.parse_args()
    root = arguments.fixtures
    root.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    sizes = [make(name, dtype, config, root) for name, (dtype, config) in CASES.items()
             if not arguments.names or name in arguments.names]
    for name, (config, encode, quantization) in QUANTIZED.items():
        if not arguments.names or name in arguments.names:
            make_quantized(name, config, encode, quantization, root)
    if not arguments.names:
        make_rotary(root)
    assert max(sizes, default=0) <= 300_000 and sum(sizes) <= 6_000_000, sizes
    print(f"{sum(sizes)} bytes in all")


if __name__ == "__main__":
    main()
