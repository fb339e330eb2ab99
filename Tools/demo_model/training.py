"""The training loop: batches drawn from (seed, step), a learning rate drawn from the step, checkpoints that resume."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F

from .dialogues import curriculum, log_uniform, training_dialogue
from .evaluation import Measurement, measure
from .model import Decoder, ModelShape
from .optimizer import Muon
from .tokenizer import DialogueEncoder


@dataclass(frozen=True)
class TrainingPlan:
    steps: int
    seed: int
    batch_tokens: int = 3072
    learning_rate: float = 3e-3
    warmup: int = 60
    decay_share: float = 0.4
    """The learning rate is constant and falls linearly to zero over this last share of the steps."""
    weight_decay: float = 0.01
    clip: float = 1.0

    def rate(self, step: int) -> float:
        decay = min(1.0, (self.steps - step) / (self.steps * self.decay_share))
        return self.learning_rate * min(1.0, (step + 1) / self.warmup) * decay


@dataclass(frozen=True)
class Batch:
    ids: torch.Tensor
    """(rows, length), padded on the right."""
    weight: torch.Tensor
    """(rows, length - 1): what predicting id i + 1 counts for."""


def draw_batch(plan: TrainingPlan, encoder: DialogueEncoder, step: int, context: int) -> Batch:
    """Dialogues about documents of about the same size, as many as fill the batch."""
    random = Random(f"batch {plan.seed} {step}")
    mixture = curriculum(step / plan.steps, random)
    facts = log_uniform(random, *mixture.facts)
    counts = {"system": mixture.document_loss, "user": mixture.question_loss, "assistant": 1.0}
    dialogues = []
    longest = 0
    while True:
        dialogue = encoder.dialogue(training_dialogue(random, mixture, facts))
        if len(dialogue.ids) > context:
            continue
        longest = max(longest, len(dialogue.ids))
        if dialogues and longest * (len(dialogues) + 1) > plan.batch_tokens:
            break
        dialogues.append(dialogue)
    longest = max(len(dialogue.ids) for dialogue in dialogues)
    ids = torch.full((len(dialogues), longest), encoder.padding)
    weight = torch.zeros((len(dialogues), longest))
    for row, dialogue in enumerate(dialogues):
        length = len(dialogue.ids)
        ids[row, :length] = torch.tensor(dialogue.ids)
        weight[row, :length] = torch.tensor([counts[role] for role in dialogue.roles])
    return Batch(ids, weight[:, 1:])


def batch_loss(model: Decoder, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted mean loss, and the plain mean over the assistant's tokens for the log."""
    counted = batch.weight > 0
    targets = batch.ids[:, 1:][counted]
    weight = batch.weight[counted]
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(batch.ids)[:, :-1][counted]
        logits = model.logits(hidden)
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    answers = losses.detach()[weight == 1.0]
    return (losses * weight).sum() / weight.sum(), answers.mean()


class Trainer:
    """Holds what a run is at one step; `checkpoint.pt` in the work directory holds the same."""

    def __init__(self, plan: TrainingPlan, shape: ModelShape, encoder: DialogueEncoder, work: Path):
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.shape = shape
        self.encoder = encoder
        self.work = work
        self.model = Decoder(shape)
        matrices = [p for name, p in self.model.named_parameters() if p.dim() == 2 and "embed" not in name]
        others = [p for name, p in self.model.named_parameters() if p.dim() != 2 or "embed" in name]
        self.optimizers = [
            Muon(matrices, plan.learning_rate, weight_decay=plan.weight_decay),
            torch.optim.AdamW(others, plan.learning_rate, betas=(0.9, 0.97), weight_decay=0.0, fused=True),
        ]
        self.step = 0
        self.seconds = 0.0
        self.best = -1.0

    @property
    def checkpoint(self) -> Path:
        return self.work / "checkpoint.pt"

    def resume(self) -> bool:
        if not self.checkpoint.exists():
            return False
        saved = torch.load(self.checkpoint, weights_only=True)
        if saved["plan"] != asdict(self.plan) or saved["shape"] != asdict(self.shape):
            raise SystemExit(f"{self.checkpoint} belongs to another plan; remove it or choose another --work")
        self.model.load_state_dict(saved["model"])
        for optimizer, state in zip(self.optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        self.step, self.seconds, self.best = saved["step"], saved["seconds"], saved["best"]
        return True

    def save(self) -> None:
        state = {
            "plan": asdict(self.plan),
            "shape": asdict(self.shape),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def one_step(self) -> tuple[float, int]:
        rate = self.plan.rate(self.step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        batch = draw_batch(self.plan, self.encoder, self.step, self.shape.context)
        loss, answers = batch_loss(self.model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return answers.item(), batch.ids.numel()

    def run(self, validation, log_every: int = 20, measure_every: int = 200) -> None:
        """Trains to the plan's last step. The weights that do best on `validation` are kept in best.pt."""
        losses: list[float] = []
        tokens = 0
        since = time.monotonic()
        while self.step < self.plan.steps:
            loss, count = self.one_step()
            losses.append(loss)
            tokens += count
            last = self.step == self.plan.steps
            if self.step % log_every == 0 or last:
                elapsed = time.monotonic() - since
                self.seconds += elapsed
                record = {
                    "step": self.step,
                    "answer_loss": round(sum(losses) / len(losses), 4),
                    "tokens_per_second": round(tokens / elapsed),
                    "minutes": round(self.seconds / 60, 2),
                }
                print(json.dumps(record), flush=True)
                losses, tokens, since = [], 0, time.monotonic()
            if self.step % measure_every == 0 or last:
                self._measure(validation)
                self.save()
                self.seconds += time.monotonic() - since
                since = time.monotonic()

    def _measure(self, validation) -> None:
        measurement: Measurement = measure(self.model, self.encoder, validation)
        print(json.dumps({"step": self.step, "validation": measurement.summary()}), flush=True)
        if measurement.exact >= self.best:
            self.best = measurement.exact
            torch.save(self.model.state_dict(), self.work / "best.pt")
