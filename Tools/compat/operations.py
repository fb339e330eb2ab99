#!/usr/bin/env python3
"""TLS, keys in a file, JSON logs, metrics and the dashboard of the real binary."""

import argparse
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx  # noqa: E402
import trustme  # noqa: E402
from openai import OpenAI  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

from scene import MESSAGES, expect, expect_answer  # noqa: E402
from server_process import DEFAULT_BINARY, REPOSITORY, free_port  # noqa: E402


# What the dashboards that SGLang and vLLM ship ask for.
PEERS = """
sglang:e2e_request_latency_seconds_bucket sglang:e2e_request_latency_seconds_sum sglang:e2e_request_latency_seconds_count
sglang:time_to_first_token_seconds_bucket sglang:time_to_first_token_seconds_sum sglang:time_to_first_token_seconds_count
sglang:inter_token_latency_seconds_bucket sglang:num_running_reqs sglang:num_queue_reqs sglang:gen_throughput
sglang:cache_hit_rate sglang:token_usage sglang:num_used_tokens sglang:prompt_tokens_total sglang:generation_tokens_total
vllm:e2e_request_latency_seconds_bucket vllm:e2e_request_latency_seconds_sum vllm:e2e_request_latency_seconds_count
vllm:prompt_tokens_total vllm:generation_tokens_total vllm:time_per_output_token_seconds_bucket
vllm:time_per_output_token_seconds_sum vllm:time_per_output_token_seconds_count vllm:inter_token_latency_seconds_bucket
vllm:num_requests_running vllm:num_requests_swapped vllm:num_requests_waiting vllm:time_to_first_token_seconds_bucket
vllm:time_to_first_token_seconds_sum vllm:time_to_first_token_seconds_count vllm:gpu_cache_usage_perc
vllm:kv_cache_usage_perc vllm:request_prompt_tokens_bucket vllm:request_generation_tokens_bucket
vllm:request_success_total vllm:request_queue_time_seconds_sum vllm:request_prefill_time_seconds_sum
vllm:request_decode_time_seconds_sum
""".split()


def check_metrics(text: str) -> None:
    """What Prometheus would read: every sample belongs to a declared family, and every panel of the dashboard asks for
    a sample that is there, by labels that it has."""
    labels: dict[str, set[str]] = {}
    kinds = {}
    for family in text_string_to_metric_families(text):
        expect(family.type in ("counter", "gauge", "histogram") and family.documentation, family)
        kinds[family.name] = family.type
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
            expect(sample.labels["model_name"], sample)
    missing = [name for name in PEERS if name not in labels]
    expect(not missing, missing)
    dashboard = json.loads((REPOSITORY / "deploy" / "grafana-dashboard.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    for panel in panels:
        expect(panel["targets"] and panel["description"], panel["title"])
        for target in panel["targets"]:
            names = re.findall(r"(?:sglang:|vllm:|radish_)\w+", target["expr"])
            expect(names and all(name in labels for name in names), (panel["title"], names))
            for name in names:
                asked = {label for group in re.findall(r"by \(([\w, ]+)\)", target["expr"]) for label in group.split(", ")}
                expect(asked <= labels[name], (panel["title"], asked - labels[name]))
    print(f"ok   /metrics parses: {len(kinds)} families; {len(PEERS)} names of the peers' dashboards are there; "
          f"{len(panels)} panels of deploy/grafana-dashboard.json name metrics that exist")


def check_trace(trace: dict, tokens: int) -> None:
    """What the Trace Event Format asks of a file for Perfetto: complete events with times and places, which on one
    thread lie beside or within each other."""
    events = trace["traceEvents"]
    expect(all(event["ph"] in ("X", "M") and event["name"] and isinstance(event["pid"], int) for event in events), events)
    spans = [event for event in events if event["ph"] == "X"]
    for span in spans:
        expect(span["ts"] >= 0 and span["dur"] >= 0 and isinstance(span["tid"], int), span)
    for thread in {span["tid"] for span in spans}:
        open_until: list[float] = []
        for span in sorted((span for span in spans if span["tid"] == thread), key=lambda span: (span["ts"], -span["dur"])):
            while open_until and open_until[-1] <= span["ts"] + 1e-3:
                open_until.pop()
            end = span["ts"] + span["dur"]
            expect(not open_until or end <= open_until[-1] + 1, ("spans cross", span))
            open_until.append(end)
    counts = {name: sum(span["name"] == name for span in spans) for name in ["plan", "forward", "sample", "commit"]}
    expect(all(counts.values()) and counts["forward"] == counts["commit"], counts)
    rows = sum(span.get("args", {}).get("rows", 0) for span in spans if span["name"] == "forward")
    expect(rows >= tokens, (rows, tokens))
    print(f"ok   a profile of {len(spans)} spans is a trace: {counts}, {rows} rows")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=DEFAULT_BINARY)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        for number, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(folder / "cert.pem", append=number > 0)
        (folder / "keys").write_text("sk-alice alice\nsk-bob bob 2\n")
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        port = free_port()
        log = open(folder / "log", "w")
        server = subprocess.Popen(
            [arguments.binary, "serve", "--port", str(port), "--ssl-certfile", folder / "cert.pem",
             "--ssl-keyfile", folder / "key.pem", "--api-key-file", folder / "keys", "--log-format", "json",
             "--log-requests"], stderr=log, stdout=log)
        try:
            with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust) as http:
                for _ in range(600):
                    try:
                        if http.get("/readyz").status_code == 200:
                            break
                    except httpx.TransportError:
                        pass
                    time.sleep(0.1)
                client = OpenAI(base_url=f"https://127.0.0.1:{port}/v1", api_key="sk-alice",
                                http_client=httpx.Client(verify=trust))
                answer = client.chat.completions.create(
                    model="default", messages=MESSAGES, temperature=0,
                    extra_headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
                expect_answer(answer.choices[0].message.content)
                print("ok   the openai client over TLS with a key of the file")
                since = time.perf_counter()
                for _ in range(20):
                    expect(http.get("/health").status_code == 200, "health")
                print(f"ok   /health answers in {(time.perf_counter() - since) / 20 * 1000:.1f} ms")
                own = {"x-api-key": "sk-alice"}
                http.post("/flush_cache", headers=own)
                http.post("/start_profile", headers=own)
                usage = client.chat.completions.create(model="default", messages=MESSAGES, temperature=0).usage
                check_trace(http.post("/stop_profile", headers=own).json(), usage.total_tokens - 1)
                check_metrics(http.get("/metrics", headers={"x-api-key": "sk-alice"}).text)
                statuses = [http.get("/v1/models", headers={"x-api-key": "sk-bob"}).status_code for _ in range(4)]
                expect(statuses == [200, 200, 429, 429], statuses)
                print("ok   a key's rate is kept")
                (folder / "keys").write_text("sk-carol carol\n")
                time.sleep(1.2)
                expect(http.get("/v1/models", headers={"x-api-key": "sk-carol"}).status_code == 200, "new key")
                expect(http.get("/v1/models", headers={"x-api-key": "sk-alice"}).status_code == 401, "old key")
                print("ok   the file of keys is read again")
        finally:
            server.terminate()
            server.wait(30)
            log.close()
        lines = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
        entry = next(line for line in lines if line.get("path") == "/v1/chat/completions")
        expect(entry["key"] == "alice" and entry["traceparent"].startswith("00-4bf9"), entry)
        expect("Velmora" not in (folder / "log").read_text(), "text in the log")
        print(f"ok   {len(lines)} log lines are JSON: {json.dumps(entry)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
