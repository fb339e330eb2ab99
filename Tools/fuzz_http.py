#!/usr/bin/env python3
"""`make fuzz-http`: a thousand damaged requests against the real server. Each must get a 4xx (or be a valid request
still) or a closed connection; after each the server serves, and its memory stays flat."""

import argparse
import asyncio
import json
import random
import sys
import time
from pathlib import Path

import httpx

from server_process import DEFAULT_BINARY, ServerProcess, assert_accounted

BODIES = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3, "stop": ["x"]}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3, "stream": True}),
    ("/v1/completions", {"prompt": ["a", [5, 6]], "max_tokens": 3, "echo": True, "logprobs": 2}),
    ("/generate", {"text": "Hi", "sampling_params": {"max_new_tokens": 3}, "return_logprob": True, "stream": True}),
    ("/v1/responses", {"input": [{"role": "user", "content": "Hi"}], "max_output_tokens": 3}),
    ("/v1/messages", {"max_tokens": 3, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}),
    ("/api/chat", {"messages": [{"role": "user", "content": "Hi"}], "options": {"num_predict": 3}}),
    ("/tokenize", {"prompt": "Hi"}), ("/detokenize", {"tokens": [5, 6]}),
    ("/v1/score", {"query": "a", "items": ["b"], "label_token_ids": [5, 6]}),
    ("/abort_request", {"rid": "x"}), ("/open_session", {"capacity_of_str_len": 10}),
]
ODD = [None, True, -1, 1e308, 10**30, "", "\ud800", [], {}, [[]], [None], {"a": {}}, "x" * 5000, 0.5, "9" * 400]


def damaged_value(value, dice: random.Random):
    """The same JSON with something of the wrong kind somewhere."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(list(value))
        if dice.random() < 0.1:
            return {other: value[other] for other in value if other != key}
        return {**value, key: damaged_value(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.7:
        place = dice.randrange(len(value))
        return [damaged_value(entry, dice) if index == place else entry for index, entry in enumerate(value)]
    return dice.choice(ODD)


def damaged(body: dict, dice: random.Random) -> bytes:
    kind = dice.randrange(6)
    text = json.dumps(damaged_value(body, dice) if kind < 3 else body).encode("utf-8", "surrogatepass")
    if kind == 3:
        return text[: dice.randrange(len(text))]
    if kind == 4:
        place = dice.randrange(len(text))
        return text[:place] + bytes(dice.randrange(256) for _ in range(dice.randrange(1, 6))) + text[place:]
    if kind == 5:
        return b'{"messages":' + b"[" * dice.choice([65, 1000, 100_000]) + text
    return text


async def raw(server: ServerProcess, request: bytes, then: str, dice: random.Random) -> None:
    """A connection that ends in the middle, or sends byte by byte."""
    port = int(server.root.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if then == "slowly":
            for byte in request[:40]:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.002)
        else:
            writer.write(request)
            await writer.drain()
        if then == "reset":
            writer.transport.abort()
        elif then == "read a little":
            await asyncio.wait_for(reader.read(dice.randrange(1, 200)), 10)
            writer.transport.abort()
    except (ConnectionError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    print(f"seed {arguments.seed}")
    statuses: dict[str, int] = {}
    faults: list[str] = []
    with ServerProcess(arguments.binary) as server, httpx.Client(base_url=server.root, timeout=30) as http:
        memory = []
        for number in range(arguments.count):
            path, body = dice.choice(BODIES)
            content = damaged(body, dice)
            manner = dice.random()
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
            if manner < 0.85:
                try:
                    response = http.post(path, content=content, headers={"content-type": "application/json"})
                    status = str(response.status_code)
                    if response.status_code >= 500 or response.status_code not in range(200, 500):
                        faults.append(f"{path} {content[:300]!r}: {status} {response.text[:200]}")
                except httpx.TransportError as error:
                    status = "closed"
                    faults.append(f"{path} {content[:300]!r}: {error}")
            else:
                status = dice.choice(["slowly", "reset", "read a little"])
                asyncio.run(raw(server, head.encode() + content, status, dice))
            statuses[status] = statuses.get(status, 0) + 1
            if number % 50 == 49:
                if http.get("/health").status_code != 200 or not server.is_running():
                    faults.append(f"no health after request {number}")
                    break
                memory.append(server.resident_bytes())
        # More than the server takes.
        big = http.post("/v1/completions", content=b'{"prompt":"' + b"x" * (17 << 20) + b'"}')
        if big.status_code != 413:
            faults.append(f"17 MiB: {big.status_code}")
        answer = http.post("/generate", json={"text": "Hi", "sampling_params": {"max_new_tokens": 3}})
        if answer.status_code != 200:
            faults.append(f"afterwards: {answer.status_code}")
        assert_accounted(server.wait_until_idle()["pages"])
        growth = (memory[-1] - memory[len(memory) // 3]) / 2**20 if memory else 0
    print(f"{arguments.count} requests: " + ", ".join(f"{count} × {name}" for name, count in sorted(statuses.items())))
    tenths = [memory[len(memory) * part // 10] / 2**20 for part in range(10)] if memory else []
    print(f"memory in MiB, tenth by tenth: {', '.join(f'{size:.1f}' for size in tenths)}")
    print(f"memory after a third and at the end: {growth:+.1f} MiB")
    if growth > 32:
        faults.append("memory grows")
    for fault in faults[:20]:
        print("FAIL", fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
