"""Starts the `radish` binary for a script, waits until it answers, looks at it from outside and stops it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_BINARY = REPOSITORY / ".build" / "release" / "radish"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def shared_model(name: str) -> Path | None:
    """A model directory of the shared folder beside the repository (or of $RADISH_SHARED), if it is there."""
    shared = Path(os.environ.get("RADISH_SHARED", REPOSITORY.parent / "shared"))
    directory = shared / "models" / name
    return directory if (directory / "config.json").exists() else None


class ServerProcess:
    """`with ServerProcess(binary, ["--disable-radix-cache"]) as server:` serves on a free port of this machine."""

    def __init__(self, binary: Path, arguments: list[str] | None = None, api_key: str | None = None):
        self.arguments = [str(binary), "serve", "--host", "127.0.0.1", "--port"]
        self.further = [*(arguments or []), *(["--api-key", api_key] if api_key else [])]
        self.api_key = api_key or "none"
        self.headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.log = tempfile.NamedTemporaryFile("w+", prefix="radish-", suffix=".log")
        self.process: subprocess.Popen | None = None
        self.root = ""

    @property
    def base_url(self) -> str:
        """What the `openai` package takes."""
        return self.root + "/v1"

    def __enter__(self) -> "ServerProcess":
        port = free_port()
        self.root = f"http://127.0.0.1:{port}"
        command = [*self.arguments, str(port), *self.further]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self._wait_until_healthy(command, patience=120)
        return self

    def __exit__(self, kind, value, trace) -> None:
        if kind is not None:
            print(self.last_lines())
        self.stop()
        self.log.close()

    def _wait_until_healthy(self, command: list[str], patience: float) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{' '.join(command)} ended with {self.process.returncode} before it was ready:\n{self.last_lines()}"
                )
            try:
                if httpx.get(self.root + "/health", timeout=2, headers=self.headers).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"no healthy answer within {patience:.0f} s:\n{self.last_lines()}")

    def last_lines(self, count: int = 20) -> str:
        lines = Path(self.log.name).read_text(errors="replace").splitlines()
        return "\n".join(f"    | {line}" for line in lines[-count:])

    def is_running(self) -> bool:
        return self.process.poll() is None

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM, as Linux counts it."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the server process has no VmRSS: it has ended")

    def info(self) -> dict:
        """GET /get_server_info: `pages` (total, free, cached, leased) and `requests` (running, waiting) among others."""
        response = httpx.get(self.root + "/get_server_info", timeout=10, headers=self.headers)
        response.raise_for_status()
        return response.json()

    def wait_until_idle(self, patience: float = 20) -> dict:
        """The info once nothing runs, waits or is leased; raises with the last info where that does not come."""
        deadline = time.monotonic() + patience
        while True:
            info = self.info()
            requests, pages = info["requests"], info["pages"]
            if requests["running"] == 0 and requests["waiting"] == 0 and pages["leased"] == 0:
                return info
            if time.monotonic() > deadline:
                raise AssertionError(f"not idle after {patience:.0f} s: requests {requests}, pages {pages}")
            time.sleep(0.02)

    def stop(self) -> int:
        """Asks the server to end, kills it after 30 s; its exit status (negative: the signal that ended it)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def assert_accounted(pages: dict) -> None:
    """The accounting invariant of an idle server: every page is free or cached, none is leased."""
    balanced = pages["leased"] == 0 and pages["free"] + pages["cached"] == pages["total"]
    assert balanced, f"pages do not add up: {pages}"
