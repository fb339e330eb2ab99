"""One line for each check, and the closing line that says how many passed."""

import asyncio
import inspect
import time


class CheckList:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def check(self, name: str, body, *arguments) -> bool:
        """Runs `body` (a function or a coroutine function). What it returns, if anything, is told after the name."""
        since = time.monotonic()
        try:
            result = body(*arguments)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
        except Exception as error:  # every failure is a line, and the next check runs
            self.failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            return False
        self.passed += 1
        told = f" ({result})" if result else ""
        print(f"ok   {name}{told} {time.monotonic() - since:.2f} s", flush=True)
        return True

    def skip(self, name: str, reason: str) -> None:
        self.skipped += 1
        print(f"SKIPPED: {name}: {reason}", flush=True)

    def close(self) -> int:
        """Prints the closing line; the exit status."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 1 if self.failed or not self.passed else 0
