"""Radish's server beside llama-server and vLLM's on this machine: the same weights, the same token ids, interleaved rounds.

    PEERS/venv-tools/bin/python Tools/bench_peers/serving.py --work PEERS --binary .build/release/radish --out docs/benchmarks

Needs what bench_peers.py --prepare made in --work. Every server runs throughout and waits while another one works. Each
round sends new random prompts, the same ones to each server, one server after the other. Raw numbers go to
OUT/peers-serving-DATE.jsonl, to which further runs of the day add their rounds, and medians of all of them to standard
output.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

import aiohttp

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from bench_peers import Journal, Workshop  # noqa: E402

VOCABULARY = 100_000
PORTS = iter(range(31900, 32000))


class Server:
    """One running server, and how it takes a prompt of token ids."""

    def __init__(self, name, command, path, body, environment=None):
        self.name, self.command, self.path, self.body = name, [str(c) for c in command], path, body
        self.environment = os.environ | (environment or {})

    async def start(self, session, port, log):
        self.base = f"http://127.0.0.1:{port}"
        command = [c.replace("PORT", str(port)) for c in self.command]
        begin = time.perf_counter()
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.process.returncode}: {' '.join(command)}")
            try:
                async with session.get(self.base + "/health") as answer:
                    if answer.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)
        self.ready_seconds = time.perf_counter() - begin
        self.resident_mib = sum(resident(pid) for pid in family(self.process.pid))

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    async def generate(self, session, ids, tokens):
        """(seconds to the first token, seconds in all, generated ids)."""
        begin, first, out, made = time.perf_counter(), None, [], 0
        async with session.post(self.base + self.path, json=self.body(ids, tokens)) as answer:
            if answer.status != 200:
                raise SystemExit(f"{self.name}: {answer.status} {await answer.text()}")
            async for line in answer.content:
                if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                    continue
                chunk = json.loads(line[6:])
                new = new_ids(chunk)
                if new and first is None:
                    first = time.perf_counter() - begin
                out = new if "meta_info" in chunk else out + new
                # llama-server streams no chunk for a token that ends within a character.
                made = max(len(out), chunk.get("tokens_predicted", 0))
        if made < tokens:
            raise SystemExit(f"{self.name}: {made} of {tokens} tokens")
        return first, time.perf_counter() - begin, out[:tokens]


def new_ids(chunk):
    """Token ids in a streamed chunk of /generate (all so far), /completion or /v1/completions (the new ones)."""
    if "meta_info" in chunk:
        return chunk.get("output_ids") or []
    if "tokens" in chunk:
        return chunk["tokens"]
    return [i for choice in chunk.get("choices", []) for i in choice.get("token_ids") or []]


def family(pid):
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) >> 10


def radish(binary, model, *extra, name="radish"):
    return Server(
        name, [binary, "serve", "--model-path", model, "--port", "PORT", "--context-length", 4096, *extra],
        "/generate", lambda ids, tokens: {
            "input_ids": ids, "stream": True,
            "sampling_params": {"temperature": 0, "max_new_tokens": tokens, "ignore_eos": True}})


def llama(programs, file, slots, threads, name="llama-server", cache=True):
    return Server(
        name, [programs / "llama-server", "-m", file, "--port", "PORT", "-np", slots, "-c", 2048 * slots, "-t", threads],
        "/completion", lambda ids, tokens: {
            "prompt": ids, "stream": True, "n_predict": tokens, "ignore_eos": True, "temperature": 0,
            "cache_prompt": cache, "return_tokens": True})


def vllm(python, model, *extra, name="vllm"):
    return Server(
        name, [python.parent / "vllm", "serve", model, "--served-model-name", "m", "--port", "PORT", "--dtype", "bfloat16",
               "--max-model-len", 4096, *extra],
        "/v1/completions", lambda ids, tokens: {
            "model": "m", "prompt": ids, "stream": True, "max_tokens": tokens, "ignore_eos": True, "temperature": 0,
            "return_token_ids": True},
        {"VLLM_CPU_KVCACHE_SPACE": "2"})


def ids(generator, count):
    return [generator.randrange(300, VOCABULARY) for _ in range(count)]


async def at_most(limit, jobs):
    gate = asyncio.Semaphore(limit)

    async def one(job):
        async with gate:
            return await job()

    return await asyncio.gather(*(one(job) for job in jobs))


async def requests(server, session, prompts, tokens, limit):
    begin = time.perf_counter()
    answers = await at_most(limit, [lambda p=p: server.generate(session, p, tokens) for p in prompts])
    seconds = time.perf_counter() - begin
    return {"requests_per_second": len(prompts) / seconds, "tokens_per_second": len(prompts) * tokens / seconds,
            "ttft_p95": percentile([a[0] for a in answers], 95)}


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, -(-len(values) * percent // 100) - 1)]


async def document(server, session, generator):
    """16 questions on one new document of 1,536 tokens, 8 at a time, 16 tokens each."""
    text = ids(generator, 1536)
    return await requests(server, session, [text + ids(generator, 24) for _ in range(16)], 16, 8)


async def distinct(server, session, generator):
    """16 different prompts of 512 tokens, 8 at a time, 16 tokens each."""
    return await requests(server, session, [ids(generator, 512) for _ in range(16)], 16, 8)


async def decode(server, session, generator, streams):
    """Streams of 64 tokens after prompts of 16: what all of them get in the time when all run."""
    prompts = [ids(generator, 16) for _ in range(streams)]
    begin = time.perf_counter()
    answers = await asyncio.gather(*(server.generate(session, p, 64) for p in prompts))
    last_first = max(a[0] for a in answers)
    return {"tokens_per_second": streams * 63 / (time.perf_counter() - begin - last_first)}


async def conversations(server, session, generator):
    """4 chats of 5 turns at the same time, one system prompt of 256 tokens, 48 in and 32 out each turn."""
    system = ids(generator, 256)
    turns = [[ids(generator, 48) for _ in range(5)] for _ in range(4)]
    firsts = []

    async def chat(messages):
        history = list(system)
        for message in messages:
            history += message
            first, _, answer = await server.generate(session, history, 32)
            firsts.append(first)
            history += answer

    begin = time.perf_counter()
    await asyncio.gather(*(chat(messages) for messages in turns))
    return {"requests_per_second": 20 / (time.perf_counter() - begin), "ttft_p95": percentile(firsts, 95)}


WORKLOADS = {
    "document": document, "distinct": distinct, "conversations": conversations,
    "decode 1": lambda *a: decode(*a, 1), "decode 8": lambda *a: decode(*a, 8), "decode 32": lambda *a: decode(*a, 32),
}


async def measure(arguments, journal):
    shop = Workshop(arguments.work.resolve())
    threads = len(os.sched_getaffinity(0))
    model = shop.model(arguments.shape)
    programs = shop.llama()
    python = arguments.work.resolve() / "venv-vllm/bin/python"
    servers = [
        radish(arguments.binary, model),
        radish(arguments.binary, model, "--quantization", "int8", name="radish int8"),
        radish(arguments.binary, model, "--disable-radix-cache", name="radish uncached"),
        llama(programs, shop.gguf(arguments.shape, "BF16"), 8, threads),
        llama(programs, shop.gguf(arguments.shape, "BF16"), 32, threads, name="llama-server 32"),
        llama(programs, shop.gguf(arguments.shape, "Q8_0"), 8, threads, name="llama-server Q8_0"),
    ]
    if python.exists():
        servers += [vllm(python, model), vllm(python, model, "--no-enable-prefix-caching", name="vllm uncached")]
    only = {
        "radish uncached": {"document"}, "llama-server 32": {"decode 32"}, "vllm uncached": {"document"},
        "radish int8": {"document", "distinct"}, "llama-server Q8_0": {"document", "distinct"},
    }
    servers = [s for s in servers if not arguments.servers or s.name in arguments.servers]
    first_round = max((row["round"] for row in journal.rows if "round" in row), default=-1) + 1
    log = open(arguments.work / "servers.log", "ab")
    timeout = aiohttp.ClientTimeout(total=600)
    # llama-server closes idle connections as the next request is on its way.
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        try:
            for server in servers:
                await server.start(session, next(PORTS), log)
                journal.add({"server": server.name, "ready_seconds": server.ready_seconds,
                             "resident_mib": server.resident_mib})
                # Whatever a server does only once is not what is compared.
                await server.generate(session, ids(random.Random(1), 64), 4)
            for number in range(first_round, first_round + arguments.rounds):
                for name in arguments.workloads:
                    for server in servers:
                        if name == "decode 32" and server.name == "llama-server":
                            continue
                        if server.name in only and name not in only[server.name]:
                            continue
                        # One seed for all servers of a round.
                        row = await WORKLOADS[name](server, session, random.Random(f"{arguments.seed} {name} {number}"))
                        journal.add({"server": server.name, "workload": name, "round": number, **row})
        finally:
            for server in servers:
                if hasattr(server, "process"):
                    server.stop()


def table(starts, results):
    names = list(dict.fromkeys(s["server"] for s in starts))
    lines = ["| workload | | " + " | ".join(names) + " |", "| --- | --- |" + " --- |" * len(names)]
    for what, unit in (("ready_seconds", "s"), ("resident_mib", "MiB")):
        medians = [statistics.median(s[what] for s in starts if s["server"] == name) for name in names]
        lines.append(f"| {what.replace('_', ' ')} | {unit} | " + " | ".join(f"{m:.4g}" for m in medians) + " |")
    for workload in dict.fromkeys(r["workload"] for r in results):
        rows = [r for r in results if r["workload"] == workload]
        for what in dict.fromkeys(k for r in rows for k in r if k not in ("server", "workload", "round")):
            cells = []
            for name in names:
                values = [r[what] for r in rows if r["server"] == name and what in r]
                cells.append(f"{statistics.median(values):.3g}" if values else "")
            lines.append(f"| {workload} | {what.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(".build/release/radish"))
    parser.add_argument("--shape", default="qwen2.5-0.5b")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", nargs="*", help="names as in the table; all of them if none is given")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    journal = Journal(arguments.out, "peers-serving", shape=arguments.shape)
    asyncio.run(measure(arguments, journal))
    print(table([r for r in journal.rows if "round" not in r], [r for r in journal.rows if "round" in r]))


if __name__ == "__main__":
    main()
