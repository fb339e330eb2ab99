#!/usr/bin/env python3
"""`make smoke`: the official `openai` package, and some raw HTTP, against the real server.

Starts `radish serve` three times: with the embedded demo model, with the same model and `--disable-radix-cache`, and
with shared/models/stories260k where that is at hand. One line for each check, then "N passed, N failed".
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import httpx
import openai
from openai import AsyncOpenAI, OpenAI

from check_list import CheckList
from server_process import DEFAULT_BINARY, ServerProcess, assert_accounted, shared_model

DOCUMENT = """Use only the following facts.

The captain of the ship Velmora is Teren Oskai.
The ship Velmora is 47 metres long.
The home port of the ship Velmora is Brenast.
The captain of the ship Kasdrin is Ilka Sond.
The ship Kasdrin is 112 metres long.
The cargo of the ship Kasdrin is tea and copper.
The mayor of the city Brenast is Pavo Lirtan.
The population of the city Brenast is 41307.
The city Brenast lies on the river Ondra.
The mayor of the city Tolvis is Marek Fonde.
The city Tolvis was founded in 1483.
The home town of Ilka Sond is Tolvis.
The age of Ilka Sond is 52.
The favourite colour of Pavo Lirtan is dark green."""

QUESTIONS = (
    "Who is the captain of the ship Velmora?",
    "How long is the ship Kasdrin?",
    "Who is the mayor of Brenast?",
    "When was the city Tolvis founded?",
    "Where does Ilka Sond live?",
)


def about(document: str, question: str) -> list[dict]:
    return [{"role": "system", "content": document}, {"role": "user", "content": question}]


def expect(found, wanted, what: str) -> None:
    assert found == wanted, f"{what}: expected {wanted!r}, found {found!r}"


def cached_tokens(usage) -> int:
    details = usage.prompt_tokens_details
    assert details is not None and details.cached_tokens is not None, "usage has no prompt_tokens_details.cached_tokens"
    return details.cached_tokens


class DemoChecks:
    """What is asked of a server with the demo model and the prefix cache."""

    def __init__(self, server: ServerProcess):
        self.server = server
        self.client = OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0, timeout=60)
        self.model = ""
        self.shared_answers: list[str] = []

    def chat(self, messages: list[dict], **options):
        return self.client.chat.completions.create(
            **{"model": self.model, "messages": messages, "temperature": 0, "max_tokens": 48, **options}
        )

    # Listing and health

    def health(self):
        for path in ("/health", "/health_generate"):
            expect(httpx.get(self.server.root + path, timeout=30).status_code, 200, path)

    def models(self):
        listed = self.client.models.list().data
        assert listed, "/v1/models lists no model"
        self.model = listed[0].id
        expect(self.client.models.retrieve(self.model).id, self.model, "the model retrieved by its name")
        return self.model

    def native_information(self):
        for path in ("/get_model_info", "/version"):
            response = httpx.get(self.server.root + path, timeout=10)
            expect(response.status_code, 200, path)
            assert isinstance(response.json(), dict), f"{path} is no JSON object"

    # Chat

    def chat_greeting(self):
        reply = self.chat([{"role": "user", "content": "Hello!"}])
        choice = reply.choices[0]
        assert choice.message.content.startswith("Hello!"), f"a greeting was answered with {choice.message.content!r}"
        expect(choice.message.role, "assistant", "role")
        expect(choice.finish_reason, "stop", "finish_reason")
        expect(reply.object, "chat.completion", "object")
        expect(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens, "total_tokens")
        return choice.message.content

    def chat_streaming(self):
        messages = [{"role": "user", "content": "Who are you?"}]
        whole = self.chat(messages)
        pieces, reasons, usages = [], [], []
        for chunk in self.chat(messages, stream=True, stream_options={"include_usage": True}):
            expect(chunk.object, "chat.completion.chunk", "object")
            if chunk.usage is not None:
                expect(chunk.choices, [], "choices of the usage chunk")
                usages.append(chunk.usage)
            for choice in chunk.choices:
                pieces.append(choice.delta.content or "")
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
        expect("".join(pieces), whole.choices[0].message.content, "streamed text")
        expect(reasons, ["stop"], "finish reasons")
        expect([usage.completion_tokens for usage in usages], [whole.usage.completion_tokens], "streamed usage")
        filled = sum(1 for piece in pieces if piece)
        assert filled > 1, "the text came in one piece"
        return f"{filled} pieces"

    def chat_streaming_without_usage(self):
        for chunk in self.chat([{"role": "user", "content": "hi"}], stream=True):
            assert chunk.usage is None, "usage came though it was not asked for"

    def conversation(self):
        messages = about(DOCUMENT, QUESTIONS[0])
        first = self.chat(messages).choices[0].message.content
        messages += [{"role": "assistant", "content": first}, {"role": "user", "content": QUESTIONS[1]}]
        reply = self.chat(messages)
        assert cached_tokens(reply.usage) > 100, f"only {cached_tokens(reply.usage)} tokens of turn one were reused"
        return f"{first!r}, then {reply.choices[0].message.content!r}"

    # Sampling parameters

    def max_tokens(self):
        reply = self.chat([{"role": "user", "content": "Hello!"}], max_tokens=3)
        expect(reply.choices[0].finish_reason, "length", "finish_reason")
        expect(reply.usage.completion_tokens, 3, "completion_tokens")
        reply = self.chat([{"role": "user", "content": "Hello!"}], max_tokens=None, extra_body={"max_completion_tokens": 2})
        expect(reply.usage.completion_tokens, 2, "completion_tokens for max_completion_tokens 2")

    def stop_strings(self):
        messages = [{"role": "user", "content": "Hello!"}]
        whole = self.chat(messages).choices[0].message.content
        stop = whole[8:12]
        wanted = whole[: whole.index(stop)]
        reply = self.chat(messages, stop=[stop])
        expect(reply.choices[0].message.content, wanted, f"text up to {stop!r}")
        expect(reply.choices[0].finish_reason, "stop", "finish_reason")
        chunks = self.chat(messages, stop=[stop], stream=True)
        streamed = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        expect(streamed, wanted, f"streamed text up to {stop!r}")

    def seeds(self):
        def sample(seed: int) -> str:
            options = {"temperature": 2.0, "top_p": 1.0, "seed": seed, "extra_body": {"top_k": -1}}
            return self.chat([{"role": "user", "content": "Hello!"}], **options).choices[0].message.content

        expect(sample(7), sample(7), "the text of the same seed")
        assert len({sample(seed) for seed in range(8)}) > 1, "eight seeds gave one text at temperature 2"

    # Completions

    def completion(self):
        prompt = "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"
        options = {"model": self.model, "prompt": prompt, "temperature": 0, "max_tokens": 48}
        reply = self.client.completions.create(**options)
        expect(reply.object, "text_completion", "object")
        expect(
            reply.choices[0].text, self.chat([{"role": "user", "content": "Hello!"}]).choices[0].message.content,
            "completion of the rendered chat",
        )
        expect(reply.choices[0].finish_reason, "stop", "finish_reason")
        streamed = "".join(
            choice.text for chunk in self.client.completions.create(**options, stream=True) for choice in chunk.choices
        )
        expect(streamed, reply.choices[0].text, "streamed text")

    def completion_batch(self):
        prompts = ["The captain of the ship", "The mayor of the city", "The age of"]
        options = {"model": self.model, "temperature": 0, "max_tokens": 8}
        together = self.client.completions.create(prompt=prompts, **options)
        expect([choice.index for choice in together.choices], [0, 1, 2], "indices")
        alone = [self.client.completions.create(prompt=prompt, **options).choices[0].text for prompt in prompts]
        expect([choice.text for choice in together.choices], alone, "texts of a batch")

    def completion_token_ids(self):
        options = {"model": self.model, "temperature": 0, "max_tokens": 4}
        reply = self.client.completions.create(prompt=[300, 301, 302], **options)
        expect(reply.usage.prompt_tokens, 3, "prompt_tokens")
        expect(len(self.client.completions.create(prompt=[[300, 301], [302]], **options).choices), 2, "choices")

    # The prefix cache

    async def ask_shared(self) -> list[tuple[str, int]]:
        """The five questions at once; (text, cached tokens) of each."""
        async with AsyncOpenAI(
            base_url=self.server.base_url, api_key=self.server.api_key, max_retries=0, timeout=60
        ) as client:
            replies = await asyncio.gather(
                *(
                    client.chat.completions.create(
                        model=self.model, messages=about(DOCUMENT, question), temperature=0, max_tokens=48
                    )
                    for question in QUESTIONS
                )
            )
        return [(reply.choices[0].message.content, cached_tokens(reply.usage)) for reply in replies]

    def shared_document(self):
        expect(httpx.post(self.server.root + "/flush_cache", timeout=10).status_code, 200, "/flush_cache")
        asked = asyncio.run(self.ask_shared())
        self.shared_answers = [text for text, _ in asked]
        reused = [cached for _, cached in asked]
        assert sum(cached > 0 for cached in reused) >= 4, f"cached tokens of the five requests: {reused}"
        return f"cached tokens {reused}"

    def warm_up(self):
        """As many tools warm a document before the users come: several requests at once that ask for one token."""
        document = DOCUMENT.replace("Velmora", "Andulin").replace("Brenast", "Morvath")

        async def warm() -> list:
            async with AsyncOpenAI(
                base_url=self.server.base_url, api_key=self.server.api_key, max_retries=0, timeout=60
            ) as client:
                return await asyncio.gather(
                    *(
                        client.chat.completions.create(
                            model=self.model, messages=about(document, question), temperature=0, max_tokens=1
                        )
                        for question in QUESTIONS[1:4]
                    )
                )

        for reply in asyncio.run(warm()):
            expect(reply.usage.completion_tokens, 1, "completion_tokens")
            expect(reply.choices[0].finish_reason, "length", "finish_reason")
        usage = self.chat(about(document, "Who is the captain of the ship Andulin?")).usage
        share = cached_tokens(usage) / usage.prompt_tokens
        assert share > 0.8, f"only {share:.0%} of a warmed prompt came from the cache"
        return f"{share:.0%} of the next prompt cached"

    # Clients that go away

    def disconnect(self):
        """A stream that is left must end long before it would have ended by itself, and give its pages back."""
        options = {"max_tokens": 1500, "stream": True, "extra_body": {"ignore_eos": True}}
        messages = [{"role": "user", "content": "Hello!"}]

        since = time.monotonic()
        chunks = sum(1 for chunk in self.chat(messages, **options) if chunk.choices)
        whole = time.monotonic() - since
        assert chunks > 100, f"a stream of 1500 tokens came in {chunks} chunks"

        spent = []
        for _ in range(3):
            since = time.monotonic()
            stream = self.chat(messages, **options)
            for _, _ in zip(range(5), stream):
                pass
            running = self.server.info()["requests"]["running"]
            stream.close()
            assert_accounted(self.server.wait_until_idle()["pages"])
            expect(running, 1, "running requests while the stream was open")
            spent.append(time.monotonic() - since)
        assert min(spent) < 0.8 * whole, f"left streams ran {spent} s, a whole one {whole:.2f} s"
        return f"idle after {min(spent):.2f} s instead of {whole:.2f} s"

    def disconnect_unstreamed(self):
        """The same for a client that gives up waiting for an unstreamed answer."""
        impatient = self.client.with_options(timeout=0.05)
        body = {"model": self.model, "temperature": 0, "max_tokens": 1900, "extra_body": {"ignore_eos": True}}
        try:
            impatient.chat.completions.create(messages=[{"role": "user", "content": "Hello!"}], **body)
        except openai.APITimeoutError:
            pass
        assert_accounted(self.server.wait_until_idle()["pages"])

    # Requests that cannot be served

    def malformed(self, path: str, body: str | dict, status: int, parameter: str | None):
        content = body if isinstance(body, str) else json.dumps(body)
        response = httpx.post(
            self.server.root + path, content=content, timeout=60, headers={"Content-Type": "application/json"}
        )
        expect(response.status_code, status, f"status ({response.text[:200]})")
        error = response.json()["error"]
        assert error.get("message") and error.get("type"), f"error without message or type: {error}"
        assert "param" in error, f"error without param: {error}"
        found = error["param"]
        if parameter is not None and found is not None:
            found = found.split(".")[0].split("[")[0]
        expect(found, parameter, "error.param")
        return error["message"]

    def malformed_requests(self) -> list[tuple]:
        hello = [{"role": "user", "content": "Hello!"}]
        chat, completion = "/v1/chat/completions", "/v1/completions"

        def with_model(**body) -> dict:
            return {"model": self.model, **body}

        return [
            ("cut-off JSON", chat, '{"model": "demo", "messages": [', 400, None),
            ("JSON that is no object", chat, "[1, 2]", 400, None),
            ("no messages", chat, with_model(), 400, "messages"),
            ("empty messages", chat, with_model(messages=[]), 400, "messages"),
            ("messages of the wrong type", chat, with_model(messages="Hello!"), 400, "messages"),
            ("a message without role", chat, with_model(messages=[{"content": "Hello!"}]), 400, "messages"),
            ("temperature -1", chat, with_model(messages=hello, temperature=-1), 400, "temperature"),
            ("temperature of the wrong type", chat, with_model(messages=hello, temperature="hot"), 400, "temperature"),
            ("top_p 1.5", chat, with_model(messages=hello, top_p=1.5), 400, "top_p"),
            ("max_tokens -1", chat, with_model(messages=hello, max_tokens=-1), 400, "max_tokens"),
            ("stream of the wrong type", chat, with_model(messages=hello, stream="yes"), 400, "stream"),
            ("unknown model", chat, {"model": "no-such-model", "messages": hello}, 404, "model"),
            ("too long a prompt", chat, with_model(messages=about(DOCUMENT * 20, QUESTIONS[0])), 400, "messages"),
            ("no prompt", completion, with_model(), 400, "prompt"),
            ("a prompt of the wrong type", completion, with_model(prompt={"text": "hi"}), 400, "prompt"),
            ("token ids that no token has", completion, with_model(prompt=[1, 99999999]), 400, "prompt"),
        ]

    def client_exceptions(self):
        for options, wanted in (({"temperature": -1}, openai.BadRequestError), ({"model": "x"}, openai.NotFoundError)):
            try:
                self.chat([{"role": "user", "content": "Hello!"}], **options)
            except wanted:
                continue
            raise AssertionError(f"{options} raised no {wanted.__name__}")

    def unknown_path(self):
        expect(httpx.get(self.server.root + "/v1/no-such-path", timeout=10).status_code, 404, "status")

    def wrong_method(self):
        status = httpx.get(self.server.root + "/v1/chat/completions", timeout=10).status_code
        assert status in (404, 405), f"GET /v1/chat/completions: {status}"

    def accounts(self):
        pages = self.server.wait_until_idle()["pages"]
        assert_accounted(pages)
        return f"{pages['free']} free + {pages['cached']} cached = {pages['total']}"

    def graceful_end(self):
        """A stream that runs when the server is asked to end is finished; then the server ends with status 0."""
        options = {"max_tokens": 400, "stream": True, "extra_body": {"ignore_eos": True}}
        chunks = iter(self.chat([{"role": "user", "content": "Hello!"}], **options))
        for _, _ in zip(range(3), chunks):
            pass
        self.server.process.terminate()
        reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
        expect(reasons, ["length"], "finish reasons of the stream that was running")
        expect(self.server.stop(), 0, "exit status")


def check_demo(checks: CheckList, binary: Path) -> list[str]:
    """The demo model with the cache; returns the five shared-document answers."""
    with ServerProcess(binary) as server:
        demo = DemoChecks(server)
        checks.check("demo: health", demo.health)
        if not checks.check("demo: models", demo.models):
            return []
        checks.check("demo: model information and version", demo.native_information)
        checks.check("demo: five questions about one document at once share its tokens", demo.shared_document)
        checks.check("demo: a warmed document is served from the cache", demo.warm_up)
        checks.check("demo: chat", demo.chat_greeting)
        checks.check("demo: chat, streaming", demo.chat_streaming)
        checks.check("demo: chat, streaming without usage", demo.chat_streaming_without_usage)
        checks.check("demo: conversation of two turns", demo.conversation)
        checks.check("demo: max_tokens and max_completion_tokens", demo.max_tokens)
        checks.check("demo: stop strings", demo.stop_strings)
        checks.check("demo: same seed, same text", demo.seeds)
        checks.check("demo: completion, streaming and not", demo.completion)
        checks.check("demo: completion of a batch of prompts", demo.completion_batch)
        checks.check("demo: completion of token ids", demo.completion_token_ids)
        checks.check("demo: a client that leaves a stream frees its pages", demo.disconnect)
        checks.check("demo: a client that leaves an unstreamed request frees its pages", demo.disconnect_unstreamed)
        for name, *request in demo.malformed_requests():
            checks.check(f"demo: refuses {name}", demo.malformed, *request)
        checks.check("demo: refusals as exceptions of the openai package", demo.client_exceptions)
        checks.check("demo: unknown path", demo.unknown_path)
        checks.check("demo: wrong method", demo.wrong_method)
        checks.check("demo: free + cached = total, nothing leased", demo.accounts)
        checks.check("demo: ends gracefully", demo.graceful_end)
        return demo.shared_answers


def check_without_cache(checks: CheckList, binary: Path, shared_answers: list[str]) -> None:
    with ServerProcess(binary, ["--disable-radix-cache"], api_key="smoke-key") as server:
        demo = DemoChecks(server)
        checks.check("no cache: models", demo.models)

        def same_answers():
            asked = asyncio.run(demo.ask_shared())
            expect([text for text, _ in asked], shared_answers, "answers")
            expect([cached for _, cached in asked], [0] * len(QUESTIONS), "cached tokens")
            return ", ".join(repr(text) for text, _ in asked)

        def api_key():
            stranger = OpenAI(base_url=server.base_url, api_key="another-key", max_retries=0)
            try:
                stranger.chat.completions.create(model=demo.model, messages=[{"role": "user", "content": "hi"}])
            except openai.AuthenticationError:
                return
            raise AssertionError("a wrong API key was accepted")

        checks.check("no cache: the same five answers, nothing cached", same_answers)
        checks.check("no cache: a wrong API key is refused", api_key)


def check_stories(checks: CheckList, binary: Path) -> None:
    directory = shared_model("stories260k")
    if directory is None:
        checks.skip("stories260k", "shared/models/stories260k is not beside the repository (or in $RADISH_SHARED)")
        return
    wanted = (directory / "expected.txt").read_text()
    # The known text is 200 generated tokens long.
    body = {"input_ids": [1], "sampling_params": {"temperature": 0, "max_new_tokens": 200}}
    with ServerProcess(binary, ["--model-path", str(directory)]) as server:

        def greedy():
            reply = httpx.post(server.root + "/generate", json=body, timeout=60)
            expect(reply.status_code, 200, "status")
            expect(reply.json()["text"], wanted, "text")
            expect(reply.json()["meta_info"]["completion_tokens"], 200, "completion_tokens")

        def streamed():
            text = ""
            with httpx.stream("POST", server.root + "/generate", json={**body, "stream": True}, timeout=60) as reply:
                for line in reply.iter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        # The native form repeats all the text so far in every event.
                        text = json.loads(line.removeprefix("data: "))["text"]
            expect(text, wanted, "text")

        def completion():
            client = OpenAI(base_url=server.base_url, api_key="none", max_retries=0, timeout=60)
            model = client.models.list().data[0].id
            reply = client.completions.create(model=model, prompt=[1], temperature=0, max_tokens=200)
            expect(reply.choices[0].text, wanted, "text")

        checks.check("stories260k: greedy /generate from input_ids [1] gives expected.txt", greedy)
        checks.check("stories260k: the same, streaming", streamed)
        checks.check("stories260k: the same as a completion of token ids", completion)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY, help="the radish to start (default %(default)s)")
    options = parser.parse_args()
    checks = CheckList()
    shared_answers: list[str] = []

    def demo():
        shared_answers.extend(check_demo(checks, options.binary))

    # A server that does not start, or ends before it should, is a failed check like any other.
    for name, part in (
        ("demo model served", demo),
        ("demo model served without cache", lambda: check_without_cache(checks, options.binary, shared_answers)),
        ("stories260k served", lambda: check_stories(checks, options.binary)),
    ):
        checks.check(name, part)
    return checks.close()


if __name__ == "__main__":
    sys.exit(main())
