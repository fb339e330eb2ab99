#!/usr/bin/env python3
"""Writes Sources/CEmbedded/web/openapi.json, which the server serves at /openapi.json. Run by hand when the API
changes; a test compares its paths with the server's routes."""

import json
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "Sources" / "CEmbedded" / "web" / "openapi.json"

STRING, BOOLEAN, OBJECT = {"type": "string"}, {"type": "boolean"}, {"type": "object"}
TOKEN = {"type": "integer", "minimum": 0, "maximum": 2147483647}
TOKENS = {"type": "array", "items": TOKEN}


def integer(low=None, high=None, **more):
    limits = {name: value for name, value in [("minimum", low), ("maximum", high)] if value is not None}
    return {"type": "integer", **limits, **more}


def number(low=None, high=None, **more):
    limits = {name: value for name, value in [("minimum", low), ("maximum", high)] if value is not None}
    return {"type": "number", **limits, **more}


def listed(items, **more):
    return {"type": "array", "items": items, **more}


def form(properties, required=(), **more):
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {}), **more}


def nullable(schema):
    return {"anyOf": [schema, {"type": "null"}]}


def reference(name):
    return {"$ref": f"#/components/schemas/{name}"}


SEED = integer(-(2**63), 2**63 - 1)
PRIORITY = integer(-(2**31), 2**31)
RID = {"type": "string", "minLength": 1, "maxLength": 64, "description": "Id of the request, for /abort_request."}
SAMPLING = {
    "temperature": number(0, 2), "top_p": number(0, 1, exclusiveMinimum=0), "top_k": integer(-1, 1000),
    "min_p": number(0, 1), "frequency_penalty": number(-2, 2), "presence_penalty": number(-2, 2),
    "repetition_penalty": number(0, 2, exclusiveMinimum=0),
    "logit_bias": {"type": "object", "additionalProperties": number(-100, 100)}, "n": integer(1, 4),
    "stop": {"anyOf": [STRING, listed(STRING, maxItems=16)]}, "stop_token_ids": TOKENS, "ignore_eos": BOOLEAN,
    "skip_special_tokens": BOOLEAN, "stop_regex": {"type": "string", "enum": ["", "[.!?]", "a+b$"]},
}
# exclusiveMinimum stands alone.
for name in ("top_p", "repetition_penalty"):
    SAMPLING[name].pop("minimum")
OPENAI = {
    **SAMPLING, "model": {"type": "string", "enum": ["default"]}, "stream": BOOLEAN,
    "max_tokens": integer(1, 64), "max_completion_tokens": integer(1, 64), "min_tokens": integer(0, 1), "seed": SEED,
    "priority": PRIORITY, "cache_salt": STRING, "rid": RID, "user": STRING, "metadata": OBJECT, "store": BOOLEAN,
    "service_tier": STRING, "include_stop_str_in_output": BOOLEAN, "truncate_prompt_tokens": integer(1, 512),
}
TEXT_PART = form({"type": {"type": "string", "enum": ["text"]}, "text": STRING}, ["type", "text"])
MESSAGE = form(
    {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {"anyOf": [STRING, listed(TEXT_PART)]}, "name": STRING, "tool_call_id": STRING,
    },
    ["role", "content"])
MESSAGES = listed(MESSAGE, minItems=1, maxItems=8)
PROMPT = {"anyOf": [{"type": "string", "minLength": 1}, {**TOKENS, "minItems": 1},
                    listed({"type": "string", "minLength": 1}, minItems=1, maxItems=4)]}
FINISH = nullable({"type": "string", "enum": ["stop", "length", "tool_calls", "abort"]})

