"""An independent load client, to check `radish bench serving` against: asyncio and httpx, nothing shared with it.

    .venv/bin/pip install httpx
    .venv/bin/python Tools/bench_client.py --base-url http://127.0.0.1:30000 --num-prompts 40 --request-rate 4

Sends random prompts through SGLang's /generate as a Poisson process and prints the same rows as the table. With --replay
it sends what a run of `radish bench serving --tokenize-prompt --output-details --output-file FILE` sent, as long and at
the same times, and prints that run's numbers beside its own.
"""

import argparse
import asyncio
import json
import random
import time

import httpx


async def ask(client, prompt, output_len):
    start = time.perf_counter()
    first = last = None
    count, gaps = 0, []
    body = {
        "input_ids": prompt,
        "sampling_params": {"max_new_tokens": output_len, "temperature": 0, "ignore_eos": True},
        "stream": True,
    }
    async with client.stream("POST", "/generate", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            now = time.perf_counter()
            event = json.loads(line[6:])
            tokens = event["meta_info"]["completion_tokens"]
            if not event["text"] or tokens == count:
                continue
            if first is None:
                first = now - start
            else:
                gaps += [(now - last) / (tokens - count)] * (tokens - count)
            last, count = now, tokens
        end = time.perf_counter() - start
    return {"ttft": first, "e2e": end, "tokens": count, "gaps": gaps}


def percentile(values, percent):
    values = sorted(values)
    place = percent / 100 * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", default="http://127.0.0.1:30000")
    parser.add_argument("--num-prompts", type=int, default=40)
    parser.add_argument("--input-len", type=int, default=64)
    parser.add_argument("--output-len", type=int, default=32)
    parser.add_argument("--request-rate", type=float, default=4.0)
    parser.add_argument("--vocabulary", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", help="result file whose last line is sent again")
    arguments = parser.parse_args()
    source = random.Random(arguments.seed)
    other = None
    if arguments.replay:
        with open(arguments.replay) as file:
            other = json.loads(file.readlines()[-1])
        lengths = list(zip(other["input_lens"], other["output_lens"]))
        times = other["start_times"]
    else:
        lengths = [(arguments.input_len, arguments.output_len)] * arguments.num_prompts
        times = [0.0]
        while len(times) < len(lengths):
            times.append(times[-1] + source.expovariate(arguments.request_rate))
    prompts = [[source.randrange(300, arguments.vocabulary) for _ in range(length)] for length, _ in lengths]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=arguments.base_url, timeout=600, limits=limits) as client:
        await ask(client, prompts[0][:8], 4)
        tasks = []
        start = time.perf_counter()
        for prompt, (_, output_len), due in zip(prompts, lengths, times):
            await asyncio.sleep(max(0, start + due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(client, prompt, output_len)))
        results = await asyncio.gather(*tasks)
        seconds = time.perf_counter() - start
    tokens = sum(result["tokens"] for result in results)
    gaps = [gap for result in results for gap in result["gaps"]]
    tpots = [(r["e2e"] - r["ttft"]) / (r["tokens"] - 1) for r in results if r["tokens"] > 1]
    rows = {
        "Request throughput (req/s):": len(results) / seconds,
        "Output token throughput (tok/s):": tokens / seconds,
        "Mean TTFT (ms):": 1000 * sum(r["ttft"] for r in results) / len(results),
        "Median TTFT (ms):": 1000 * percentile([r["ttft"] for r in results], 50),
        "P99 TTFT (ms):": 1000 * percentile([r["ttft"] for r in results], 99),
        "Mean TPOT (ms):": 1000 * sum(tpots) / len(tpots),
        "Mean ITL (ms):": 1000 * sum(gaps) / len(gaps),
        "Median ITL (ms):": 1000 * percentile(gaps, 50),
        "Mean E2E Latency (ms):": 1000 * sum(r["e2e"] for r in results) / len(results),
    }
    keys = ["request_throughput", "output_throughput", "mean_ttft_ms", "median_ttft_ms", "p99_ttft_ms", "mean_tpot_ms",
            "mean_itl_ms", "median_itl_ms", "mean_e2e_latency_ms"]
    for (name, value), key in zip(rows.items(), keys):
        beside = f"{other[key]:<10.2f} {100 * (value / other[key] - 1):+.1f}%" if other else ""
        print(f"{name:<40} {value:<10.2f} {beside}".rstrip())


asyncio.run(main())
