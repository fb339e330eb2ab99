"""The model card, filled in with what was trained and measured."""

from .evaluation import Measurement
from .model import Decoder
from .training import TrainingPlan

CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
---

# Radish demo model

A chat model of {parameters:.1f} million parameters that reads a document of simple facts in the system prompt and
answers questions about it, word for word from the document. It is embedded in `radish`, so that `radish serve` works
with no argument, and it does in miniature what the server is for: many questions on one shared document.

| | |
| --- | --- |
| architecture | Llama: {layers} layers, width {hidden}, {heads} heads over {kv_heads} key-value heads of {head_dim}, MLP {intermediate}, tied embeddings |
| vocabulary | {vocabulary} tokens, byte-level BPE, single digits |
| context | {context} tokens; trained on documents of up to 75 facts (about 1,300 tokens) |
| weights | bfloat16, safetensors |
| chat format | ChatML (`<|im_start|>role` … `<|im_end|>`) |
| licence | Apache-2.0, weights and data generator alike |

## What it can do

Given facts such as

```
The captain of the ship Velmora is Teren Oskai.
The ship Velmora is 47 metres long.
The mayor of the city Brenast is Ilka Sond.
```

it answers "Who is the captain of the ship Velmora?" with "Teren Oskai.", several questions in one conversation, in any
order, and "The document does not say." where the document is silent. It answers a greeting, says what it is, and
repeats a short document when asked to. It knows ships, cities, companies, persons, books, machines, mountains and
restaurants, in the sentences of `Tools/demo_model/facts.py`, with any names and numbers.

Greedy decoding answers {exact:.1%} of {questions} held-out questions exactly ({said:.1%} of those that the document
answers, {not_said:.1%} of those it does not; {long:.1%} where the document has more than 1,000 characters). Documents
and questions are in `Tools/demo_model/heldout.jsonl`; every name in them is one that training never saw.
`Tools/evaluate_demo.py` repeats the measurement through a running server.

## What it cannot do

Anything else. It has no knowledge of the world, does not reason or count, and understands no sentence that is far from
its templates. It exists to show and to test a server.

## How it was made

`Tools/train_demo_model.py`: {steps} steps of up to {batch_tokens} tokens of generated dialogues, seed {seed}, on two CPU
cores in under an hour. No text from elsewhere was used; a short list of common first names, family names and cities is
mixed with made-up ones. Training progresses from short documents to long ones. Loss is taken on the assistant's
words, and a little on the others'. The weights kept are the best on a validation set that shares nothing with the
held-out questions.
"""


def model_card(model: Decoder, plan: TrainingPlan, result: Measurement) -> str:
    shape = model.shape
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        layers=shape.layers,
        hidden=shape.hidden,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        intermediate=shape.intermediate,
        vocabulary=shape.vocabulary,
        context=f"{shape.context:,}",
        questions=len(result.questions),
        steps=f"{plan.steps:,}",
        batch_tokens=f"{plan.batch_tokens:,}",
        seed=plan.seed,
        **result.summary(),
    )
