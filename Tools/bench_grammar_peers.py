"""Compares `radish bench grammar` with the xgrammar and llguidance packages on the same cases, in the same run.

One thread, caches off, every compilation from nothing; a mask's time includes what has to be built for it. Each
schema is run `--repetitions` times and the quickest time of each compilation and each mask counts. The peers are called
through their Python packages, which adds about a microsecond to each of their masks.

    python3 Tools/bench_grammar_peers.py --radish .build/release/radish --cases cases.jsonl \
        --tokenizer tokenizer.json --write docs/benchmarks.md
"""
import argparse
import importlib.metadata
import json
import multiprocessing
import subprocess
import time

PEERS = ["llguidance", "xgrammar"]


def load_cases(path):
    with open(path) as lines:
        for line in lines:
            case = json.loads(line)
            dump = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            yield case["id"], dump(case["schema"]), [dump(v) for v in case["valid"]], [dump(v) for v in case["invalid"]]


class LLGuidance:
    def __init__(self, tokenizer_path, hf, size, eos):
        import llguidance
        import llguidance.numpy

        self.module = llguidance
        self.tokenizer = llguidance.LLTokenizer(open(tokenizer_path).read(), n_vocab=size, eos_token=eos)
        self.mask = llguidance.numpy.allocate_token_bitmask(1, size)
        self.fill_mask = llguidance.numpy.fill_next_token_bitmask
        self.eos = eos

    def compile(self, schema):
        grammar = self.module.LLMatcher.grammar_from_json_schema(schema)
        matcher = self.module.LLMatcher(self.tokenizer, grammar)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher

    def matcher(self, compiled):
        compiled.reset()
        return compiled

    def fill(self, matcher):
        self.fill_mask(matcher, self.mask, 0)

    def allowed(self, token):
        return int(self.mask[0][token // 32]) >> (token % 32) & 1

    def accept(self, matcher, token):
        return matcher.consume_token(token)

    def bytes(self, compiled):
        return None


class XGrammar:
    def __init__(self, tokenizer_path, hf, size, eos):
        import xgrammar

        self.module = xgrammar
        from transformers import PreTrainedTokenizerFast

        fast = PreTrainedTokenizerFast(tokenizer_file=tokenizer_path)
        info = xgrammar.TokenizerInfo.from_huggingface(fast, vocab_size=size, stop_token_ids=[eos])
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.mask = xgrammar.allocate_token_bitmask(1, size)
        self.view = self.mask.numpy()
        self.eos = eos

    def compile(self, schema):
        return self.compiler.compile_json_schema(schema, any_whitespace=False, separators=(",", ":"), strict_mode=False)

    def matcher(self, compiled):
        return self.module.GrammarMatcher(compiled)

    def fill(self, matcher):
        matcher.fill_next_token_bitmask(self.mask)

    def allowed(self, token):
        return int(self.view[0][token // 32]) >> (token % 32) & 1

    def accept(self, matcher, token):
        return matcher.accept_token(token)

    def bytes(self, compiled):
        return compiled.memory_size_bytes


def run_peer(name, arguments, pipe):
    from tokenizers import Tokenizer

    hf = Tokenizer.from_file(arguments.tokenizer)
    size = hf.get_vocab_size(with_added_tokens=True)
    engine = {"llguidance": LLGuidance, "xgrammar": XGrammar}[name](arguments.tokenizer, hf, size, arguments.eos)
    compile_times, mask_times, sizes = [], [], []
    refused, wrong_valid, wrong_invalid, valid_count, invalid_count = 0, 0, 0, 0, 0
    for _, schema, valid, invalid in load_cases(arguments.cases):
        texts = [hf.encode(text, add_special_tokens=False).ids for text in valid + invalid]
        best, masks, verdicts = float("inf"), [], []
        try:
            for repetition in range(arguments.repetitions):
                began = time.perf_counter()
                compiled = engine.compile(schema)
                best = min(best, time.perf_counter() - began)
                place = 0
                for text in texts:
                    matcher = engine.matcher(compiled)
                    passed = True
                    for token in text + [engine.eos]:
                        began = time.perf_counter()
                        engine.fill(matcher)
                        spent = time.perf_counter() - began
                        if repetition == 0:
                            masks.append(spent)
                        else:
                            masks[place] = min(masks[place], spent)
                        place += 1
                        if not engine.allowed(token):
                            passed = False
                            break
                        if token != engine.eos and not engine.accept(matcher, token):
                            passed = False
                            break
                    if repetition == 0:
                        verdicts.append(passed)
        except Exception:
            refused += 1
            continue
        compile_times.append(best * 1e6)
        mask_times += [spent * 1e6 for spent in masks]
        size_now = engine.bytes(compiled)
        if size_now is not None:
            sizes.append(size_now)
        wrong_valid += verdicts[: len(valid)].count(False)
        wrong_invalid += verdicts[len(valid) :].count(True)
        valid_count += len(valid)
        invalid_count += len(invalid)
    pipe.send(
        {
            "version": importlib.metadata.version(name),
            "compile": summary(compile_times),
            "mask": summary(mask_times),
            "bytes": summary(sizes) if sizes else None,
            "compiled": len(compile_times),
            "refused": refused,
            "valid": valid_count,
            "invalid": invalid_count,
            "wrong": wrong_valid + wrong_invalid,
            "wrong_valid": wrong_valid,
            "wrong_invalid": wrong_invalid,
        }
    )


def summary(values):
    values = sorted(values)
    at = lambda part: values[min(len(values) - 1, int(len(values) * part))]
    return {"mean": sum(values) / len(values), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": values[-1]}


def table(results):
    names = list(results)
    heads = ["Radish" if n == "radish" else f"{n} {results[n]['version']}" for n in names]
    rows = [["", *heads, "Radish against the better peer"], ["---", *["---:"] * (len(names) + 1)]]

    def number(value):
        return "–" if value is None else f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"

    for kind in ["compile", "mask"]:
        for part in ["mean", "p50", "p95", "p99", "max"]:
            values = {n: results[n][kind][part] for n in names}
            best = min(values[n] for n in names if n != "radish")
            rows.append(
                [f"{kind} {part}, µs", *[number(values[n]) for n in names], f"{best / values['radish']:.1f} × as fast"]
            )
    rows.append(["memory of a grammar, p50, KiB", *[number(results[n]["bytes"]["p50"] / 1024 if results[n]["bytes"] else None) for n in names], ""])
    total = {n: results[n]["compiled"] + results[n]["refused"] for n in names}
    rows.append(["schemas that compile", *[f"{results[n]['compiled']} of {total[n]}" for n in names], ""])
    rows.append(["wrong verdicts", *[f"{results[n]['wrong']} of {results[n]['valid'] + results[n]['invalid']}" for n in names], ""])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--radish", required=True, help="the radish executable")
    parser.add_argument("--cases", required=True)
    parser.add_argument("--tokenizer", required=True, help="a tokenizer.json, not packed")
    parser.add_argument("--eos", type=int, required=True, help="id of the end token")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=PEERS)
    parser.add_argument("--write", help="a page whose part between the grammar marks is replaced")
    arguments = parser.parse_args()
    command = [arguments.radish, "bench", "grammar", "--json", "--skip-patterns", "--cases", arguments.cases]
    command += ["--tokenizer", arguments.tokenizer, "--eos", str(arguments.eos)]
    command += ["--repetitions", str(arguments.repetitions)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    results = {"radish": json.loads(output.strip().splitlines()[-1])}
    for name in arguments.peers:
        # A process of its own for each, so that none inherits another's threads or memory.
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(target=run_peer, args=(name, arguments, theirs))
        process.start()
        theirs.close()
        try:
            results[name] = ours.recv()
        except EOFError:
            print(f"{name} ended without a result")
        process.join()
    text = table(results)
    print(text)
    print(json.dumps(results))
    if arguments.write:
        page = open(arguments.write).read()
        before, rest = page.split("<!-- grammar: begin -->", 1)
        after = rest.split("<!-- grammar: end -->", 1)[1]
        with open(arguments.write, "w") as out:
            out.write(f"{before}<!-- grammar: begin -->\n{text}\n<!-- grammar: end -->{after}")


if __name__ == "__main__":
    main()
