"""Writes the trained model as a Hugging Face model directory."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from .model import Decoder, ModelShape
from .tokenizer import CHAT_TEMPLATE, END, END_OF_TEXT, SPECIAL_TOKENS, START


def bfloat16_weights(model: Decoder) -> dict[str, torch.Tensor]:
    """Every weight rounded to bf16 under its Hugging Face name; the output embedding is tied and not repeated."""
    return {f"model.{name}": value.detach().bfloat16().contiguous() for name, value in model.state_dict().items()}


def round_weights(model: Decoder) -> None:
    """Makes the model in memory hold exactly what the checkpoint will hold."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())


def model_config(shape: ModelShape, tokenizer: Tokenizer) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.context,
        "rope_theta": shape.rope_theta,
        "rms_norm_eps": shape.norm_eps,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "initializer_range": 0.02,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id(END),
        "pad_token_id": tokenizer.token_to_id(END_OF_TEXT),
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }


def generation_config(tokenizer: Tokenizer) -> dict:
    return {
        "eos_token_id": [tokenizer.token_to_id(END), tokenizer.token_to_id(END_OF_TEXT)],
        "pad_token_id": tokenizer.token_to_id(END_OF_TEXT),
        "do_sample": True,
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 20,
    }


def tokenizer_config(shape: ModelShape, tokenizer: Tokenizer) -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {
                "content": token,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": True,
            }
            for token in SPECIAL_TOKENS
        },
        "additional_special_tokens": [START, END],
        "bos_token": None,
        "eos_token": END,
        "pad_token": END_OF_TEXT,
        "unk_token": None,
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "errors": "replace",
        "model_max_length": shape.context,
        "chat_template": CHAT_TEMPLATE,
    }


def export(model: Decoder, tokenizer: Tokenizer, card: str, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    weights = output / "model.safetensors"
    save_file(bfloat16_weights(model), weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # save_file makes it readable by its owner alone
    tokenizer.save(str(output / "tokenizer.json"))
    documents = {
        "config.json": model_config(model.shape, tokenizer),
        "generation_config.json": generation_config(tokenizer),
        "tokenizer_config.json": tokenizer_config(model.shape, tokenizer),
    }
    for name, content in documents.items():
        (output / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    (output / "README.md").write_text(card)
