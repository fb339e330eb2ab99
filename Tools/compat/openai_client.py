"""The official `openai` package: what applications do with it, not a ping."""

import asyncio
import json

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field

from scene import ADD, DOCUMENT, MESSAGES, QUESTION, expect, expect_answer


class Person(BaseModel):
    name: str = Field(max_length=12)
    age: int = Field(ge=0, le=99)


def checks(url: str, model: str):
    client = OpenAI(base_url=url + "/v1", api_key="none")

    def models():
        names = [entry.id for entry in client.models.list()]
        expect(model in names, names)
        expect(client.models.retrieve(model).id == model, "retrieve")

    def chat():
        answer = client.chat.completions.create(model=model, messages=MESSAGES, temperature=0, max_completion_tokens=20)
        expect_answer(answer.choices[0].message.content)
        expect(answer.choices[0].finish_reason == "stop", answer.choices[0].finish_reason)
        expect(answer.usage.prompt_tokens_details.cached_tokens is not None, "no cached_tokens")
        expect(answer._request_id is not None, "no request id")

    def stream():
        text, usage, ids = "", None, set()
        with client.chat.completions.create(
            model=model, messages=MESSAGES, temperature=0, stream=True, stream_options={"include_usage": True}
        ) as chunks:
            for chunk in chunks:
                ids.add((chunk.id, chunk.created))
                usage = chunk.usage or usage
                if chunk.choices:
                    text += chunk.choices[0].delta.content or ""
        expect_answer(text)
        expect(len(ids) == 1 and usage.completion_tokens > 0, (ids, usage))

    def typed_stream():
        with client.chat.completions.stream(model=model, messages=MESSAGES, temperature=0) as events:
            for _ in events:
                pass
            expect_answer(events.get_final_completion().choices[0].message.content)

    def logprobs():
        answer = client.chat.completions.create(
            model=model, messages=MESSAGES, temperature=0, logprobs=True, top_logprobs=3, max_tokens=4
        )
        content = answer.choices[0].logprobs.content
        expect(len(content) == answer.usage.completion_tokens, len(content))
        expect(all(len(entry.top_logprobs) == 3 and entry.bytes for entry in content), "top_logprobs")

    def every_field():
        answer = client.chat.completions.create(
            model=model, messages=MESSAGES, n=2, seed=1, temperature=0.5, top_p=0.9, presence_penalty=0.1,
            frequency_penalty=0.1, logit_bias={"5": -1}, stop=["\n"], max_completion_tokens=8, user="u",
            metadata={"a": "b"}, store=False, service_tier="auto", reasoning_effort="low", parallel_tool_calls=True,
            modalities=["text"], verbosity="low", prompt_cache_key="k", safety_identifier="s",
            extra_body={"top_k": 20, "min_p": 0.01, "repetition_penalty": 1.1, "ignore_eos": False, "min_tokens": 1,
                        "stop_token_ids": [3], "skip_special_tokens": True, "priority": 1, "cache_salt": "x"},
        )
        expect(len(answer.choices) == 2, len(answer.choices))

    def completions():
        answer = client.completions.create(
            model=model, prompt=["Hello", "Hi"], max_tokens=4, echo=True, logprobs=2, temperature=0, n=1
        )
        expect(len(answer.choices) == 2, len(answer.choices))
        first = answer.choices[0]
        expect(first.text.startswith("Hello"), first.text)
        expect(first.logprobs.token_logprobs[0] is None and first.logprobs.text_offset[0] == 0, first.logprobs)
        expect("".join(first.logprobs.tokens) == first.text, first.logprobs.tokens)

    def parsed():
        answer = client.chat.completions.parse(
            model=model, messages=[{"role": "user", "content": "Make a person."}], response_format=Person, temperature=0
        )
        expect(isinstance(answer.choices[0].message.parsed, Person), answer.choices[0].message)

    def tools():
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "1 + 1?"}], tools=[ADD], tool_choice="required",
            temperature=0,
        )
        expect(answer.choices[0].finish_reason == "tool_calls", answer.choices[0])
        call = answer.choices[0].message.tool_calls[0]
        expect(set(json.loads(call.function.arguments)) == {"a", "b"}, call.function.arguments)
        after = [
            *MESSAGES, answer.choices[0].message,
            {"role": "tool", "tool_call_id": call.id, "content": "2"}, {"role": "user", "content": QUESTION},
        ]
        client.chat.completions.create(model=model, messages=after, tools=[ADD], max_tokens=4)

    def tools_stream():
        """The client joins the pieces of a call by their index."""
        with client.chat.completions.stream(
            model=model, messages=[{"role": "user", "content": "1 + 1?"}], tools=[ADD], tool_choice="required",
            temperature=0,
        ) as events:
            kinds = {event.type for event in events}
            choice = events.get_final_completion().choices[0]
        call = choice.message.tool_calls[0]
        expect(choice.finish_reason == "tool_calls" and call.function.name == "add" and call.id, choice)
        expect(set(json.loads(call.function.arguments)) == {"a", "b"}, call.function.arguments)
        expect("tool_calls.function.arguments.done" in kinds, kinds)

    def tools_offered():
        answer = client.chat.completions.create(model=model, messages=MESSAGES, tools=[ADD], temperature=0, max_tokens=20)
        expect(answer.choices[0].message.role == "assistant", answer)

    def responses():
        first = client.responses.create(model=model, instructions=DOCUMENT, input=QUESTION, temperature=0)
        expect_answer(first.output_text)
        second = client.responses.create(
            model=model, instructions=DOCUMENT, input="How long is the ship Velmora?", temperature=0,
            previous_response_id=first.id,
        )
        expect("47" in second.output_text, second.output_text)
        expect(client.responses.retrieve(first.id).output_text == first.output_text, "retrieve")
        expect(len(client.responses.input_items.list(first.id).data) == 1, "input_items")
        client.responses.delete(first.id)
        try:
            client.responses.retrieve(first.id)
        except openai.NotFoundError:
            return
        raise AssertionError("a deleted response is still there")

    def responses_stream():
        with client.responses.stream(model=model, instructions=DOCUMENT, input=QUESTION, temperature=0) as events:
            kinds = [event.type for event in events]
            expect_answer(events.get_final_response().output_text)
        expect(kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds)

    def responses_parsed():
        answer = client.responses.parse(model=model, input="Make a person.", text_format=Person, temperature=0)
        expect(isinstance(answer.output_parsed, Person), answer.output_text)

    def responses_tools():
        tool = {"type": "function", **ADD["function"], "strict": True}
        answer = client.responses.create(model=model, input="1 + 1?", tools=[tool], tool_choice="required", temperature=0)
        call = next(item for item in answer.output if item.type == "function_call")
        client.responses.create(
            model=model, previous_response_id=answer.id, tools=[tool], max_output_tokens=4,
            input=[{"type": "function_call_output", "call_id": call.call_id, "output": "2"}],
        )

    def responses_tools_stream():
        tool = {"type": "function", **ADD["function"], "strict": True}
        with client.responses.stream(
            model=model, input="1 + 1?", tools=[tool], tool_choice="required", temperature=0,
        ) as events:
            deltas, done = {}, {}
            for event in events:
                if event.type == "response.function_call_arguments.delta":
                    deltas[event.item_id] = deltas.get(event.item_id, "") + event.delta
                if event.type == "response.function_call_arguments.done":
                    done[event.item_id] = event.arguments
            final = events.get_final_response()
        calls = [item for item in final.output if item.type == "function_call"]
        expect(calls and deltas == done == {call.id: call.arguments for call in calls}, (deltas, done))
        expect(all(set(json.loads(call.arguments)) == {"a", "b"} for call in calls), calls)

    def errors():
        for kind, arguments in [
            (openai.NotFoundError, {"model": "no-such-model"}),
            (openai.BadRequestError, {"temperature": -1}),
            (openai.BadRequestError, {"messages": [{"role": "user", "content": "x " * 5000}]}),
            (openai.BadRequestError, {"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,x"}}]}]}),
        ]:
            try:
                client.chat.completions.create(**{"model": model, "messages": MESSAGES, **arguments})
            except kind as error:
                expect(error.body["message"] and error.request_id, error.body)
            else:
                raise AssertionError(f"{arguments} was accepted")

    async def concurrent():
        async with AsyncOpenAI(base_url=url + "/v1", api_key="none") as several:
            answers = await asyncio.gather(*(
                several.chat.completions.create(model=model, messages=MESSAGES, temperature=0) for _ in range(8)))
            stream = await several.chat.completions.create(model=model, messages=MESSAGES, temperature=0, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        for answer in answers:
            expect_answer(answer.choices[0].message.content)
        expect_answer(text)

    def embeddings():
        try:
            client.embeddings.create(model=model, input="x")
        except openai.BadRequestError as error:
            expect(error.body["code"] == "unsupported_endpoint" and "--model-path" in error.body["message"], error.body)
            return
        raise AssertionError("a chat model gave embeddings")

    for check in [models, chat, stream, typed_stream, logprobs, every_field, completions, parsed, tools_offered, tools,
                  tools_stream, responses, responses_stream, responses_parsed, responses_tools, responses_tools_stream, errors, concurrent, embeddings]:
        yield check
