#!/usr/bin/env python3
"""What a client sees of the wire itself, on servers with limits, keys and a paused engine: the form of every error, its
status and headers, the form of streams, comments in silence."""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx  # noqa: E402

from scene import ADD, MESSAGES, expect  # noqa: E402
from server_process import DEFAULT_BINARY, REPOSITORY, ServerProcess, free_port  # noqa: E402

CHAT = "/v1/chat/completions"
ASK = {"model": "default", "messages": MESSAGES, "temperature": 0, "max_tokens": 8}


def expect_error(response: httpx.Response, status: int, code: str | None = None) -> dict:
    """The error of a response, in the form that the path's clients read."""
    path = response.request.url.path
    expect(response.status_code == status, (path, response.status_code, response.text[:200]))
    expect(response.headers.get("x-request-id"), (path, "no x-request-id"))
    expect(response.headers["content-type"].startswith("application/json"), (path, response.headers))
    body = response.json()
    if path.startswith("/api/"):
        expect(list(body) == ["error"] and isinstance(body["error"], str), (path, body))
        return {"message": body["error"]}
    if path.startswith("/v1/messages"):
        expect(body["type"] == "error", (path, body))
    error = body["error"]
    expect(isinstance(error["message"], str) and error["message"] and isinstance(error["type"], str), (path, body))
    expect({"param", "code"} <= set(error), (path, body))
    expect(code is None or error["code"] == code, (path, body))
    return error


def error_forms(server: ServerProcess, http: httpx.Client) -> str:
    described = http.get("/openapi.json").json()["paths"]
    posts = [path for path, operations in described.items() if "post" in operations]
    bodies = [b"{", b"[]", b'"x"', b"\xff\xfe", b"", b'{"model": 7}', b'{"model": "gpt-9"}']
    count = 0
    for path in posts:
        if "requestBody" not in described[path]["post"]:
            continue
        for body in bodies:
            response = http.post(path, content=body, headers={"content-type": "application/json"})
            if response.status_code != 200:
                expect_error(response, response.status_code)
                expect(400 <= response.status_code < 500, (path, body, response.status_code))
                count += 1
    for path in ["/no/such/path", "/v1/no", "/v1/models/nothing", "/v1/responses/nothing"]:
        expect_error(http.get(path), 404)
    for path in posts:
        response = http.request("PATCH", path)
        expect_error(response, 405)
        expect("POST" in response.headers["allow"], response.headers)
    expect_error(http.post(CHAT, content=b"{}", headers={"content-encoding": "gzip"}), 415, "unsupported_encoding")
    expect_error(http.post(CHAT, content=b" " * (17 << 20)), 413, "request_too_large")
    for path in ["/sleep", "/wake_up", "/classify", "/load_lora_adapter", "/v1/audio/transcriptions"]:
        expect_error(http.post(path, json={}), 400, "unsupported_endpoint")
    return f"{count} errors of {len(posts)} endpoints have their clients' form, an id and a 4xx"


def old_clients(server: ServerProcess, http: httpx.Client) -> str:
    """Who asks before sending, knows HTTP/1.0 only, or asks for the head only."""
    port = int(server.root.rsplit(":", 1)[1])
    body = json.dumps({**ASK, "stream": True}).encode()
    head = f"POST {CHAT} HTTP/1.%d\r\nHost: x\r\nContent-Length: {len(body)}\r\n%s\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as asking:
        asking.sendall((head % (1, "Expect: 100-continue\r\nConnection: close\r\n")).encode())
        expect(asking.recv(1000).startswith(b"HTTP/1.1 100 "), "no 100 Continue")
        asking.sendall(body)
        expect(b"data: [DONE]" in b"".join(iter(lambda: asking.recv(65536), b"")), "no answer")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as old:
        old.sendall((head % (0, "")).encode() + body)
        answer = b"".join(iter(lambda: old.recv(65536), b""))
        expect(answer.endswith(b"data: [DONE]\n\n") and b"chunked" not in answer, answer[:300])
    for path, status in [("/", 200), ("/v1/models", 200), (CHAT, 405), ("/no/such/path", 404)]:
        response = http.head(path)
        expect(response.status_code == status and response.headers["x-request-id"], (path, response.status_code))
    expect(http.get("/health").status_code == 200, "a body behind the head of an answer")
    return "100 Continue, HTTP/1.0 and HEAD"


