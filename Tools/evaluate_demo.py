#!/usr/bin/env python3
"""Asks a server the demo model's 200 held-out questions and counts the answers that are exactly right.

    Tools/evaluate_demo.py                                  starts .build/release/radish for itself
    Tools/evaluate_demo.py --base-url http://127.0.0.1:30000/v1   asks a running one

Every document is the system prompt of five questions, so most prompt tokens should come from the cache; their share is
printed. Ends with status 1 below --minimum.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from openai import AsyncOpenAI

from server_process import DEFAULT_BINARY, ServerProcess

QUESTIONS = Path(__file__).resolve().parent / "demo_model" / "heldout.jsonl"


@dataclass(frozen=True)
class Answered:
    question: dict
    text: str
    prompt_tokens: int
    cached_tokens: int

    @property
    def is_right(self) -> bool:
        return self.text.strip() == self.question["answer"]


async def ask_all(client: AsyncOpenAI, model: str, questions: list[dict], concurrency: int) -> list[Answered]:
    places = asyncio.Semaphore(concurrency)

    async def ask(question: dict) -> Answered:
        async with places:
            reply = await client.chat.completions.create(
                model=model,
                messages=[
                    {"role": "system", "content": question["document"]},
                    {"role": "user", "content": question["question"]},
                ],
                temperature=0,
                max_tokens=48,
            )
        details = reply.usage.prompt_tokens_details
        return Answered(
            question,
            reply.choices[0].message.content or "",
            reply.usage.prompt_tokens,
            (details.cached_tokens or 0) if details else 0,
        )

    return await asyncio.gather(*(ask(question) for question in questions))


async def evaluate(base_url: str, options: argparse.Namespace) -> bool:
    questions = [json.loads(line) for line in options.questions.read_text().splitlines()]
    async with AsyncOpenAI(base_url=base_url, api_key=options.api_key, max_retries=0, timeout=300) as client:
        model = options.model or (await client.models.list()).data[0].id
        since = time.monotonic()
        answered = await ask_all(client, model, questions, options.concurrency)
        seconds = time.monotonic() - since
    right = sum(one.is_right for one in answered)
    prompt = sum(one.prompt_tokens for one in answered)
    cached = sum(one.cached_tokens for one in answered)
    for one in answered:
        if not one.is_right and not options.quiet:
            print(f"  {one.question['question']!r}: {one.text!r}, not {one.question['answer']!r}")
    print(f"exact match: {right} of {len(answered)} ({right / len(answered):.1%}), {seconds:.1f} s, model {model}")
    print(f"cached prompt tokens: {cached} of {prompt} ({cached / max(1, prompt):.1%})")
    enough = right >= options.minimum * len(answered)
    print("1 passed, 0 failed" if enough else "0 passed, 1 failed")
    return enough


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--base-url", help="a running server's address, with /v1")
    where.add_argument("--binary", type=Path, default=DEFAULT_BINARY, help="the radish to start (default %(default)s)")
    parser.add_argument("--api-key", default="none")
    parser.add_argument("--model", help="default: the first that the server lists")
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--minimum", type=float, default=0.9, help="share that must be right (default %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="do not list the wrong answers")
    options = parser.parse_args()
    if options.base_url:
        enough = asyncio.run(evaluate(options.base_url, options))
    else:
        with ServerProcess(options.binary) as server:
            enough = asyncio.run(evaluate(server.base_url, options))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
