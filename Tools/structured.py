#!/usr/bin/env python3
"""`make structured`: constrained answers of the real server, judged by the `jsonschema` package.

The demo model, and stories260k (which knows no JSON at all) where it is at hand, answer fifty schemas through
/v1/chat/completions, streaming and not, sixteen at a time, beside requests without a constraint whose answers must be,
byte by byte, those of an undisturbed server. Then every spelling of every constraint, the end at max_tokens, tool calls in
each format, mistakes and hostile constraints. With --speed also the ratio of constrained to free tokens per second.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path

import httpx
import jsonschema
from openai import AsyncOpenAI, OpenAI

from check_list import CheckList
from server_process import DEFAULT_BINARY, ServerProcess, shared_model
from structured_schemas import SCHEMAS

# Names `tools`, so that they are not described in the prompt: the context of stories260k is too short for that.
PLAIN_TEMPLATE = "{% if tools %}{% endif %}{% for message in messages %}{{ message.content }} {% endfor %}"
AT_ONCE = 16
TOOL_CALL_PARSERS = [
    "hermes", "llama3", "mistral", "deepseekv3", "deepseekv31", "kimi_k2", "pythonic", "qwen3_coder", "glm45", "glm47",
    "gpt-oss",
]
FREE = [
    {
        "messages": [{"role": "user", "content": f"Tell me the story of ship number {number}."}],
        "temperature": 0.9 if number % 2 else 0,
        "seed": number,
        "max_tokens": 96,
        "logprobs": number % 3 == 0,
    }
    for number in range(6)
]


def validate(instance_text: str, schema: dict, name: str = "") -> None:
    draft = jsonschema.Draft7Validator if "draft 7" in name else jsonschema.Draft202012Validator
    draft(schema, format_checker=draft.FORMAT_CHECKER).validate(json.loads(instance_text))


class Structured:
    def __init__(self, server: ServerProcess):
        self.server = server
        self.client = AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0, timeout=300)
        self.sync = OpenAI(base_url=server.base_url, api_key="none", max_retries=0, timeout=300)

    async def free(self, options: dict) -> str:
        answer = await self.client.chat.completions.create(model="default", **options)
        choice = answer.choices[0]
        bits = [(entry.token, entry.logprob) for entry in choice.logprobs.content] if choice.logprobs else []
        return json.dumps([choice.message.content, choice.finish_reason, bits])

    async def undisturbed(self) -> list[str]:
        return [await self.free(options) for options in FREE]

    async def constrained(self, name: str, schema: dict, stream: bool, seed: int) -> tuple[str, int, int]:
        options = {
            "model": "default",
            "messages": [{"role": "user", "content": f"Give me {name} as JSON."}],
            "temperature": (0, 0.8, 1.2)[seed % 3],
            "seed": seed,
            "max_tokens": 220,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}},
            "extra_body": {"constraint_options": {"close_in_budget": True}},
        }
        if not stream:
            answer = await self.client.chat.completions.create(**options)
            content, reason, usage = answer.choices[0].message.content, answer.choices[0].finish_reason, answer.usage
        else:
            content, reason, usage = "", None, None
            events = await self.client.chat.completions.create(
                **options, stream=True, stream_options={"include_usage": True}
            )
            async for event in events:
                usage = event.usage or usage
                for choice in event.choices:
                    content += choice.delta.content or ""
                    reason = choice.finish_reason or reason
        assert reason == "stop", f"{name}: finish_reason {reason!r} after {content!r}"
        try:
            validate(content, schema, name)
        except Exception as error:
            raise AssertionError(f"{name}: {content!r}: {error}") from error
        details = usage.completion_tokens_details.model_dump()
        return content, usage.completion_tokens, details.get("forced_tokens") or 0

    async def all_schemas(self, alone: list[str]) -> str:
        """`alone`: what the free requests were answered before there were others."""
        gate = asyncio.Semaphore(AT_ONCE)
        tokens = forced = 0

        async def one(place: int, name: str, schema: dict, stream: bool):
            async with gate:
                return await self.constrained(name, schema, stream, place)

        jobs = [one(place, name, schema, stream) for stream in (False, True)
                for place, (name, schema) in enumerate(SCHEMAS.items())]
        neighbours = asyncio.gather(*(self.free(options) for options in FREE * 2))
        results = await asyncio.gather(*jobs, return_exceptions=True)
        beside = await neighbours
        wrong = [str(result) for result in results if isinstance(result, BaseException)]
        assert not wrong, f"{len(wrong)} of {len(results)}: " + "; ".join(wrong[:5])
        half = len(SCHEMAS)
        differ = [name for place, name in enumerate(SCHEMAS) if results[place][0] != results[place + half][0]]
        assert not differ, f"streamed and whole answers differ: {differ}"
        for place, text in enumerate(beside):
            assert text == alone[place % len(FREE)], f"free request {place % len(FREE)} was disturbed: {text}"
        for _, count, jumped in results:
            tokens += count
            forced += jumped
        return f"{len(results)} valid, {tokens} tokens, {forced} of them forced"

    # Other forms

    def generate(self, parameters: dict) -> dict:
        body = {"text": "Say it:", "sampling_params": {"max_new_tokens": 60, "temperature": 0.7, **parameters}}
        response = httpx.post(self.server.root + "/generate", json=body, timeout=120)
        response.raise_for_status()
        return response.json()

    def other_forms(self) -> None:
        for name in ("regex", "guided_regex"):
            if name == "regex":
                text = self.generate({"regex": "[a-f]{3}-[0-9]{2,4}"})["text"]
            else:
                text = self.sync.completions.create(
                    model="default", prompt="Say", max_tokens=60, extra_body={name: "[a-f]{3}-[0-9]{2,4}"}
                ).choices[0].text
            assert re.fullmatch("[a-f]{3}-[0-9]{2,4}", text), f"{name}: {text!r}"
        text = self.generate({"ebnf": 'root ::= "(" ("a" | root) ")"'})["text"]
        assert re.fullmatch(r"\(+a\)+", text) and text.count("(") == text.count(")"), text
        text = self.generate({"json_schema": json.dumps(SCHEMAS["enum"])})["text"]
        validate(text, SCHEMAS["enum"])
        choices = ["yes", "no", "perhaps not"]
        for body in ({"guided_choice": choices}, {"structured_outputs": {"choice": choices}}):
            answer = self.sync.chat.completions.create(
                model="default", messages=[{"role": "user", "content": "Well?"}], extra_body=body
            )
            assert answer.choices[0].message.content in choices, answer
            assert answer.choices[0].finish_reason == "stop", answer
        answer = self.sync.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": "Anything as JSON"}],
            response_format={"type": "json_object"},
            max_tokens=120,
            extra_body={"constraint_options": {"close_in_budget": True}},
        )
        assert isinstance(json.loads(answer.choices[0].message.content), dict), answer

    def every_spelling(self) -> str:
        """Each kind of constraint in each of its spellings, on chat, completions and /generate."""
        pattern, grammar = "[a-f]{3}-[0-9]{2,4}", 'root ::= "(" ("a" | root) ")"'
        schema, choices = SCHEMAS["enum"], ["yes", "no", "perhaps not"]
        ordinary = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"], "additionalProperties": False}
        tag = {
            "structures": [{"begin": "<n>", "schema": ordinary, "end": "</n>"}],
            "triggers": ["<n>"], "at_least_one": True, "stop_after_first": True,
        }

        def is_json(wanted):
            return lambda text: validate(text, wanted)

        def matches(wanted):
            def check(text):
                assert re.fullmatch(wanted, text), text
            return check

        def is_tagged(text):
            begin, end = text.index("<n>"), text.index("</n>")
            validate(text[begin + 3 : end], ordinary)
            assert end == len(text) - 4, text

        def is_object(text):
            assert isinstance(json.loads(text), dict), text

        def is_choice(text):
            assert text in choices, text

        named = {"name": "x", "schema": schema}
        both = [
            ({"response_format": {"type": "json_schema", "json_schema": {**named, "strict": True}}}, is_json(schema)),
            ({"response_format": {"type": "json_schema", "json_schema": {**named, "strict": False}}}, is_json(schema)),
            ({"response_format": {"type": "json_object"}}, is_object),
            ({"response_format": {"type": "structural_tag", **tag}}, is_tagged),
            ({"json_schema": schema}, is_json(schema)), ({"json_schema": json.dumps(schema)}, is_json(schema)),
            ({"guided_json": schema}, is_json(schema)), ({"structured_outputs": {"json": schema}}, is_json(schema)),
            ({"guided_json_object": True}, is_object), ({"structured_outputs": {"json_object": True}}, is_object),
            ({"regex": pattern}, matches(pattern)), ({"guided_regex": pattern}, matches(pattern)),
            ({"structured_outputs": {"regex": pattern}}, matches(pattern)),
            ({"ebnf": grammar}, matches(r"\(+a\)+")), ({"guided_grammar": grammar}, matches(r"\(+a\)+")),
            ({"structured_outputs": {"grammar": grammar}}, matches(r"\(+a\)+")),
            ({"guided_choice": choices}, is_choice), ({"structured_outputs": {"choice": choices}}, is_choice),
            ({"structural_tag": tag}, is_tagged), ({"structured_outputs": {"structural_tag": tag}}, is_tagged),
        ]
        close = {"constraint_options": {"close_in_budget": True}}
        common = {"model": "default", "max_tokens": 60, "temperature": 0.7, **close}
        for fields, check in both:
            for path, prompt in (("chat/completions", {"messages": [{"role": "user", "content": "Say it."}]}),
                                 ("completions", {"prompt": "Say it:"})):
                body = {**common, **prompt, **fields}
                response = httpx.post(f"{self.server.root}/v1/{path}", json=body, timeout=120)
                assert response.status_code == 200, (path, fields, response.text)
                choice = response.json()["choices"][0]
                assert choice["finish_reason"] == "stop", (path, fields, choice)
                check(choice["message"]["content"] if "message" in choice else choice["text"])
        native = [
            ({"json_schema": schema}, is_json(schema)), ({"json_schema": json.dumps(schema)}, is_json(schema)),
            ({"regex": pattern}, matches(pattern)), ({"ebnf": grammar}, matches(r"\(+a\)+")),
            ({"structural_tag": json.dumps(tag)}, is_tagged),
        ]
        for fields, check in native:
            check(self.generate({**fields, **close})["text"])
        return f"{2 * len(both) + len(native)} requests"

    def ends(self) -> None:
        """Cut off at max_tokens the answer says so; with close_in_budget it ends in time instead."""
        schema = {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 4}
        for budget in (24, 40, 64, 120):
            body = {
                "model": "default", "messages": [{"role": "user", "content": "A list."}], "max_tokens": budget,
                "json_schema": schema, "temperature": 1, "seed": budget,
            }
            for closes in (False, True):
                options = {"constraint_options": {"close_in_budget": closes}}
                response = httpx.post(
                    self.server.root + "/v1/chat/completions", json={**body, **options}, timeout=120).json()
                choice, used = response["choices"][0], response["usage"]["completion_tokens"]
                assert used <= budget, response
                if closes or choice["finish_reason"] == "stop":
                    assert choice["finish_reason"] == "stop", response
                    validate(choice["message"]["content"], schema)
                else:
                    assert choice["finish_reason"] == "length" and used == budget, response

    TOOLS = [
        {"type": "function", "function": {"name": "get_ship", "parameters": SCHEMAS["person"]}},
        {"type": "function", "function": {"name": "add", "strict": True, "parameters": SCHEMAS["bounded integer"]}},
    ]
    # Arguments of a call are an object; formats that write them by name know no other.
    NAMED_TOOLS = [
        {"type": "function", "function": {"name": "get_ship", "strict": True, "parameters": SCHEMAS["person"]}},
        {"type": "function", "function": {"name": "note", "strict": True, "parameters": {
            "type": "object", "required": ["text", "size"], "additionalProperties": False,
            "properties": {"text": {"type": "string", "maxLength": 12}, "size": {"type": "integer", "maximum": 99},
                           "tags": {"type": "array", "items": {"enum": ["red", "blue"]}, "maxItems": 2}}}}},
    ]

    def tool_calls(self, tools: list | None = None) -> str:
        tools = tools or self.TOOLS
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
        last = tools[-1]["function"]["name"]
        called = 0
        for choice in ("required", {"type": "function", "function": {"name": last}}, "auto"):
            for parallel in (False, True):
                options = {
                    "model": "default",
                    "messages": [{"role": "user", "content": "Do it."}],
                    "tools": tools,
                    "tool_choice": choice,
                    "parallel_tool_calls": parallel,
                    "max_tokens": 200,
                    "temperature": 1,
                    "seed": 3,
                    "extra_body": {"constraint_options": {"close_in_budget": True}},
                }
                message = self.sync.chat.completions.create(**options).choices[0]
                calls = message.message.tool_calls or []
                called += len(calls)
                assert calls or choice == "auto", message
                # Where the model has no format of its own, "auto" leaves it free, and free text may be cut off.
                ends = ["tool_calls"] if calls else ["stop", "length"] if choice == "auto" else ["stop"]
                assert message.finish_reason in ends, message
                assert parallel or len(calls) <= 1, message
                for call in calls:
                    assert not isinstance(choice, dict) or call.function.name == last, call
                    validate(call.function.arguments, schemas[call.function.name])
                with self.sync.chat.completions.stream(**options) as stream:
                    final = stream.get_final_completion().choices[0]
                streamed = final.message.tool_calls or []
                assert final.finish_reason == message.finish_reason, final
                assert (final.message.content or "") == (message.message.content or ""), (final, message)
                assert [(call.function.name, call.function.arguments) for call in streamed] == [
                    (call.function.name, call.function.arguments) for call in calls
                ], (streamed, calls)
        return f"{called} calls"

    def mistakes(self) -> None:
        cases = [
            ({"regex": "(a"}, "regex", "regular expression"),
            ({"ebnf": "root ::= other"}, "ebnf", "line 1"),
            ({"json_schema": {"type": "object", "properties": {"a": {"type": "thing"}}}}, "json_schema", "/a"),
            ({"regex": "a", "ebnf": "b"}, "ebnf", "as well"),
            # What cannot be enforced: keyword and JSON pointer.
            ({"json_schema": {"properties": {"b": {"uniqueItems": True, "minItems": 2}}}}, "json_schema",
             "'uniqueItems' at #/properties/b"),
            ({"json_schema": {"properties": {"b": {"pattern": r"(a)\1"}}}}, "json_schema", "'pattern' at #/properties/b"),
            # What would take too much: the bound's name.
            ({"regex": "(" * 400 + "a" + ")" * 400}, "regex", "maximumNesting"),
            ({"ebnf": "root ::= " + "(" * 400 + '"a"' + ")" * 400}, "ebnf", "maximumNesting"),
            ({"json_schema": json.loads('{"items":' * 400 + "{}" + "}" * 400)}, None, "deeper than 64 levels"),
            ({"json_schema": {"type": "array", "minItems": 100_000}}, "json_schema", "maximumRequiredItems"),
            # Whether any text is left takes more states than there may be.
            ({"json_schema": {"type": "string", "pattern": "^[ab]*a[ab]{18}$", "not": {"pattern": "^[ab]{19,}$"}}},
             "json_schema", "maximumPatternStates"),
        ]
        for fields, parameter, part in cases:
            body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 4, **fields}
            response = httpx.post(self.server.root + "/v1/chat/completions", json=body, timeout=60)
            assert response.status_code == 400, (str(fields)[:100], response.text[:200])
            error = response.json()["error"]
            assert response.status_code == 400 and error["param"] == parameter and part in error["message"], error

    # Speed

    async def rate(self, batch: int, constraint: dict, tokens: int) -> tuple[float, float]:
        """Tokens per second over `batch` requests at once, and the share of them that was forced."""

        async def one(place: int) -> dict:
            body = {
                "model": "default", "prompt": f"Number {place}:", "max_tokens": tokens, "temperature": 0.8, "seed": place,
                "ignore_eos": True, **constraint,
            }
            response = await http.post(self.server.root + "/v1/completions", json=body)
            response.raise_for_status()
            return response.json()["usage"]

        async with httpx.AsyncClient(timeout=300, limits=httpx.Limits(max_connections=64)) as http:
            since = time.monotonic()
            usages = await asyncio.gather(*(one(place) for place in range(batch)))
            elapsed = time.monotonic() - since
        count = sum(usage["completion_tokens"] for usage in usages)
        forced = sum(usage["completion_tokens_details"].get("forced_tokens", 0) for usage in usages)
        return count / elapsed, forced / count

    def speed(self, rounds: int, batches: list[int], tokens: int) -> None:
        """Free text, text held to a pattern that allows nearly all of it, and a list of orders in JSON, the latter
        decoded token by token and with jump-forward. Modes take turns, so that all see the same machine."""
        order = {
            "type": "object", "additionalProperties": False,
            "required": ["order_number", "customer_name", "state", "express_delivery", "total_cents"],
            "properties": {
                "order_number": {"type": "integer", "minimum": 1000, "maximum": 9999},
                "customer_name": {"type": "string", "minLength": 3, "maxLength": 12},
                "state": {"enum": ["ordered", "shipped", "delivered"]}, "express_delivery": {"type": "boolean"},
                "total_cents": {"type": "integer", "minimum": 0, "maximum": 99999},
            },
        }
        orders = {"json_schema": {"type": "array", "items": order, "minItems": tokens // 8}}
        stepwise = {"constraint_options": {"jump_forward": False}}
        modes = {
            "free": {}, "text": {"regex": "[^\\r]{0,8000}", **stepwise}, "step": {**orders, **stepwise}, "jump": orders,
        }
        print("batch  free tok/s | pattern  ratio | JSON by step  ratio | JSON with jumps  ratio  forced")
        for batch in batches:
            asyncio.run(self.rate(batch, modes["jump"], tokens))
            rates: dict[str, list[float]] = {name: [] for name in modes}
            share = 0.0
            for _ in range(rounds):
                for name, constraint in modes.items():
                    value, share_now = asyncio.run(self.rate(batch, constraint, tokens))
                    rates[name].append(value)
                    share = share_now if name == "jump" else share
            middle = {name: statistics.median(values) for name, values in rates.items()}
            ratio = {name: middle[name] / middle["free"] for name in modes}
            print(
                f"{batch:5}  {middle['free']:10.1f} | {middle['text']:7.1f}  {ratio['text']:5.3f}"
                f" | {middle['step']:12.1f}  {ratio['step']:5.3f} | {middle['jump']:15.1f}  {ratio['jump']:5.3f}"
                f"  {100 * share:5.0f}%", flush=True
            )


def run(checks: CheckList, name: str, binary: Path, arguments: list[str], speed: tuple | None = None) -> None:
    with ServerProcess(binary, [*arguments, "--served-model-name", "default"]) as server:
        structured = Structured(server)
        if speed:
            structured.speed(*speed)
            return

        async def schemas():
            return await structured.all_schemas(await structured.undisturbed())

        checks.check(f"{name}: 50 schemas, whole and streamed, {AT_ONCE} at a time, neighbours undisturbed", schemas)
        checks.check(f"{name}: regex, ebnf, choice, json_object on three endpoints", structured.other_forms)
        checks.check(f"{name}: every spelling on every endpoint", structured.every_spelling)
        checks.check(f"{name}: the end at max_tokens", structured.ends)
        checks.check(f"{name}: tool calls, whole and streamed", structured.tool_calls)
        checks.check(f"{name}: mistakes are 400s that name their place", structured.mistakes)
        checks.check(f"{name}: every page has come back", lambda: server.wait_until_idle() and None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--speed", type=int, default=0, metavar="ROUNDS", help="measure instead of check")
    parser.add_argument("--batches", default="1,2,4,8,16,32")
    parser.add_argument("--tokens", type=int, default=192, help="of each answer that is measured")
    parser.add_argument("--model-path", help="of the model to measure; the demo model by default")
    options = parser.parse_args()
    checks = CheckList()
    if options.speed:
        model = ["--model-path", options.model_path] if options.model_path else []
        batches = [int(batch) for batch in options.batches.split(",")]
        run(checks, "", options.binary, model, (options.speed, batches, options.tokens))
        return 0
    run(checks, "demo", options.binary, [])
    for parser in TOOL_CALL_PARSERS:
        with ServerProcess(
            options.binary, ["--served-model-name", "default", "--tool-call-parser", parser]) as server:
            checks.check(
                f"demo: tool calls in the format {parser}, whole and streamed",
                lambda: Structured(server).tool_calls(Structured.NAMED_TOOLS))
    stories = shared_model("stories260k")
    if stories is None:
        checks.skip("stories260k", "shared/models/stories260k is not here")
    else:
        run(checks, "stories260k", options.binary,
            ["--model-path", str(stories), "--chat-template", PLAIN_TEMPLATE])
    return checks.close()


if __name__ == "__main__":
    sys.exit(main())
