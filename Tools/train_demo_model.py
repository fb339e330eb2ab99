#!/usr/bin/env python3
"""Trains the embedded demo model and writes Models/demo and Tools/demo_model/heldout.jsonl.

    python3 -m venv .build/train && .build/train/bin/pip install -r Tools/requirements-train.txt
    .build/train/bin/python Tools/train_demo_model.py

Takes under an hour on two cores (about 45 minutes on two Zen 4 cores with AVX512-BF16) and 2 GB of memory. Needs torch
(any CPU build from 2.4 on), tokenizers and safetensors from PyPI; nothing is downloaded at run time. The same seed on
the same machine gives the same weights: every batch is drawn from the seed and the step's number. An interrupted run
goes on from its last checkpoint when started again. `--export-only` writes what the best weights so far make.

The parts, in `Tools/demo_model/`: names and facts (what documents say), dialogues (what the model learns from, and the
curriculum), tokenizer, model, optimizer, training, evaluation, export, card.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from demo_model.card import model_card
from demo_model.dialogues import HeldOutQuestion, held_out_questions
from demo_model.evaluation import measure
from demo_model.export import export, round_weights
from demo_model.model import Decoder, ModelShape
from demo_model.tokenizer import DialogueEncoder, train_tokenizer
from demo_model.training import Trainer, TrainingPlan

REPOSITORY = Path(__file__).resolve().parent.parent


def prepared_tokenizer(work: Path, shape: ModelShape, seed: int) -> Tokenizer:
    """The tokenizer of this run: trained once, then read back, so that resuming cannot change an id."""
    path = work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(shape.vocabulary, seed).save(str(path))
    return Tokenizer.from_file(str(path))


def write_questions(questions: list[HeldOutQuestion], path: Path) -> None:
    lines = [json.dumps(asdict(question), ensure_ascii=False) + "\n" for question in questions]
    path.write_text("".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=REPOSITORY / ".build" / "demo-model", help="checkpoints")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Models" / "demo")
    parser.add_argument("--heldout", type=Path, default=REPOSITORY / "Tools" / "demo_model" / "heldout.jsonl")
    parser.add_argument("--export-only", action="store_true", help="no training: export work/best.pt as it is")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    shape = ModelShape()
    tokenizer = prepared_tokenizer(options.work, shape, options.seed)
    encoder = DialogueEncoder(tokenizer)
    held_out = held_out_questions(options.seed)
    write_questions(held_out, options.heldout)

    plan = TrainingPlan(steps=options.steps, seed=options.seed)
    if not options.export_only:
        trainer = Trainer(plan, shape, encoder, options.work)
        if trainer.resume():
            print(f"resuming at step {trainer.step} of {plan.steps}", flush=True)
        # The weights to keep are chosen on other held-out documents than those that are reported.
        trainer.run(validation=held_out_questions(options.seed + 1))

    model = Decoder(shape)
    model.load_state_dict(torch.load(options.work / "best.pt", weights_only=True))
    round_weights(model)
    result = measure(model, encoder, held_out)
    print(json.dumps({"held_out": result.summary()}), flush=True)
    export(model, tokenizer, model_card(model, plan, result), options.output)
    size = sum(path.stat().st_size for path in options.output.iterdir())
    print(f"{options.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
