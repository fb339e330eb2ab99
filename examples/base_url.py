"""An application that talked to vLLM or SGLang: only `base_url` changes."""

import os

from openai import OpenAI

# vLLM: http://localhost:8000/v1, SGLang: http://localhost:30000/v1
client = OpenAI(base_url=os.environ.get("RADISH_URL", "http://localhost:30000") + "/v1", api_key="EMPTY")
model = client.models.list().data[0].id

stream = client.chat.completions.create(
    model=model,
    messages=[
        {"role": "system", "content": "Use only the following facts.\n\nThe captain of the ship Velmora is Teren Oskai."},
        {"role": "user", "content": "Who is the captain of the ship Velmora?"},
    ],
    temperature=0,
    stream=True,
    stream_options={"include_usage": True},
    # What vLLM's and SGLang's users pass beside OpenAI's fields.
    extra_body={"top_k": 20, "repetition_penalty": 1.0, "min_tokens": 1},
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    if chunk.usage:
        print(f"\n{chunk.usage.prompt_tokens} prompt tokens, "
              f"{chunk.usage.prompt_tokens_details.cached_tokens} of them cached")
