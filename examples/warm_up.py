"""Puts prompts into the cache before anybody asks: one request with `max_tokens=1` for each."""

import asyncio
import os

from openai import AsyncOpenAI

PROMPTS = [f"You are the assistant of department {number}. Answer in one sentence." for number in range(8)]


async def main() -> None:
    client = AsyncOpenAI(base_url=os.environ.get("RADISH_URL", "http://localhost:30000") + "/v1", api_key="EMPTY")
    model = (await client.models.list()).data[0].id

    async def ask(prompt: str, limit: int) -> int:
        answer = await client.chat.completions.create(
            model=model, max_tokens=limit, temperature=0,
            messages=[{"role": "system", "content": prompt}, {"role": "user", "content": "Hello"}])
        return answer.usage.prompt_tokens_details.cached_tokens

    cold = await asyncio.gather(*(ask(prompt, 1) for prompt in PROMPTS))
    warm = await asyncio.gather(*(ask(prompt, 8) for prompt in PROMPTS))
    print(f"cached tokens at the warm-up: {cold}")
    print(f"cached tokens after it:       {warm}")


asyncio.run(main())
