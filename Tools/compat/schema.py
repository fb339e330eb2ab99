#!/usr/bin/env python3
"""schemathesis against the description that the server serves at /openapi.json: no 5xx, no answer that the description
does not allow."""

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx  # noqa: E402

from server_process import DEFAULT_BINARY, ServerProcess  # noqa: E402

# What a server must never do, and what the description says of its answers.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    parser.add_argument("--examples", type=int, default=40, help="generated requests for each operation")
    arguments = parser.parse_args()
    with ServerProcess(arguments.binary, ["--context-length", "1024"]) as server:
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run", server.root + "/openapi.json",
            "--checks", CHECKS, "--max-examples", str(arguments.examples), "--phases", "examples,coverage,fuzzing",
            "--mode", "all", "--request-timeout", "60", "--seed", "1", "--workers", "1",
        ]
        status = subprocess.run(command).returncode
        if not server.is_running():
            print("FAIL the server has ended")
            return 1
        # What was pinned is still held.
        for pin in httpx.get(server.root + "/cache/pins").json()["pins"]:
            httpx.post(server.root + "/cache/unpin", json={"id": pin["id"]})
        server.wait_until_idle()
    return status


if __name__ == "__main__":
    sys.exit(main())
