#!/usr/bin/env python3
"""`make compat`: real clients from PyPI against the real server. Writes docs/compatibility.md."""

import argparse
import asyncio
import importlib.metadata
import inspect
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import openai_client  # noqa: E402
import other_clients as others  # noqa: E402
import sglang_client as sglang  # noqa: E402
import surface  # noqa: E402
from server_process import DEFAULT_BINARY, REPOSITORY, ServerProcess  # noqa: E402

CLIENTS = [
    ("openai", openai_client.checks), ("openai, field by field", surface.checks),
    ("anthropic", others.anthropic_checks), ("ollama", others.ollama_checks),
    ("litellm", others.litellm_checks), ("langchain-openai", others.langchain_checks),
    ("instructor", others.instructor_checks), ("llama-index-llms-openai-like", others.llama_index_checks),
    ("openai-agents", others.agents_checks), ("sglang", sglang.frontend_checks),
    ("SGLang's native endpoints (httpx)", sglang.native_checks),
]


def run(check) -> str:
    """Empty if it passes, otherwise why not."""
    try:
        result = check()
        if inspect.iscoroutine(result):
            asyncio.run(result)
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name.split(",")[0])
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version("httpx") if "httpx" in name else ""


def page(rows) -> str:
    lines = [
        "# Compatibility", "",
        "What real clients do against `radish serve` with the embedded demo model. Made by `make compat`; each name is a",
        "function in `Tools/compat/`.", "",
        "| client | version | passed | failed |", "| --- | --- | --- | --- |",
    ]
    for name, number, passed, failed, missing in rows:
        if missing:
            lines.append(f"| {name} | | not run: {missing} | |")
            continue
        wrong = "; ".join(f"`{check}`: {reason.replace('|', '/')}" for check, reason in failed)
        lines.append(f"| {name} | {number} | {', '.join(f'`{check}`' for check in passed)} | {wrong or '–'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--only", nargs="*", help="names of clients")
    parser.add_argument("--page", type=Path, default=REPOSITORY / "docs" / "compatibility.md")
    arguments = parser.parse_args()
    rows, failures = [], 0
    with ServerProcess(arguments.binary) as server:
        import httpx

        model = httpx.get(server.base_url + "/models").json()["data"][0]["id"]
        for name, checks in CLIENTS:
            if arguments.only and name not in arguments.only:
                continue
            passed, failed, missing = [], [], ""
            generator = checks(server.root, model)
            while True:
                try:
                    check = next(generator)
                except StopIteration:
                    break
                except ImportError as error:
                    missing = f"{error}".splitlines()[0]
                    print(f"SKIPPED: {name}: {missing}", flush=True)
                    break
                since = time.monotonic()
                reason = run(check)
                told = f"FAIL {name}: {check.__name__}: {reason}" if reason else f"ok   {name}: {check.__name__}"
                print(f"{told} {time.monotonic() - since:.2f} s", flush=True)
                if reason:
                    failed.append((check.__name__, reason))
                else:
                    passed.append(check.__name__)
            failures += len(failed)
            rows.append((name, version(name), passed, failed, missing))
    if not arguments.only:
        arguments.page.write_text(page(rows))
    print(f"{sum(len(row[2]) for row in rows)} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
