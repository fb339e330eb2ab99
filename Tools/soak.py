#!/usr/bin/env python3
"""`make soak`: many concurrent streams with random aborts, for minutes.

Every worker has documents of its own, written in names that no other document has, so an answer that went to the
wrong client shows. Before the load each prompt is asked once, alone; decoding is greedy, so under load a finished
stream must give exactly that text, and an aborted one a beginning of it. The page pool is made too small for all
workers at once, so prompts are evicted, retracted and computed again. At the end nothing may run, wait or be leased,
every page must be free or cached, and the server's memory must be what it was after the first part of the run.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from openai import AsyncOpenAI

from check_list import CheckList
from demo_model.dialogues import questions_for_load
from server_process import DEFAULT_BINARY, ServerProcess, assert_accounted

ALLOWED_GROWTH = 0.05
ALLOWED_GROWTH_BYTES = 16 << 20


@dataclass(frozen=True, eq=False)
class Prompt:
    """A question, and how its answer is asked for: to its end, or for a number of tokens past every end.

    Compared by identity, so that it can be a key.
    """

    messages: tuple[dict, ...]
    answer: str
    max_tokens: int
    ignore_eos: bool


@dataclass
class Tally:
    counts: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    resident: list[tuple[float, int]] = field(default_factory=list)
    """(seconds since the load began, bytes)"""


def make_prompts(seed: int, workers: int) -> list[list[Prompt]]:
    """For each worker four prompts: two documents, on each a short answer and a long stream."""
    prompts = []
    for worker in range(workers):
        dice = random.Random(f"soak {seed} {worker}")
        mine = []
        for copy in range(2):
            (first, answer), (second, _) = questions_for_load(f"soak {seed} {worker} {copy}", questions=2)
            mine.append(Prompt(first, answer, 48, False))
            mine.append(Prompt(second, "", dice.randint(40, 160), True))
        prompts.append(mine)
    return prompts


async def open_stream(client: AsyncOpenAI, model: str, prompt: Prompt):
    return await client.chat.completions.create(
        model=model,
        messages=list(prompt.messages),
        temperature=0,
        max_tokens=prompt.max_tokens,
        stream=True,
        extra_body={"ignore_eos": prompt.ignore_eos},
    )


async def read_stream(stream, at_most: int | None = None) -> tuple[str, str | None]:
    """The text and the finish reason; after `at_most` chunks with text the stream is left."""
    text, reason, pieces = "", None, 0
    async with stream:
        async for chunk in stream:
            for choice in chunk.choices:
                reason = choice.finish_reason or reason
                if choice.delta.content:
                    text += choice.delta.content
                    pieces += 1
            if at_most is not None and pieces >= at_most:
                break
    return text, reason


async def reference_texts(client: AsyncOpenAI, model: str, prompts: list[list[Prompt]]) -> dict[Prompt, str]:
    """Each prompt's text, asked for alone."""
    texts = {}
    for prompt in (prompt for mine in prompts for prompt in mine):
        text, reason = await read_stream(await open_stream(client, model, prompt))
        if prompt.ignore_eos and reason != "length":
            raise AssertionError(f"a stream that ignores the end token ended with {reason!r}")
        texts[prompt] = text
    return texts


async def worker(
    number: int, client: AsyncOpenAI, model: str, prompts: list[Prompt], texts: dict, until: float, options, tally: Tally
) -> None:
    dice = random.Random(f"worker {options.seed} {number}")
    while time.monotonic() < until:
        prompt = dice.choice(prompts)
        wanted = texts[prompt]
        fate = dice.random()
        tally.counts["started"] += 1
        try:
            if fate < options.aborts / 2:
                # Left at any moment, perhaps while it still waits in the queue.
                whole = asyncio.ensure_future(_whole(client, model, prompt))
                done, _ = await asyncio.wait({whole}, timeout=dice.uniform(0.0, 1.0))
                if not done:
                    whole.cancel()
                    await asyncio.gather(whole, return_exceptions=True)
                    tally.counts["aborted"] += 1
                    continue
                text, reason = whole.result()
            elif fate < options.aborts:
                async with asyncio.timeout(options.patience):
                    stream = await open_stream(client, model, prompt)
                    text, reason = await read_stream(stream, at_most=dice.randint(1, 30))
            else:
                async with asyncio.timeout(options.patience):
                    text, reason = await _whole(client, model, prompt)
        except Exception as error:
            tally.counts["failed"] += 1
            tally.wrong.append(f"worker {number}: {type(error).__name__}: {error}")
            continue
        if reason is None:
            right = wanted.startswith(text)
            tally.counts["aborted"] += 1
        else:
            right = text == wanted
            tally.counts["finished"] += 1
        if not right:
            tally.counts["mixed up"] += 1
            tally.wrong.append(f"worker {number}: {text!r}, alone it was {wanted!r}")


