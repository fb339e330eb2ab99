"""Field by field what the OpenAI endpoints promise, with the `openai` package where it can say it and plain HTTP where
it cannot: effects are looked at, not status codes alone."""

import json

import httpx
from openai import BadRequestError, OpenAI

from scene import ADD, DOCUMENT, MESSAGES, QUESTION, expect, expect_answer


def events(response) -> list[dict]:
    """The JSON of a stream, which must end with [DONE]."""
    lines = [line for line in response.text.split("\n") if line.startswith("data: ")]
    expect(lines[-1] == "data: [DONE]", lines[-1:])
    return [json.loads(line[6:]) for line in lines[:-1]]


def refused(call, parameter: str) -> str:
    """The message of the 400 that names `parameter`."""
    try:
        call()
    except BadRequestError as error:
        expect(error.body["param"] == parameter, error.body)
        return error.body["message"]
    raise AssertionError(f"{parameter} was accepted")


def checks(url: str, model: str):
    client = OpenAI(base_url=url + "/v1", api_key="none")
    http = httpx.Client(base_url=url, timeout=60)
    chat = {"model": model, "messages": MESSAGES, "temperature": 0}

    def ids(text: str) -> list[int]:
        return http.post("/tokenize", json={"prompt": text, "add_special_tokens": False}).json()["tokens"]

    def ask(**fields):
        return client.chat.completions.create(**{**chat, **fields})

    def complete(prompt="The captain of the ship", **fields):
        return client.completions.create(**{"model": model, "prompt": prompt, "temperature": 0, **fields})

    def error_bodies():
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/generate", "/tokenize",
                     "/detokenize", "/v1/score", "/abort_request", "/cache/probe", "/no/such/path"]:
            response = http.post(path, content=b'{"messages": 1, "prompt": {}, "input": 1, "text": 1, "query": 1}')
            body = response.json()
            expect(400 <= response.status_code < 500, (path, response.status_code))
            expect(set(body["error"]) >= {"message", "type", "param", "code"}, (path, body))
            expect(response.headers["x-request-id"], path)
        response = http.get("/v1/chat/completions", headers={"x-request-id": "mine"})
        expect(response.status_code == 405 and response.headers["allow"] == "POST", response.headers)
        expect(response.headers["x-request-id"] == "mine", response.headers)

    def unknown_model():
        for path, body in [("/v1/chat/completions", chat), ("/v1/completions", {"prompt": "a"}),
                           ("/v1/responses", {"input": "a"})]:
            response = http.post(path, json={**body, "model": "gpt-9"})
            error = response.json()["error"]
            expect(response.status_code == 404 and error["code"] == "model_not_found", error)
            expect(model in error["message"] and error["param"] == "model", error)

    def context_overflow():
        for path, body in [("/v1/chat/completions", {"messages": [{"role": "user", "content": "ship " * 4000}]}),
                           ("/v1/completions", {"prompt": "ship " * 4000}),
                           ("/generate", {"text": "ship " * 4000})]:
            response = http.post(path, json=body)
            error = response.json()["error"]
            expect(response.status_code == 400 and error["code"] == "context_length_exceeded", error)
            expect(error["n_prompt_tokens"] > error["n_ctx"] > 0, error)
            expect(str(error["n_ctx"]) in error["message"], error)

    def cached_tokens_always():
        http.post("/flush_cache")
        first, second = ask(max_tokens=1).usage, ask(max_tokens=1).usage
        expect(first.prompt_tokens_details.cached_tokens == 0, first)
        expect(0 < second.prompt_tokens_details.cached_tokens < second.prompt_tokens, second)
        usage = events(http.post("/v1/chat/completions", json={
            **chat, "stream": True, "stream_options": {"include_usage": True}}))[-1]["usage"]
        expect(usage["prompt_tokens_details"]["cached_tokens"] > 0, usage)
        for path, body, place in [
            ("/v1/responses", {"input": QUESTION}, lambda body: body["usage"]["input_tokens_details"]["cached_tokens"]),
            ("/v1/messages", {"max_tokens": 1, "messages": MESSAGES[1:]},
             lambda body: body["usage"]["cache_read_input_tokens"]),
            ("/generate", {"text": "a"}, lambda body: body["meta_info"]["cached_tokens"]),
        ]:
            expect(place(http.post(path, json=body).json()) >= 0, path)

    def stream_form():
        response = http.post("/v1/chat/completions", json={**chat, "n": 2, "stream": True})
        expect(response.headers["content-type"].startswith("text/event-stream"), response.headers)
        expect(response.headers["cache-control"] == "no-cache", response.headers)
        chunks = events(response)
        expect(len({(chunk["id"], chunk["created"], chunk["object"]) for chunk in chunks}) == 1, "ids differ")
        for index in range(2):
            mine = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
            expect(mine[0]["delta"]["role"] == "assistant", mine[0])
            expect(all("role" not in choice["delta"] for choice in mine[1:]), "the role comes once")
            expect([choice["finish_reason"] for choice in mine if choice["finish_reason"]] == ["stop"], mine[-1])
            expect_answer("".join(choice["delta"].get("content") or "" for choice in mine))

    def several_answers():
        answer = ask(n=3, temperature=1, seed=7, max_tokens=6)
        again = ask(n=3, temperature=1, seed=7, max_tokens=6)
        texts = [choice.message.content for choice in answer.choices]
        expect(texts == [choice.message.content for choice in again.choices], "the same seed, another answer")
        expect([choice.index for choice in answer.choices] == [0, 1, 2], answer.choices)
        expect(answer.usage.prompt_tokens == ask(max_tokens=1).usage.prompt_tokens, "the prompt counts once")
        expect(answer.usage.completion_tokens <= 18, answer.usage)

    def best_of():
        answer = complete(n=1, best_of=4, temperature=1.5, seed=3, max_tokens=8, logprobs=0)
        expect(len(answer.choices) == 1, answer.choices)
        best = sum(answer.choices[0].logprobs.token_logprobs)
        all_four = complete(n=4, temperature=1.5, seed=3, max_tokens=8, logprobs=0)
        means = [sum(choice.logprobs.token_logprobs) / len(choice.logprobs.tokens) for choice in all_four.choices]
        mine = best / len(answer.choices[0].logprobs.tokens)
        expect(abs(mine - max(means)) < 1e-4, (mine, means))
        refused(lambda: complete(n=3, best_of=2), "best_of")
        refused(lambda: complete(best_of=2, stream=True), "best_of")

    def chat_logprobs():
        answer = ask(logprobs=True, top_logprobs=5, max_tokens=6)
        content = answer.choices[0].logprobs.content
        expect(len(content) == answer.usage.completion_tokens, (len(content), answer.usage))
        for entry in content:
            expect(len(entry.top_logprobs) == 5 and entry.logprob <= 0, entry)
            expect(bytes(entry.bytes).decode(errors="replace") == entry.token, entry)
            expect(abs(entry.top_logprobs[0].logprob - entry.logprob) < 1e-5, "greedy takes the most likely")
            values = [other.logprob for other in entry.top_logprobs]
            expect(values == sorted(values, reverse=True), values)
        streamed = events(http.post("/v1/chat/completions", json={
            **chat, "logprobs": True, "top_logprobs": 5, "max_tokens": 6, "stream": True}))
        pieces = [entry for chunk in streamed for choice in chunk["choices"] if choice["logprobs"]
                  for entry in choice["logprobs"]["content"]]
        expect([entry["token"] for entry in pieces] == [entry.token for entry in content], pieces)
        refused(lambda: ask(top_logprobs=2), "top_logprobs")

    def completion_logprobs():
        answer = complete(max_tokens=8, logprobs=3, echo=True)
        choice = answer.choices[0]
        found = choice.logprobs
        expect(choice.text.startswith("The captain of the ship"), choice.text)
        expect("".join(found.tokens) == choice.text, found.tokens)
        for token, offset in zip(found.tokens, found.text_offset):
            expect(choice.text[offset:offset + len(token)] == token, (token, offset))
        expect(found.token_logprobs[0] is None and all(value <= 0 for value in found.token_logprobs[1:]), found)
        expect(all(3 <= len(top) <= 4 for top in found.top_logprobs[1:]), found.top_logprobs)
        scored = complete(max_tokens=0, logprobs=1, echo=True).choices[0]
        expect(scored.text == "The captain of the ship", scored.text)
        expect(len(scored.logprobs.tokens) == answer.usage.prompt_tokens, scored.logprobs)
        streamed = "".join(chunk.choices[0].text for chunk in complete(max_tokens=8, echo=True, stream=True))
        expect(streamed == choice.text, (streamed, choice.text))

    def suffix():
        message = refused(lambda: complete(suffix="the end"), "suffix")
        expect("fill in" in message, message)

    def logit_bias():
        plain = ask(max_tokens=1, logprobs=True).choices[0].logprobs.content[0].token
        banned = ask(max_tokens=1, logprobs=True, logit_bias={str(ids(plain)[-1]): -100})
        expect(banned.choices[0].logprobs.content[0].token != plain, plain)
        forced = ids("Q")[-1]
        answer = ask(max_tokens=3, logit_bias={str(forced): 100}, extra_body={"ignore_eos": True})
        expect(answer.choices[0].message.content.strip("Q ") == "", answer.choices[0].message.content)
        refused(lambda: ask(logit_bias={"x": 1}), "logit_bias.x")
        refused(lambda: ask(logit_bias={"99999999": 1}), "logit_bias")

    def stop_strings():
        whole = ask().choices[0].message.content
        # In the middle of a word, so across the borders of tokens.
        stop = whole[3:6]
        for stops in [stop, [stop], ["never seen", stop, "nor this", "nor that"]]:
            answer = ask(stop=stops)
            expect(answer.choices[0].message.content == whole[:whole.index(stop)], answer.choices[0])
            expect(answer.choices[0].finish_reason == "stop", answer.choices[0])
            expect(answer.choices[0].matched_stop == stop, answer.choices[0])
            chunks = events(http.post("/v1/chat/completions", json={**chat, "stop": stops, "stream": True}))
            text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
            expect(text == whole[:whole.index(stop)], f"leaked: {text}")
        kept = ask(stop=stop, extra_body={"include_stop_str_in_output": True}).choices[0].message.content
        expect(kept.endswith(stop), kept)
        refused(lambda: ask(stop=[1]), "stop[0]")

    def lengths():
        short = ask(max_completion_tokens=2)
        expect(short.usage.completion_tokens == 2 and short.choices[0].finish_reason == "length", short)
        both = ask(max_completion_tokens=2, max_tokens=5)
        expect(both.usage.completion_tokens == 2, "max_completion_tokens counts")
        long = ask(max_tokens=30, extra_body={"ignore_eos": True})
        expect(long.usage.completion_tokens == 30, long.usage)
        least = ask(max_tokens=40, extra_body={"min_tokens": 25})
        expect(least.usage.completion_tokens >= 25, least.usage)
        refused(lambda: ask(max_tokens=0), "max_tokens")
        refused(lambda: ask(max_completion_tokens=-1), "max_completion_tokens")

    def penalties():
        """Each lowers what was said already: the same answer repeats itself less."""
        def repeats(**fields) -> int:
            text = complete("ship ship ship ship", max_tokens=24, extra_body={"ignore_eos": True, **fields}).choices[0]
            words = text.text.split()
            return len(words) - len(set(words))

        plain = repeats()
        expect(plain > 5, plain)
        for fields in [{"frequency_penalty": 2}, {"repetition_penalty": 1.8}]:
            expect(repeats(**fields) < plain, (fields, repeats(**fields), plain))
        once, other = (complete(max_tokens=60, presence_penalty=penalty).choices[0].text for penalty in [0, 2])
        expect(once != other, once)
        refused(lambda: ask(presence_penalty=3), "presence_penalty")
        refused(lambda: ask(frequency_penalty=-3), "frequency_penalty")

    def sampling_extras():
        greedy = ask().choices[0].message.content
        for extra in [{"top_k": 1}, {"min_p": 1.0}, {"top_p": 1e-6}]:
            expect(ask(temperature=2, extra_body=extra).choices[0].message.content == greedy, extra)
        end = ask(extra_body={"stop_token_ids": ids(greedy)[1:2]})
        expect(end.usage.completion_tokens <= 3, end)
        raw = ask(extra_body={"skip_special_tokens": False, "include_stop_str_in_output": True})
        expect(raw.choices[0].message.content.startswith(greedy), raw.choices[0].message)
        refused(lambda: ask(extra_body={"top_k": -5}), "top_k")
        refused(lambda: ask(extra_body={"min_p": 2}), "min_p")

    def template_extras():
        start = [*MESSAGES, {"role": "assistant", "content": "The captain of the ship Velmora is"}]
        continued = ask(messages=start, max_tokens=8, extra_body={
            "continue_final_message": True, "add_generation_prompt": False})
        expect_answer(continued.choices[0].message.content)
        expect(ask(extra_body={"chat_template_kwargs": {"enable_thinking": False}}, max_tokens=2).choices, "kwargs")
        refused(lambda: ask(extra_body={"continue_final_message": True, "add_generation_prompt": True}),
                "continue_final_message")
        cut = complete("one two three four five six", max_tokens=1, extra_body={"truncate_prompt_tokens": 2})
        expect(cut.usage.prompt_tokens == 2, cut.usage)
        scored = http.post("/v1/completions", json={"prompt": "The ship", "max_tokens": 1, "prompt_logprobs": 1}).json()
        expect(scored["choices"][0]["prompt_logprobs"][0] is None, scored)
        expect(len(scored["choices"][0]["prompt_logprobs"]) == scored["usage"]["prompt_tokens"], scored)

    def allowed_tools():
        """Both tools stay in the prompt; only the allowed one can be called."""
        other = {"type": "function", "function": {**ADD["function"], "name": "subtract"}}
        for name in ["add", "subtract"]:
            choice = {"type": "allowed_tools", "allowed_tools": {
                "mode": "required", "tools": [{"type": "function", "function": {"name": name}}]}}
            answer = ask(tools=[ADD, other], tool_choice=choice, max_tokens=200)
            calls = answer.choices[0].message.tool_calls
            expect(calls and {call.function.name for call in calls} == {name}, calls)
            tools = [{"type": "function", **tool["function"], "strict": True} for tool in [ADD, other]]
            response = client.responses.create(
                model=model, input="1 + 1?", tools=tools, temperature=0, tool_choice={
                    "type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": name}]})
            expect({item.name for item in response.output if item.type == "function_call"} == {name}, response.output)

    def text_offsets():
        """They point into the text, also behind characters of several tokens."""
        choice = complete("é, 漢字 and 🙂", max_tokens=6, logprobs=1, echo=True).choices[0]
        for token, offset in zip(choice.logprobs.tokens, choice.logprobs.text_offset):
            expect("\ufffd" in token or choice.text[offset:offset + len(token)] == token, (token, offset))

    def guided():
        for extra, holds in [
            ({"guided_choice": ["yes", "no"]}, lambda text: text in ("yes", "no")),
            ({"guided_regex": "[0-9]{3}"}, lambda text: text.isdigit() and len(text) == 3),
            ({"guided_json": {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
                              "additionalProperties": False}}, lambda text: isinstance(json.loads(text)["a"], bool)),
            ({"guided_grammar": 'root ::= "left" | "right"'}, lambda text: text in ("left", "right")),
            ({"structured_outputs": {"choice": ["up", "down"]}}, lambda text: text in ("up", "down")),
            ({"regex": "a+b"}, lambda text: text.strip("a") == "b"),
            ({"ebnf": 'root ::= "x" "y"'}, lambda text: text == "xy"),
        ]:
            text = ask(max_tokens=40, extra_body=extra).choices[0].message.content
            expect(holds(text), (extra, text))

    def content_parts():
        parts = [{"type": "text", "text": "Who is the captain"}, {"type": "text", "text": "of the ship Velmora?"}]
        expect(ask(messages=[MESSAGES[0], {"role": "user", "content": parts}], max_tokens=8).choices, "parts")
        for part in [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                     {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]:
            message = refused(lambda: ask(messages=[{"role": "user", "content": [part]}]),
                              "messages[0].content[0].type")
            expect("only text" in message, message)
        developer = ask(messages=[{"role": "developer", "content": DOCUMENT}, MESSAGES[1]])
        expect_answer(developer.choices[0].message.content)

    def ignored_fields():
        answer = ask(user="u", metadata={"a": "b"}, store=True, service_tier="auto", reasoning_effort="low",
                     verbosity="low", prompt_cache_key="k", safety_identifier="s",
                     extra_body={"no_such_field": [1], "priority": 3, "cache_salt": "x"})
        expect_answer(answer.choices[0].message.content)

    def token_counts():
        tokens = http.post("/tokenize", json={"messages": MESSAGES}).json()
        answer = ask(max_tokens=1)
        expect(tokens["count"] == answer.usage.prompt_tokens == len(tokens["tokens"]), tokens["count"])
        for path in ["/detokenize", "/v1/detokenize"]:
            text = http.post(path, json={"tokens": ids("The ship Velmora")}).json()
            expect("The ship Velmora" in (text.get("prompt") or text.get("text")), text)
        expect(http.post("/v1/tokenize", json={"prompt": "ship"}).json()["count"] > 0, "v1")

    def model_list():
        entry = http.get("/v1/models").json()["data"][0]
        expect(entry["id"] == model and entry["object"] == "model" and entry["owned_by"], entry)
        expect(entry["max_model_len"] > 0 and entry["root"], entry)
        expect(http.get("/v1/models/nothing").json()["error"]["code"] == "model_not_found", "unknown")

    yield from [error_bodies, unknown_model, context_overflow, cached_tokens_always, stream_form, several_answers,
                best_of, chat_logprobs, completion_logprobs, suffix, logit_bias, stop_strings, lengths, penalties,
                sampling_extras, template_extras, allowed_tools, text_offsets, guided, content_parts, ignored_fields, token_counts, model_list]