SCHEMAS = {
    "Error": form({"error": form(
        {"message": STRING, "type": STRING, "param": nullable(STRING), "code": nullable(STRING)},
        ["message", "type", "param", "code"])}, ["error"]),
    "Usage": form(
        {"prompt_tokens": integer(0), "completion_tokens": integer(0), "total_tokens": integer(0),
         "prompt_tokens_details": form({"cached_tokens": integer(0)}, ["cached_tokens"]),
         "completion_tokens_details": form({"reasoning_tokens": integer(0)}, ["reasoning_tokens"])},
        ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details"]),
    "ChatCompletion": form(
        {"id": STRING, "object": {"type": "string", "enum": ["chat.completion"]}, "created": integer(0), "model": STRING,
         "choices": listed(form(
             {"index": integer(0), "finish_reason": FINISH, "logprobs": nullable(OBJECT),
              "message": form({"role": {"type": "string", "enum": ["assistant"]}, "content": nullable(STRING)},
                              ["role", "content"])},
             ["index", "message", "finish_reason"])),
         "usage": reference("Usage")},
        ["id", "object", "created", "model", "choices", "usage"]),
    "Completion": form(
        {"id": STRING, "object": {"type": "string", "enum": ["text_completion"]}, "created": integer(0), "model": STRING,
         "choices": listed(form({"index": integer(0), "text": STRING, "finish_reason": FINISH},
                                ["index", "text", "finish_reason"])),
         "usage": reference("Usage")},
        ["id", "object", "created", "model", "choices", "usage"]),
    "Model": form({"id": STRING, "object": {"type": "string", "enum": ["model"]}, "created": integer(0),
                   "owned_by": STRING, "max_model_len": integer(1)}, ["id", "object", "created", "owned_by"]),
    "Generated": form({"text": STRING, "output_ids": TOKENS, "meta_info": OBJECT}, ["text", "output_ids", "meta_info"]),
    "Response": form(
        {"id": STRING, "object": {"type": "string", "enum": ["response"]}, "created_at": integer(0),
         "status": {"type": "string", "enum": ["completed", "incomplete", "failed", "in_progress"]},
         "output": listed(OBJECT), "model": STRING, "usage": nullable(OBJECT)},
        ["id", "object", "created_at", "status", "output", "model"]),
}
MESSAGE_OBJECT = form(
    {"id": STRING, "type": {"type": "string", "enum": ["message"]}, "role": {"type": "string", "enum": ["assistant"]},
     "content": listed(OBJECT), "stop_reason": nullable(STRING), "usage": OBJECT},
    ["id", "type", "role", "content", "stop_reason", "usage"])
STATUS = form({"status": STRING}, ["status"])
CACHE_CONTROL = form({"type": {"type": "string", "enum": ["ephemeral"]}, "ttl": {"type": "string", "enum": ["5m", "1h"]}},
                     ["type"])
BLOCKS = {"anyOf": [STRING, listed(form({**TEXT_PART["properties"], "cache_control": CACHE_CONTROL}, ["type", "text"]),
                                   minItems=1)]}
OLLAMA_OPTIONS = form({"temperature": number(0, 2), "top_k": integer(1, 100), "num_predict": integer(1, 32),
                       "seed": SEED, "stop": listed(STRING, maxItems=4)})
SESSION = form({"session_id": {"type": "string", "pattern": "^[a-z0-9]{1,40}$"}}, ["session_id"])
ERRORS = {"400": "A field is wrong, missing or not supported.", "401": "The API key is wrong or missing.",
          "413": "The body is too large.", "415": "The content encoding is not supported.",
          "429": "Too many requests; see retry-after.", "503": "The model is loading, or the server shuts down."}


def answers(schema, stream=None, more=None):
    content = {"application/json": {"schema": schema}} if schema is not None else {"text/plain": {"schema": STRING}}
    if stream:
        content[stream] = {"schema": {}}
    result = {"200": {"description": "The answer.", "content": content}}
    for status, text in {**ERRORS, **(more or {})}.items():
        result[status] = {"description": text, "content": {"application/json": {"schema": {}}}}
    return result


def post(summary, body, schema, stream=None, required=True, more=None):
    operation = {"summary": summary, "responses": answers(schema, stream, more)}
    if body is not None:
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
    return {"post": operation}


def get(summary, schema, parameters=(), more=None):
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers(schema, more=more)}}


MISSING = {"404": "There is none with this name."}
CONFLICT = {"409": "It was computed, but pins may keep no more."}
# One of these.
CACHED_PROMPT = [{"messages": MESSAGES}, {"text": {"type": "string", "minLength": 1}},
                 {"input_ids": {**TOKENS, "minItems": 1}}]


def cached_prompt(**more):
    return {"anyOf": [form({**prompt, "cache_salt": STRING, **more}, list(prompt)) for prompt in CACHED_PROMPT]}


