"""Compares `radish bench grammar` with the xgrammar and llguidance packages on the same cases, in the same run.

One thread, caches off, every compilation from nothing; a mask's time includes what has to be built for it. Each
schema is run `--repetitions` times and the quickest time of each compilation and each mask counts; one that takes a
peer more than five seconds is run once. The peers are called through their Python packages, which adds about a
microsecond to each of their masks. With `--save` the peers' times are kept in a file, case by case, and a later call
goes on behind the last one: with `--seconds` the whole can be measured in several short runs. Radish is measured anew
in each.

    python3 Tools/bench_grammar_peers.py --radish .build/release/radish --cases cases.jsonl \
        --tokenizer tokenizer.json --write docs/benchmarks.md
"""
import argparse
import importlib.metadata
import json
import multiprocessing
import os
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


LONG = 5.0


def measure(engine, schema, texts, valid, repetitions):
    """What one peer makes of one case."""
    best, masks, verdicts = float("inf"), [], []
    try:
        for repetition in range(repetitions):
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
            if best > LONG:
                break
    except Exception as error:
        return {"refused": str(error)[:200]}
    return {
        "compile": best * 1e6,
        "masks": [spent * 1e6 for spent in masks],
        "bytes": engine.bytes(compiled),
        "valid": valid,
        "invalid": len(texts) - valid,
        "wrong_valid": verdicts[:valid].count(False),
        "wrong_invalid": verdicts[valid:].count(True),
    }


def run_peer(name, arguments, known, pipe):
    """Sends (case, result) for each case that is not known, as long as there is time, then nothing."""
    from tokenizers import Tokenizer

    hf = Tokenizer.from_file(arguments.tokenizer)
    size = hf.get_vocab_size(with_added_tokens=True)
    engine = {"llguidance": LLGuidance, "xgrammar": XGrammar}[name](arguments.tokenizer, hf, size, arguments.eos)
    deadline = time.monotonic() + arguments.seconds
    for case, schema, valid, invalid in load_cases(arguments.cases):
        if case in known:
            continue
        if time.monotonic() > deadline:
            break
        texts = [hf.encode(text, add_special_tokens=False).ids for text in valid + invalid]
        pipe.send((case, measure(engine, schema, texts, len(valid), arguments.repetitions)))
    pipe.send(None)


def combined(name, cases):
    """The result of a peer over all cases."""
    good = [case for case in cases.values() if "refused" not in case]
    total = lambda key: sum(case[key] for case in good)
    sizes = [case["bytes"] for case in good if case["bytes"] is not None]
    return {
        "version": importlib.metadata.version(name),
        "compile": summary([case["compile"] for case in good]),
        "mask": summary([spent for case in good for spent in case["masks"]]),
        "bytes": summary(sizes) if sizes else None,
        "compiled": len(good),
        "refused": len(cases) - len(good),
        "valid": total("valid"),
        "invalid": total("invalid"),
        "wrong": total("wrong_valid") + total("wrong_invalid"),
        "wrong_valid": total("wrong_valid"),
        "wrong_invalid": total("wrong_invalid"),
    }


def keep(saved, path):
    if path:
        with open(path, "w") as file:
            json.dump(saved, file)


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
    parser.add_argument("--save", help="keeps the peers' results, and goes on where an earlier run stopped")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each peer")
    parser.add_argument("--write", help="a page whose part between the grammar marks is replaced")
    arguments = parser.parse_args()
    command = [arguments.radish, "bench", "grammar", "--json", "--skip-patterns", "--cases", arguments.cases]
    command += ["--tokenizer", arguments.tokenizer, "--eos", str(arguments.eos)]
    command += ["--repetitions", str(arguments.repetitions)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    results = {"radish": json.loads(output.strip().splitlines()[-1])}
    saved = {}
    if arguments.save and os.path.exists(arguments.save):
        with open(arguments.save) as file:
            saved = json.load(file)
    for name in arguments.peers:
        # A process of its own for each, so that none inherits another's threads or memory.
        cases = saved.setdefault(name, {})
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=run_peer, args=(name, arguments, set(cases), theirs))
        process.start()
        theirs.close()
        try:
            while (result := ours.recv()) is not None:
                cases[result[0]] = result[1]
                keep(saved, arguments.save)
        except EOFError:
            print(f"{name} ended without a result")
        process.join()
        if cases:
            results[name] = combined(name, cases)
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
