"""Clients that are not OpenAI's own: each is used as its documentation shows."""

import asyncio
import json
import os
from typing import Annotated

from scene import ADD, DOCUMENT, MESSAGES, QUESTION, expect, expect_answer


def anthropic_checks(url: str, model: str):
    import anthropic
    from pydantic import BaseModel

    client = anthropic.Anthropic(base_url=url, api_key="none")
    ask = [{"role": "user", "content": QUESTION}]

    def message():
        answer = client.messages.create(model=model, max_tokens=20, system=DOCUMENT, messages=ask, extra_body={"temperature": 0})
        expect_answer(answer.content[0].text)
        expect(answer.stop_reason == "end_turn" and answer.usage.output_tokens > 0, answer)
        expect(answer._request_id, "no request id")

    def stream():
        with client.messages.stream(
            model=model, max_tokens=20, messages=ask, extra_body={"temperature": 0},
            system=[{"type": "text", "text": DOCUMENT, "cache_control": {"type": "ephemeral"}}],
        ) as events:
            expect_answer("".join(events.text_stream))
            expect(events.get_final_message().usage.cache_read_input_tokens > 0, "nothing cached")

    def count_tokens():
        expect(client.messages.count_tokens(model=model, messages=ask).input_tokens > 5, "count")

    def tools():
        tool = {"name": "add", "description": "Adds.", "input_schema": ADD["function"]["parameters"]}
        answer = client.messages.create(
            model=model, max_tokens=200, messages=[{"role": "user", "content": "1 + 1?"}], tools=[tool],
            tool_choice={"type": "any"}, extra_body={"temperature": 0},
        )
        use = next(block for block in answer.content if block.type == "tool_use")
        expect(answer.stop_reason == "tool_use" and set(use.input) == {"a", "b"}, answer)
        client.messages.create(
            model=model, max_tokens=4, tools=[tool],
            messages=[
                {"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": answer.content},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "2"}]},
            ],
        )

    def tools_stream():
        tool = {"name": "add", "description": "Adds.", "input_schema": ADD["function"]["parameters"]}
        with client.messages.stream(
            model=model, max_tokens=200, messages=[{"role": "user", "content": "1 + 1?"}], tools=[tool],
            tool_choice={"type": "any"}, extra_body={"temperature": 0},
        ) as events:
            pieces = "".join(event.partial_json for event in events if event.type == "input_json")
            answer = events.get_final_message()
        use = next(block for block in answer.content if block.type == "tool_use")
        expect(answer.stop_reason == "tool_use" and set(use.input) == {"a", "b"}, answer)
        expect(json.loads(pieces) == use.input, pieces)

    def parsed():
        class Sky(BaseModel):
            blue: bool

        answer = client.messages.parse(
            model=model, max_tokens=40, messages=ask, output_format=Sky, extra_body={"temperature": 0})
        expect(isinstance(answer.parsed_output, Sky), answer)

    def errors():
        try:
            client.messages.create(model="no-such-model", max_tokens=4, messages=ask)
        except anthropic.NotFoundError as error:
            expect(error.body["type"] == "error" and error.body["error"]["type"] == "not_found_error", error.body)
            expect(error.request_id, "no request id")
            return
        raise AssertionError("an unknown model was accepted")

    async def asynchronous():
        async with anthropic.AsyncAnthropic(base_url=url, api_key="none") as several:
            answer = await several.messages.create(
                model=model, max_tokens=20, system=DOCUMENT, messages=ask, extra_body={"temperature": 0})
        expect_answer(answer.content[0].text)

    yield from [message, stream, count_tokens, tools, tools_stream, parsed, errors, asynchronous]


def ollama_checks(url: str, model: str):
    import ollama

    client = ollama.Client(host=url)

    def chat():
        answer = client.chat(model=model, messages=MESSAGES, options={"temperature": 0, "num_predict": 20})
        expect_answer(answer.message.content)

    def stream():
        text = "".join(part.message.content for part in client.chat(
            model=model, messages=MESSAGES, stream=True, options={"temperature": 0}))
        expect_answer(text)

    def generate():
        answer = client.generate(model=model, prompt=QUESTION, system=DOCUMENT, options={"temperature": 0})
        expect_answer(answer.response)
        expect(client.generate(model=model, prompt="Hello", raw=True, options={"num_predict": 4}).eval_count > 0, "raw")

    def structured():
        schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}}, "required": ["name"], "additionalProperties": False}
        answer = client.chat(model=model, messages=MESSAGES, format=schema, options={"temperature": 0, "num_predict": 200})
        expect("name" in json.loads(answer.message.content), answer.message.content)

    def models():
        expect(any(entry.model == model for entry in client.list().models), client.list())
        expect("completion" in client.show(model).capabilities, client.show(model))
        expect(len(client.ps().models) == 1, client.ps())

    def errors():
        try:
            client.chat(model="no-such-model", messages=MESSAGES)
        except ollama.ResponseError as error:
            expect(error.status_code == 404 and model in error.error, error)
            return
        raise AssertionError("an unknown model was accepted")

    yield from [chat, stream, generate, structured, models, errors]