def models(server: ServerProcess, http: httpx.Client) -> str:
    name = http.get("/v1/models").json()["data"][0]["id"]
    for path, body in [(CHAT, ASK), ("/v1/completions", {"prompt": "a", "max_tokens": 1}),
                       ("/v1/responses", {"input": "a"}), ("/v1/messages", {"max_tokens": 1, "messages": MESSAGES[1:]}),
                       ("/api/chat", {"messages": MESSAGES, "stream": False})]:
        error = expect_error(http.post(path, json={**body, "model": "gpt-9"}), 404)
        expect(name in error["message"], error)
    return "an unknown model is a 404 that names the served ones"


def overflow(server: ServerProcess, http: httpx.Client) -> str:
    error = expect_error(
        http.post(CHAT, json={**ASK, "messages": [{"role": "user", "content": "ship " * 4000}]}), 400,
        "context_length_exceeded")
    expect(str(error["n_prompt_tokens"]) in error["message"] and str(error["n_ctx"]) in error["message"], error)
    return f"{error['n_prompt_tokens']} tokens for a context of {error['n_ctx']} are a 400 with both numbers"


def streams(server: ServerProcess, http: httpx.Client) -> str:
    """Text and calls: one id, integer indices, the name and the id of a call once, [DONE]."""
    for more in [{}, {"tools": [ADD], "tool_choice": "required", "max_tokens": 200}]:
        response = http.post(CHAT, json={**ASK, **more, "stream": True, "stream_options": {"include_usage": True}})
        expect(response.headers.get("x-request-id"), response.headers)
        lines = [line for line in response.text.split("\n\n") if line]
        expect(lines[-1] == "data: [DONE]", lines[-1])
        chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
        expect(len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1, "several ids")
        expect(chunks[0]["choices"][0]["delta"]["role"] == "assistant", chunks[0])
        expect(chunks[-1]["choices"] == [] and chunks[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] >= 0,
               chunks[-1])
        expect(all(chunk["usage"] is None for chunk in chunks[:-1]), "usage is null before the end")
        calls = [call for chunk in chunks[:-1] for call in chunk["choices"][0]["delta"].get("tool_calls") or []]
        finish = [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]][-1]
        if not more:
            expect(not calls and finish in ("stop", "length"), finish)
            continue
        expect(finish == "tool_calls" and calls[0]["function"]["name"] == "add", (finish, calls))
        expect(all(isinstance(call["index"], int) for call in calls), calls)
        expect(calls[0]["id"] and calls[0]["type"] == "function", calls[0])
        expect(all("id" not in call and "name" not in call["function"] for call in calls if call is not calls[0]), calls)
        whole = json.loads("".join(call["function"]["arguments"] for call in calls))
        expect(set(whole) == {"a", "b"}, whole)
    return "streams: one id, role first, calls with index, id and name once, [DONE]"


def silence(server: ServerProcess, http: httpx.Client) -> str:
    """A stream that waits for a paused engine gets comments, and goes on."""
    http.post("/pause_generation", json={"mode": "in_place"})
    threading.Timer(17, lambda: httpx.post(server.root + "/continue_generation")).start()
    since = time.monotonic()
    comments, events = 0, 0
    with http.stream("POST", CHAT, json={**ASK, "stream": True}, timeout=60) as response:
        for line in response.iter_lines():
            comments += line.startswith(":")
            events += line.startswith("data:")
    expect(comments >= 1 and events > 2, (comments, events))
    return f"{comments} comment(s) in {time.monotonic() - since:.0f} s of silence, then the answer"


def full_queue(binary: Path) -> str:
    async def burst(root: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=root, timeout=60) as http:
            body = {**ASK, "max_tokens": 200, "ignore_eos": True}
            return await asyncio.gather(*(http.post(CHAT, json=body) for _ in range(12)))

    with ServerProcess(binary, ["--max-running-requests", "1", "--max-queued-requests", "2"]) as server:
        answers = asyncio.run(burst(server.root))
        refused = [answer for answer in answers if answer.status_code != 200]
        for answer in refused:
            expect_error(answer, 429, "queue_full")
            expect(int(answer.headers["retry-after"]) >= 1, answer.headers)
        expect(refused and len(refused) < 12, len(refused))
        # The official client waits and asks again.
        from openai import OpenAI

        client = OpenAI(base_url=server.base_url, api_key="none", max_retries=2)
        expect(client.chat.completions.create(**ASK).choices, "retry")
    return f"a full queue: {len(refused)} of 12 requests get 429 with retry-after"


