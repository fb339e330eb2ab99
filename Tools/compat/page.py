#!/usr/bin/env python3
"""The page at / in headless Chromium, by keyboard: a chat streams, a stream is stopped, the tree moves while questions
about one document arrive. `make page` installs what it needs; writes pictures."""

import argparse
import asyncio
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx  # noqa: E402
from playwright.async_api import async_playwright  # noqa: E402

from scene import ANSWER, DOCUMENT, MESSAGES, QUESTION, expect  # noqa: E402
from server_process import DEFAULT_BINARY, REPOSITORY, ServerProcess  # noqa: E402


async def chat(page, pictures: Path, scheme: str) -> None:
    await page.fill("#system", DOCUMENT)
    await page.fill("#temperature", "0")
    await page.focus("#input")
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#messages .facts", timeout=30000)
    text = await page.inner_text("#messages li.assistant")
    expect(ANSWER in text and "cached" in text, text)
    await page.keyboard.type("How long is the ship Velmora?")
    await page.keyboard.press("Enter")
    await page.wait_for_function("document.querySelectorAll('#messages .facts').length === 2", timeout=30000)
    expect("47" in await page.inner_text("#messages li.assistant:last-child"), "the second answer")
    await page.screenshot(path=pictures / f"chat-{scheme}.png")


async def stop(page) -> None:
    await page.fill("#max_tokens", "1500")
    await page.fill("#temperature", "2")
    await page.focus("#input")
    await page.keyboard.type("Repeat everything.")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await page.wait_for_function("!document.querySelector('#send').disabled", timeout=30000)
    await page.fill("#max_tokens", "")
    await page.fill("#temperature", "0")


async def structured(page) -> None:
    """A schema that is none is said to be none; a schema is followed."""
    await page.focus("summary >> nth=0")
    await page.keyboard.press("Enter")
    for schema, holds in [("{", None), ('{"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": '
                                        '["yes"], "additionalProperties": false}', "yes")]:
        await page.fill("#schema", schema)
        await page.focus("#input")
        await page.fill("#input", "Is it so?")
        await page.keyboard.press("Enter")
        if holds is None:
            await page.wait_for_function("document.querySelector('#status').innerText.includes('no JSON')")
            continue
        await page.wait_for_function("document.querySelector('#messages li:last-child .facts')", timeout=30000)
        answer = json.loads(await page.inner_text("#messages li:last-child pre:not(.thought)"))
        expect(isinstance(answer["yes"], bool), answer)
    await page.fill("#schema", "")


async def tree(page, server: ServerProcess, pictures: Path, scheme: str) -> None:
    await page.focus("#tab-chat")
    await page.keyboard.press("ArrowRight")
    await page.wait_for_selector("#numbers dd")
    finished = "Array.from(document.querySelectorAll('#numbers div')).find(e => e.innerText.startsWith('finished')).innerText"
    before = await page.evaluate(finished)
    names = ["captain", "mayor", "home port"]
    async with httpx.AsyncClient(base_url=server.base_url, timeout=60) as http:
        for round_ in range(4):
            await asyncio.gather(*(
                http.post("/chat/completions", json={"temperature": 0, "max_tokens": 12, "messages": [
                    MESSAGES[0], {"role": "user", "content": f"What is the {name} of the ship Velmora? {round_}"}]})
                for name in names * 4))
            await asyncio.sleep(1.1)
    await page.wait_for_timeout(1500)
    expect(await page.evaluate(finished) != before, "the numbers stand still")
    expect(await page.locator("#tree tr").count() > 2, "the tree shows nothing")
    requests = await page.inner_text("#requests tbody")
    expect(requests.count("%") == 6 and "ended" in requests, requests)
    await page.screenshot(path=pictures / f"cache-{scheme}.png")
    await page.keyboard.press("ArrowLeft")


def watch(page) -> list[str]:
    """Everything the page complains of."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    return faults


async def within_policy(browser, server: ServerProcess) -> None:
    """The page breaks none of the rules that the server sends with it."""
    page = await browser.new_page()
    faults = watch(page)
    await page.goto(server.root + "/")
    await page.focus("#input")
    await page.keyboard.type("Hello")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#messages .facts", timeout=30000)
    await page.click("#tab-cache")
    await page.wait_for_selector("#tree tr", timeout=30000)
    expect(not faults, faults)
    await page.close()


async def main(arguments) -> int:
    pictures = arguments.pictures
    pictures.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        with ServerProcess(arguments.binary) as server:
            await within_policy(browser, server)
            for scheme in ["light", "dark"]:
                # Waiting for a condition evaluates it in the page, which the page's own policy forbids.
                page = await browser.new_page(
                    color_scheme=scheme, viewport={"width": 1180, "height": 720}, bypass_csp=True)
                faults = watch(page)
                await page.goto(server.root + "/")
                await page.wait_for_function("document.querySelector('#served').innerText.includes('context')")
                await chat(page, pictures, scheme)
                await stop(page)
                await structured(page)
                await tree(page, server, pictures, scheme)
                expect(not faults, faults)
                await page.close()
                print(f"ok   page, {scheme}")
        await browser.close()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--pictures", type=Path, default=REPOSITORY / ".build" / "page")
    sys.exit(asyncio.run(main(parser.parse_args())))
