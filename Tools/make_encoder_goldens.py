#!/usr/bin/env python3
"""Makes Tests/ModelsTests/Fixtures/encoder-*: tiny random encoders and rerankers (seeded), token ids of some texts, and
what Hugging Face transformers makes of each text alone: pooled vectors, or scores. Also embedding-qwen3, a decoder saved
without its head, with the last token's state of each text, and a Dense module with what torch makes of one vector.

    python -m venv venv && venv/bin/pip install torch transformers==5.23.0
    venv/bin/python Tools/make_encoder_goldens.py Tests/ModelsTests/Fixtures
"""
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, RobertaConfig, XLMRobertaConfig

SIZES = dict(vocab_size=96, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
             max_position_embeddings=80)
CASES = {
    "encoder-bert": (transformers.BertModel, BertConfig(**SIZES, type_vocab_size=2), ["mean", "cls", "max", "last"]),
    "encoder-xlmr": (transformers.XLMRobertaModel, XLMRobertaConfig(
        **SIZES, type_vocab_size=1, pad_token_id=1, hidden_act="gelu_new"), ["mean", "cls"]),
    "encoder-bert-reranker": (transformers.BertForSequenceClassification, BertConfig(
        **SIZES, type_vocab_size=2, num_labels=1, hidden_act="relu"), []),
    "encoder-roberta-reranker": (transformers.RobertaForSequenceClassification, RobertaConfig(
        **SIZES, type_vocab_size=1, pad_token_id=1, num_labels=1), []),
}
POOL = {"mean": lambda x: x.mean(0), "cls": lambda x: x[0], "max": lambda x: x.max(0).values, "last": lambda x: x[-1]}

for name, (kind, config, poolings) in CASES.items():
    config._attn_implementation = "eager"
    generator = torch.Generator().manual_seed(len(name))
    model = kind(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "LayerNorm.weight" in key:
                parameter.copy_(1 + 0.2 * noise)
            elif key.endswith(".bias"):
                parameter.copy_(0.3 * noise)
            else:
                parameter.copy_(noise * (1.0 / parameter.shape[-1] ** 0.5) * (3 if "embeddings" in key else 1.5))
    texts = []
    for count in (1, 2, 15, 16, 17, 33, 60, 78):
        ids = torch.randint(5, 96, (count,), generator=generator)
        types = torch.zeros(count, dtype=torch.long)
        if config.type_vocab_size > 1:
            types[count // 2:] = 1
        with torch.no_grad():
            made = model(input_ids=ids[None], token_type_ids=types[None], attention_mask=torch.ones(1, count))
        row = {"tokens": ids.tolist(), "types": types.tolist()}
        if poolings:
            row["vectors"] = {p: [round(v, 7) for v in POOL[p](made.last_hidden_state[0]).tolist()] for p in poolings}
        else:
            row["score"] = made.logits[0, 0].item()
        texts.append(row)
    root = pathlib.Path(sys.argv[1]) / name
    root.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, root / "model.safetensors")
    config.architectures = [kind.__name__]
    (root / "config.json").write_text(json.dumps({k: v for k, v in config.to_dict().items() if v is not None}, indent=1))
    (root / "golden.json").write_text(json.dumps(texts))
    print(name, sum(f.stat().st_size for f in root.iterdir()), "bytes")

config = transformers.Qwen3Config(
    vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=8, max_position_embeddings=80, tie_word_embeddings=False)
generator = torch.Generator().manual_seed(5)
model = transformers.Qwen3Model(config).eval()
dense = torch.nn.Linear(32, 8)
with torch.no_grad():
    for key, parameter in [*model.named_parameters(), *dense.named_parameters()]:
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.copy_(1 + 0.2 * noise if "norm" in key else noise * (0.3 if parameter.dim() == 1 else 0.2))
root = pathlib.Path(sys.argv[1]) / "embedding-qwen3"
(root / "2_Dense").mkdir(parents=True, exist_ok=True)
(root / "1_Pooling").mkdir(exist_ok=True)
save_file({k: v.contiguous() for k, v in model.state_dict().items()}, root / "model.safetensors")
save_file({"linear.weight": dense.weight.detach(), "linear.bias": dense.bias.detach()}, root / "2_Dense/model.safetensors")
config.architectures = ["Qwen3ForCausalLM"]
(root / "config.json").write_text(json.dumps({k: v for k, v in config.to_dict().items() if v is not None}, indent=1))
kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Normalize", "Normalize")]
(root / "modules.json").write_text(json.dumps([
    dict(idx=i, name=str(i), path=path, type="sentence_transformers.models." + kind)
    for i, (path, kind) in enumerate(kinds)]))
(root / "1_Pooling/config.json").write_text(json.dumps(
    dict(word_embedding_dimension=32, pooling_mode_cls_token=False, pooling_mode_lasttoken=True)))
(root / "2_Dense/config.json").write_text(json.dumps(
    dict(in_features=32, out_features=8, bias=True, activation_function="torch.nn.modules.activation.Tanh")))
texts = []
for count in (1, 7, 16, 40):
    ids = torch.randint(0, 96, (count,), generator=generator)
    with torch.no_grad():
        state = model(ids[None]).last_hidden_state[0, -1]
        projected = torch.nn.functional.normalize(torch.tanh(dense(state)), dim=0)
    texts.append({"tokens": ids.tolist(), "types": [], "vectors": {"last": state.tolist(), "finished": projected.tolist()}})
(root / "golden.json").write_text(json.dumps(texts))
