"""Exact match without a server: greedy decoding gives an answer if and only if every token of it is the most likely one.

So one forward pass over prompt and answer decides, and no decoding loop is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .dialogues import HeldOutQuestion
from .facts import NOT_SAID
from .model import Decoder
from .tokenizer import DialogueEncoder


@dataclass(frozen=True)
class Measurement:
    questions: Sequence[HeldOutQuestion]
    right: Sequence[bool]

    @property
    def exact(self) -> float:
        return sum(self.right) / len(self.right)

    def _share(self, chosen: list[bool]) -> float:
        kept = [right for right, keep in zip(self.right, chosen) if keep]
        return round(sum(kept) / max(1, len(kept)), 4)

    def summary(self) -> dict[str, float]:
        return {
            "exact": round(self.exact, 4),
            "said": self._share([question.answer != NOT_SAID for question in self.questions]),
            "not_said": self._share([question.answer == NOT_SAID for question in self.questions]),
            "long": self._share([len(question.document) > 1000 for question in self.questions]),
        }


@torch.no_grad()
def measure(model: Decoder, encoder: DialogueEncoder, questions: Sequence[HeldOutQuestion], rows: int = 8) -> Measurement:
    """Whether each question, asked first in a conversation about its document, is answered exactly."""
    prompts, answers = [], []
    for question in questions:
        messages = [
            {"role": "system", "content": question.document},
            {"role": "user", "content": question.question},
        ]
        prompts.append(encoder.prompt(messages))
        whole = encoder.dialogue([*messages, {"role": "assistant", "content": question.answer}]).ids
        answers.append(whole[len(prompts[-1]) : -len(encoder.newline)])
    right = [False] * len(questions)
    order = sorted(range(len(questions)), key=lambda index: len(prompts[index]))
    for start in range(0, len(order), rows):
        group = order[start : start + rows]
        longest = max(len(prompts[index]) + len(answers[index]) for index in group)
        ids = torch.full((len(group), longest), encoder.padding)
        for row, index in enumerate(group):
            whole = prompts[index] + answers[index]
            ids[row, : len(whole)] = torch.tensor(whole)
        with torch.autocast("cpu", torch.bfloat16):
            best = model.logits(model(ids)).argmax(dim=-1)
        for row, index in enumerate(group):
            first, last = len(prompts[index]) - 1, len(prompts[index]) + len(answers[index]) - 1
            right[index] = best[row, first:last].tolist() == answers[index]
    return Measurement(questions, right)