def keys_and_names(binary: Path) -> str:
    with ServerProcess(binary, ["--enable-any-model-name"], api_key="sk-test") as server:
        with httpx.Client(base_url=server.root) as http:
            for headers in [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}]:
                for path in [CHAT, "/v1/messages", "/api/chat", "/generate"]:
                    expect_error(http.post(path, json=ASK, headers=headers), 401)
            for path in ["/health", "/livez", "/readyz"]:
                expect(http.get(path).status_code == 200, path)
            answer = http.post(CHAT, json={**ASK, "model": "gpt-9"}, headers=server.headers).json()
            expect(answer["model"] == "gpt-9", answer)
    return "a wrong key is a 401 in each API's form; with --enable-any-model-name every name is answered"


def loading(binary: Path, model: str | None) -> str:
    """From the first connection on: alive at once, 503 with retry-after until ready, then as fast as ever."""
    port = free_port()
    command = [str(binary), "serve", "--port", str(port), *(["--model-path", model] if model else [])]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = 0
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            began = time.monotonic()
            while time.monotonic() - began < 120:
                try:
                    expect(http.get("/livez").status_code == 200, "livez")
                    ready = http.get("/readyz")
                    if ready.status_code == 200:
                        break
                    for response in [ready, http.get("/health"), http.post("/generate", json={"text": "a"})]:
                        if response.status_code != 200:
                            expect_error(response, 503, "model_loading")
                            expect(response.headers["retry-after"], response.headers)
                            seen += 1
                except httpx.TransportError:
                    time.sleep(0.002)
            times = []
            for _ in range(100):
                since = time.perf_counter()
                body = {"input_ids": [5, 6, 7], "sampling_params": {"max_new_tokens": 4, "temperature": 0}}
                expect(http.post("/generate", json=body).status_code == 200, "generate")
                times.append((time.perf_counter() - since) * 1000)
            health = []
            for _ in range(50):
                since = time.perf_counter()
                http.get("/health")
                health.append((time.perf_counter() - since) * 1000)
    finally:
        server.terminate()
        server.wait(30)
    later = sorted(times[50:])[25]
    # One request's own noise on a busy machine; a cold kernel, template or tokenizer costs far more.
    expect(times[0] < later * 3 + 30, (times[0], later))
    expect(seen > 0, "the port opened only when the model was ready")
    return (f"{seen} requests while the model loaded got 503 with retry-after; the first answer took {times[0]:.1f} ms, "
            f"the median of the second fifty {later:.1f} ms; /health {sorted(health)[25]:.1f} ms")


def examples(server: ServerProcess, http: httpx.Client) -> str:
    """Every file of examples/, as its README says."""
    files = sorted(file for file in (REPOSITORY / "examples").iterdir() if file.suffix in (".py", ".sh"))
    program = Path(server.arguments[0]).resolve()
    settings = {**os.environ, "RADISH_URL": server.root, "BENCH": f"{program} bench serving"}
    for file in files:
        command = [sys.executable, file] if file.suffix == ".py" else ["sh", file]
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(command, cwd=folder, env=settings, text=True, capture_output=True, timeout=120)
        expect(run.returncode == 0 and run.stdout.strip(), (file.name, run.stderr[-300:]))
        lines = run.stdout.strip().splitlines()
        print("    | " + "\n    | ".join(lines if len(lines) < 20 else [f"{file.name}: {len(lines)} lines"]))
    return f"{', '.join(file.name for file in files)} run"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--slow-model", help="a model directory that takes a while to load")
    arguments = parser.parse_args()
    failures = 0

    def told(name: str, check) -> None:
        nonlocal failures
        try:
            print(f"ok   {name}: {check()}", flush=True)
        except Exception as error:
            failures += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)

    with ServerProcess(arguments.binary) as server, httpx.Client(base_url=server.root, timeout=60) as http:
        for check in [error_forms, old_clients, models, overflow, streams, silence, examples]:
            told(check.__name__, lambda: check(server, http))
        server.wait_until_idle()
    told("full_queue", lambda: full_queue(arguments.binary))
    told("keys_and_names", lambda: keys_and_names(arguments.binary))
    told("loading", lambda: loading(arguments.binary, arguments.slow_model))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