async def _whole(client: AsyncOpenAI, model: str, prompt: Prompt) -> tuple[str, str | None]:
    text, reason = await read_stream(await open_stream(client, model, prompt))
    if reason is None:
        raise AssertionError(f"the stream ended without a finish reason after {text!r}")
    return text, reason


async def watch_memory(server: ServerProcess, since: float, until: float, tally: Tally) -> None:
    while time.monotonic() < until:
        tally.resident.append((time.monotonic() - since, server.resident_bytes()))
        await asyncio.sleep(0.5)


async def soak(server: ServerProcess, prompts: list[list[Prompt]], options: argparse.Namespace) -> Tally:
    tally = Tally()
    async with AsyncOpenAI(
        base_url=server.base_url, api_key=server.api_key, max_retries=0, timeout=options.patience
    ) as client:
        model = (await client.models.list()).data[0].id
        since = time.monotonic()
        texts = await reference_texts(client, model, prompts)
        right = [texts[prompt] == prompt.answer for mine in prompts for prompt in mine if prompt.answer]
        print(f"asked {len(texts)} prompts alone in {time.monotonic() - since:.1f} s", flush=True)
        print(f"{sum(right)} of {len(right)} short answers are also the right ones", flush=True)
        since = time.monotonic()
        until = since + options.seconds
        await asyncio.gather(
            watch_memory(server, since, until, tally),
            *(
                worker(number, client, model, mine, texts, until, options, tally)
                for number, mine in enumerate(prompts)
            ),
        )
    return tally


def check_memory(tally: Tally, seconds: float) -> str:
    """Compares the memory after the first 30 s (of a shorter run, its first third) with that of the end."""
    settled = min(30.0, seconds / 3)
    window = max(2.0, seconds / 12)
    early = [size for when, size in tally.resident if settled <= when <= settled + window]
    late = [size for when, size in tally.resident if when >= seconds - window]
    assert early and late, "the run was too short to compare anything"
    first, last = statistics.median(early), statistics.median(late)
    told = f"{first / 2**20:.1f} MiB after {settled:.0f} s, {last / 2**20:.1f} MiB at the end"
    assert last - first <= max(ALLOWED_GROWTH * first, ALLOWED_GROWTH_BYTES), told
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY, help="the radish to start (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--streams", type=int, default=64, help="concurrent workers (default %(default)s)")
    parser.add_argument("--aborts", type=float, default=0.35, help="share of requests left early (default %(default)s)")
    parser.add_argument("--patience", type=float, default=120, help="seconds until an unfinished request counts as lost")
    parser.add_argument("--max-total-tokens", type=int, default=16384, help="size of the page pool; 0: the server's own")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    print(f"seed {options.seed}, {options.streams} streams, {options.seconds:.0f} s", flush=True)
    arguments = ["--max-total-tokens", str(options.max_total_tokens)] if options.max_total_tokens else []
    prompts = make_prompts(options.seed, options.streams)
    checks = CheckList()

    def served():
        with ServerProcess(options.binary, arguments) as server:
            tally = asyncio.run(soak(server, prompts, options))
            counts = tally.counts
            for line in tally.wrong[:10]:
                print(f"  {line}")
            for when, size in tally.resident[:: max(1, len(tally.resident) // 8)]:
                print(f"  {when:6.1f} s  {size / 2**20:8.1f} MiB")

            def all_ended():
                assert counts["failed"] == 0, f"{counts['failed']} of {counts['started']} requests failed or were lost"
                ended = counts["finished"] + counts["aborted"]
                assert ended == counts["started"], f"{counts['started']} started, {ended} ended"
                assert counts["finished"] and counts["aborted"], f"nothing finished or nothing was aborted: {counts}"
                return f"{counts['started']} started, {counts['finished']} finished, {counts['aborted']} aborted"

            def none_mixed_up():
                assert counts["mixed up"] == 0, f"{counts['mixed up']} texts are not what they were alone"

            def accounted():
                pages = server.wait_until_idle(patience=60)["pages"]
                assert_accounted(pages)
                return f"{pages['free']} free + {pages['cached']} cached = {pages['total']}"

            def ends():
                status = server.stop()
                assert status == 0, f"exit status {status}"

            checks.check("every request ended as it should", all_ended)
            checks.check("no text mixed up, each as it was alone", none_mixed_up)
            checks.check("free + cached = total, nothing leased", accounted)
            checks.check("memory flat", check_memory, tally, options.seconds)
            checks.check("the server ends with status 0", ends)

    checks.check("soak", served)
    return checks.close()


if __name__ == "__main__":
    sys.exit(main())