def litellm_checks(url: str, model: str):
    # Otherwise it fetches a list of prices from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    settings = {"model": f"openai/{model}", "api_base": url + "/v1", "api_key": "none", "temperature": 0}

    def chat():
        expect_answer(litellm.completion(messages=MESSAGES, **settings).choices[0].message.content)

    def stream():
        chunks = litellm.completion(messages=MESSAGES, stream=True, **settings)
        expect_answer("".join(chunk.choices[0].delta.content or "" for chunk in chunks))

    async def asynchronous():
        answers = await asyncio.gather(*(litellm.acompletion(messages=MESSAGES, **settings) for _ in range(4)))
        for answer in answers:
            expect_answer(answer.choices[0].message.content)

    def as_vllm():
        answer = litellm.completion(
            model=f"hosted_vllm/{model}", api_base=url + "/v1", messages=MESSAGES, temperature=0)
        expect_answer(answer.choices[0].message.content)

    def as_anthropic():
        answer = litellm.completion(
            model=f"anthropic/{model}", api_base=url, api_key="none", messages=MESSAGES, temperature=0, max_tokens=20)
        expect_answer(answer.choices[0].message.content)

    def as_ollama():
        answer = litellm.completion(model=f"ollama_chat/{model}", api_base=url, messages=MESSAGES, temperature=0)
        expect_answer(answer.choices[0].message.content)

    yield from [chat, stream, asynchronous, as_vllm, as_anthropic, as_ollama]


def langchain_checks(url: str, model: str):
    from langchain_core.messages import HumanMessage, SystemMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI, OpenAI
    from pydantic import BaseModel, Field

    settings = {"model": model, "base_url": url + "/v1", "api_key": "none", "temperature": 0}
    chat = ChatOpenAI(**settings)
    messages = [SystemMessage(DOCUMENT), HumanMessage(QUESTION)]

    class Person(BaseModel):
        name: str = Field(max_length=12)

    @tool
    def add(a: Annotated[int, Field(ge=0, le=9)], b: Annotated[int, Field(ge=0, le=9)]) -> int:
        """Adds."""
        return a + b

    def invoke():
        expect_answer(chat.invoke(messages).content)

    def stream():
        expect_answer("".join(chunk.content for chunk in chat.stream(messages)))

    def batch():
        for answer in chat.batch([messages] * 3):
            expect_answer(answer.content)

    def completion():
        expect(isinstance(OpenAI(max_tokens=4, **settings).invoke("Hello"), str), "completion")

    def structured():
        expect(isinstance(chat.with_structured_output(Person).invoke("Make a person."), Person), "structured")

    def tools():
        answer = chat.bind_tools([add], tool_choice="required", strict=True).invoke("1 + 1?")
        expect(answer.tool_calls[0]["name"] == "add", answer.tool_calls)

    def responses_api():
        answer = ChatOpenAI(use_responses_api=True, **settings).invoke(messages)
        expect_answer(answer.text if isinstance(answer.text, str) else answer.text())

    yield from [invoke, stream, batch, completion, structured, tools, responses_api]


def instructor_checks(url: str, model: str):
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel, Field

    class Person(BaseModel):
        name: str = Field(max_length=12)
        age: int = Field(ge=0, le=99)

    def using(mode):
        client = instructor.from_openai(OpenAI(base_url=url + "/v1", api_key="none"), mode=mode)
        person = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Make a person."}], response_model=Person,
            temperature=0, max_retries=0, max_tokens=300,
        )
        expect(isinstance(person, Person), person)

    def json_schema():
        using(instructor.Mode.JSON_SCHEMA)

    def tools():
        using(instructor.Mode.TOOLS)

    yield from [json_schema, tools]


def llama_index_checks(url: str, model: str):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(
        model=model, api_base=url + "/v1", api_key="none", is_chat_model=True, temperature=0, context_window=2048)
    messages = [ChatMessage(role="system", content=DOCUMENT), ChatMessage(role="user", content=QUESTION)]

    def chat():
        expect_answer(llm.chat(messages).message.content)

    def stream():
        expect_answer("".join(part.delta for part in llm.stream_chat(messages)))

    def complete():
        plain = OpenAILike(model=model, api_base=url + "/v1", api_key="none", max_tokens=4, context_window=2048)
        expect(isinstance(plain.complete("Hello").text, str), "complete")

    yield from [chat, stream, complete]


def agents_checks(url: str, model: str):
    from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
    from agents import set_tracing_disabled
    from openai import AsyncOpenAI
    from pydantic import Field

    set_tracing_disabled(True)

    def client():
        return AsyncOpenAI(base_url=url + "/v1", api_key="none")

    async def run(kind):
        agent = Agent(
            name="A", instructions=DOCUMENT, model=kind(model, client()), model_settings=ModelSettings(temperature=0))
        expect_answer((await Runner.run(agent, QUESTION)).final_output)

    async def chat_completions():
        await run(OpenAIChatCompletionsModel)

    async def responses():
        await run(OpenAIResponsesModel)

    async def tools():
        calls = []

        @function_tool
        def add(a: Annotated[int, Field(ge=0, le=9)], b: Annotated[int, Field(ge=0, le=9)]) -> str:
            """Adds."""
            calls.append((a, b))
            return "2"

        agent = Agent(
            name="A", instructions="Add.", tools=[add], model=OpenAIChatCompletionsModel(model, client()),
            model_settings=ModelSettings(temperature=0, tool_choice="required"), tool_use_behavior="stop_on_first_tool")
        await Runner.run(agent, "1 + 1?")
        expect(len(calls) == 1, calls)

    yield from [chat_completions, responses, tools]