def query(name, schema, required=False):
    return {"name": name, "in": "query", "required": required, "schema": schema}


PIN = form({"id": STRING, "tokens": integer(1), "pinned_tokens": integer(0), "age_seconds": number(0),
            "expires_in_seconds": nullable(number()), "begins": STRING},
           ["id", "tokens", "pinned_tokens", "expires_in_seconds"])
CACHE_REPORT = form(
    {"prompt_tokens": integer(1), "cached_tokens": integer(0), "cached_tokens_by_tier": OBJECT,
     "awaited_tokens": integer(0), "missed": listed(form({"reason": STRING, "tokens": integer(1)}, ["reason", "tokens"])),
     "divergence": nullable(OBJECT), "summary": STRING},
    ["prompt_tokens", "cached_tokens", "cached_tokens_by_tier", "missed", "divergence", "summary"])
EVENTS = "text/event-stream"
PATHS = {
    "/v1/chat/completions": post(
        "Continue a conversation.",
        form({**OPENAI, "messages": MESSAGES, "logprobs": BOOLEAN, "reasoning_effort": STRING,
              "chat_template_kwargs": OBJECT, "parallel_tool_calls": BOOLEAN,
              "return_cached_tokens_details": BOOLEAN}, ["messages"]),
        reference("ChatCompletion"), EVENTS, more=MISSING),
    "/v1/completions": post(
        "Continue a text.",
        form({**OPENAI, "prompt": PROMPT, "echo": BOOLEAN, "logprobs": integer(0, 5), "best_of": integer(1, 4)},
             ["prompt"]),
        reference("Completion"), EVENTS, more=MISSING),
    "/v1/responses": post(
        "Continue a conversation, remembered by the server.",
        form({"model": OPENAI["model"], "input": {"anyOf": [STRING, listed(MESSAGE, minItems=1, maxItems=8)]},
              "instructions": STRING, "max_output_tokens": integer(1, 64), "temperature": number(0, 2),
              "stream": BOOLEAN, "store": BOOLEAN, "previous_response_id": STRING, "metadata": OBJECT, "user": STRING},
             ["input"]),
        reference("Response"), EVENTS, more=MISSING),
    "/v1/models": get("The served names.", form({"object": STRING, "data": listed(reference("Model"))},
                                                ["object", "data"])),
    "/generate": post(
        "SGLang's native form.",
        form({"text": {"anyOf": [{"type": "string", "minLength": 1},
                                 listed({"type": "string", "minLength": 1}, minItems=1, maxItems=4)]},
              "sampling_params": form({**{key: value for key, value in SAMPLING.items() if key != "n"},
                                       "max_new_tokens": integer(0, 64), "sampling_seed": SEED}),
              "stream": BOOLEAN, "return_logprob": BOOLEAN, "top_logprobs_num": integer(0, 5),
              "logprob_start_len": integer(-1, 1), "return_text_in_logprobs": BOOLEAN, "priority": PRIORITY,
              "rid": RID},
             ["text"]),
        {"anyOf": [reference("Generated"), listed(reference("Generated"))]}, EVENTS),
    "/v1/messages": post(
        "Anthropic's Messages.",
        form({"model": OPENAI["model"], "max_tokens": integer(1, 64), "system": BLOCKS, "stream": BOOLEAN,
              "temperature": number(0, 1), "top_k": integer(1, 100), "stop_sequences": listed(STRING, maxItems=4),
              "messages": listed(form({"role": {"type": "string", "enum": ["user", "assistant"]}, "content": BLOCKS},
                                      ["role", "content"]), minItems=1, maxItems=8)},
             ["max_tokens", "messages"]),
        MESSAGE_OBJECT, EVENTS, more=MISSING),
    "/v1/messages/count_tokens": post(
        "Tokens of a conversation.",
        form({"model": OPENAI["model"], "system": BLOCKS,
              "messages": listed(form({"role": {"type": "string", "enum": ["user"]}, "content": BLOCKS},
                                      ["role", "content"]), minItems=1, maxItems=8)}, ["messages"]),
        form({"input_tokens": integer(1)}, ["input_tokens"]), more=MISSING),
    "/api/chat": post(
        "Ollama's chat; streams unless told not to.",
        form({"model": OPENAI["model"], "messages": listed(form(
            {"role": {"type": "string", "enum": ["system", "user", "assistant"]}, "content": STRING},
            ["role", "content"]), maxItems=8), "stream": BOOLEAN, "options": OLLAMA_OPTIONS}),
        form({"model": STRING, "done": BOOLEAN}, ["model", "done"]), "application/x-ndjson", more=MISSING),
    "/api/generate": post(
        "Ollama's completion; streams unless told not to.",
        form({"model": OPENAI["model"], "prompt": STRING, "system": STRING, "raw": BOOLEAN, "stream": BOOLEAN,
              "options": OLLAMA_OPTIONS}),
        form({"model": STRING, "done": BOOLEAN}, ["model", "done"]), "application/x-ndjson", more=MISSING),
    "/api/tags": get("Ollama's list of models.", form({"models": listed(OBJECT)}, ["models"])),
    "/api/ps": get("Ollama's list of loaded models.", form({"models": listed(OBJECT)}, ["models"])),
    "/api/version": get("A version that Ollama's clients read.", form({"version": STRING}, ["version"])),
    "/api/show": post("Ollama's description of a model.", form({"model": OPENAI["model"]}),
                      form({"details": OBJECT, "model_info": OBJECT, "capabilities": listed(STRING)},
                           ["details", "capabilities"]), more=MISSING),
    "/tokenize": post("Text to token ids.", form(
        {"model": OPENAI["model"], "prompt": {"anyOf": [STRING, listed(STRING, minItems=1)]},
         "add_special_tokens": BOOLEAN}, ["prompt"]),
        form({"tokens": {"type": "array"}, "count": {}, "max_model_len": integer(1)}, ["tokens", "count"]), more=MISSING),
    "/detokenize": post("Token ids to text.", form(
        {"model": OPENAI["model"], "tokens": TOKENS, "skip_special_tokens": BOOLEAN}, ["tokens"]),
        form({"prompt": STRING, "text": STRING}, ["prompt", "text"]), more=MISSING),
    "/v1/score": post("Probabilities of label tokens after query and item.", form(
        {"model": OPENAI["model"], "query": {"type": "string", "minLength": 1}, "items": listed(STRING, minItems=1, maxItems=4),
         "label_token_ids": {**TOKENS, "minItems": 1}, "apply_softmax": BOOLEAN, "item_first": BOOLEAN},
        ["query", "items", "label_token_ids"]),
        form({"scores": listed(listed(number())), "usage": reference("Usage")}, ["scores", "usage"]), more=MISSING),
    "/v1/embeddings": post("Vectors of texts; for embedding models.", form(
        {"model": OPENAI["model"], "input": PROMPT, "encoding_format": {"type": "string", "enum": ["float", "base64"]},
         "dimensions": integer(1), "truncate_prompt_tokens": integer(-1), "user": STRING}, ["input"]),
        form({"object": STRING, "data": listed(OBJECT), "model": STRING, "usage": OBJECT},
             ["object", "data", "model", "usage"]), more=MISSING),
    "/encode": post("SGLang's vectors of texts; for embedding models.", form(
        {"text": {"anyOf": [STRING, listed(STRING, minItems=1)]}, "rid": RID}, ["text"]), {}),
    "/v1/rerank": post("Documents in the order in which they fit a query; for rerankers.", form(
        {"model": OPENAI["model"], "query": STRING, "documents": listed(STRING, minItems=1, maxItems=4),
         "top_n": integer(1), "return_documents": BOOLEAN}, ["query", "documents"]),
        form({"id": STRING, "model": STRING, "results": listed(OBJECT), "usage": OBJECT},
             ["id", "model", "results", "usage"]), more=MISSING),
    "/parse_function_call": post("Calls of functions in a text.", form(
        {"text": STRING, "tool_call_parser": {"type": "string", "enum": ["hermes", "llama3", "mistral", "pythonic"]}},
        ["text"]), form({"normal_text": STRING, "calls": listed(OBJECT)}, ["normal_text", "calls"])),
    "/separate_reasoning": post("Reasoning and answer in a text.", form(
        {"text": STRING, "reasoning_parser": {"type": "string", "enum": ["deepseek-r1", "qwen3", "kimi"]},
         "return_blocks": BOOLEAN}, ["text"]),
        form({"reasoning_text": STRING, "text": STRING}, ["reasoning_text", "text"])),
    "/abort_request": post("End a request.", form({"rid": RID}, ["rid"]), form({"aborted": integer(0)}, ["aborted"])),
    "/open_session": post("Begin a session.", form({**SESSION["properties"], "capacity_of_str_len": integer(1, 10**6)},
                                                   ["session_id"]), STRING),
    "/close_session": post("End a session.", SESSION, form({"success": BOOLEAN}, ["success"])),
    "/cache/tree": get(
        "What is cached, the most valuable first.",
        form({"page_size": integer(1), "bytes_per_token": integer(1), "pages": OBJECT, "nodes": integer(0),
              "order": STRING, "prefixes": listed(form(
                  {"node": integer(), "parent": nullable(integer()), "prefix_tokens": integer(0), "tokens": integer(1),
                   "bytes": integer(0), "hits": integer(0), "saved_tokens": integer(0),
                   "saved_prefill_seconds": number(0), "age_seconds": number(0), "idle_seconds": number(0),
                   "tier": STRING, "begins": STRING, "ends": STRING},
                  ["tokens", "bytes", "hits", "saved_tokens", "saved_prefill_seconds", "age_seconds", "tier"]))},
             ["page_size", "pages", "prefixes"]),
        [query("order", {"type": "string", "enum": ["saved", "tokens", "hits", "recent"]}),
         query("limit", integer(1, 1000)), query("preview", integer(0, 512))]),
    "/cache/probe": post("How much of a prompt is cached now.", cached_prompt(), CACHE_REPORT),
    "/cache/explain": get("What the cache did for a request, and why not more.", CACHE_REPORT,
                          [query("request_id", {"type": "string", "minLength": 1}, required=True)], more=MISSING),
    "/cache/pin": post(
        "Compute a prompt if need be, and keep it.",
        cached_prompt(id={"type": "string", "minLength": 1, "maxLength": 64}, ttl=number(1, 60), tokens=integer(1)),
        PIN, more=CONFLICT),
    "/cache/pins": get("What is kept.", form(
        {"pinned_tokens": integer(0), "budget_tokens": integer(0), "pins": listed(PIN)},
        ["pinned_tokens", "budget_tokens", "pins"])),
    "/cache/unpin": post("Keep it no longer.", form({"id": {"type": "string", "minLength": 1}}, ["id"]),
                         form({"id": STRING, "unpinned": BOOLEAN}, ["id", "unpinned"]), more=MISSING),
    "/flush_cache": post("Forget every cached prefix.", None, None),
    "/reset_prefix_cache": post("vLLM's name for the same.", None, None),
    "/update_weights_from_disk": post("Another model directory in place of the served one.", form(
        {"model_path": {"type": "string", "enum": ["/no/such/model"]}, "abort_all_requests": BOOLEAN}, ["model_path"]),
        form({"success": BOOLEAN, "message": STRING}, ["success", "message"])),
    "/metrics": get("Prometheus metrics, with SGLang's and vLLM's names.", None),
    "/continue_generation": post("Go on after /pause_generation.", None, STATUS),
    "/get_load": get("Requests and tokens in use.", listed(OBJECT)),
    "/v1/loads": get("Requests and tokens in use.", form({"loads": listed(OBJECT)}, ["loads"])),
    "/load": get("Open requests.", form({"server_load": integer(0)}, ["server_load"])),
    "/get_model_info": get("What is served.", form({"model_path": STRING}, ["model_path"])),
    "/get_server_info": get("Settings and counters.", form({"version": STRING, "pages": OBJECT}, ["version", "pages"])),
    "/health": get("Whether requests are answered.", STATUS),
    "/livez": get("Whether the process answers.", STATUS),
    "/version": get("Version of the server.", form({"version": STRING}, ["version"])),
}

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Radish", "version": "1",
             "description": "The endpoints that generate and that tell about the server. docs/api.md has all fields."},
    "paths": PATHS,
    "components": {"schemas": SCHEMAS, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "security": [{}, {"bearer": []}],
}

if __name__ == "__main__":
    TARGET.write_text(json.dumps(DOCUMENT, indent=1) + "\n")
    print(f"{TARGET.name}: {len(PATHS)} paths")
