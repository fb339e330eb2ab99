"""Questions about one document, all at once: its tokens are computed once, by whoever comes first."""

import asyncio
import os
import time

from openai import AsyncOpenAI

FACTS = ["The captain of the ship Velmora is Teren Oskai.", "The ship Velmora is 47 metres long.",
         "The home port of the ship Velmora is Brenast.", "The mayor of the city Brenast is Ilka Sond."]
QUESTIONS = ["Who is the captain of the ship Velmora?", "How long is the ship Velmora?",
             "What is the home port of the ship Velmora?", "Who is the mayor of the city Brenast?"]


async def main() -> None:
    client = AsyncOpenAI(base_url=os.environ.get("RADISH_URL", "http://localhost:30000") + "/v1", api_key="EMPTY")
    model = (await client.models.list()).data[0].id
    document = "Use only the following facts.\n\n" + "\n".join(FACTS)

    async def ask(question: str):
        answer = await client.chat.completions.create(
            model=model, temperature=0,
            messages=[{"role": "system", "content": document}, {"role": "user", "content": question}])
        return question, answer.choices[0].message.content, answer.usage

    since = time.monotonic()
    for question, text, usage in await asyncio.gather(*(ask(question) for question in QUESTIONS)):
        print(f"{question} {text} ({usage.prompt_tokens_details.cached_tokens} of {usage.prompt_tokens} tokens cached)")
    print(f"{time.monotonic() - since:.2f} s")


asyncio.run(main())
