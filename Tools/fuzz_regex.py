"""Random regular expressions, random texts that the grammar of each admits, and the opinion of Python's `re`.

    python Tools/fuzz_regex.py --radish .build/release/radish --walks 10000

For each expression `radish grammar sample` walks through the masks (any allowed token, all equally likely); every
text must match. The other way round, texts made by chance and walks changed by chance are judged by `radish grammar
check` and by `re`, which must agree. Python is asked in ECMA-262's terms: what `.`, `\\s` and `$` mean differs. Ends
with status 1 at the first contradiction, printing seed and expression.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile

from make_regex_cases import LETTERS, pattern

SPACES = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
SPELLED = {r"\s": f"[{SPACES}]", r"\S": f"[^{SPACES}]", ".": r"[^\n\r\u2028\u2029]", "$": r"\Z"}


def as_python(source):
    """`.`, `$` and the classes of spaces, where they are such, in Python's spelling."""
    return re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|[.$]", lambda found: SPELLED.get(found[0], found[0]), source)


def changed(text):
    place = random.randint(0, len(text))
    return random.choice([
        text[:place] + random.choice(LETTERS) + text[place:], text[:place] + text[place + 1 :], text[:place],
        text[:place] + text[place : place + 2] + text[place:], text.swapcase(),
    ])


def run(radish, command, source, extra):
    return subprocess.run(
        [radish, "grammar", command, f"--regex={source}", *extra], capture_output=True, text=True, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--radish", default=".build/release/radish")
    parser.add_argument("--walks", type=int, default=10_000)
    parser.add_argument("--per-pattern", type=int, default=16)
    parser.add_argument("--judged", type=int, default=30, help="texts judged for each expression")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts = dict(patterns=0, walks=0, judged=0, refused=0, unsatisfiable=0, unfinished=0)
    seed = arguments.seed
    with tempfile.TemporaryDirectory() as folder:
        while counts["walks"] < arguments.walks:
            seed += 1
            random.seed(seed)
            source = pattern()
            try:
                judge = re.compile(as_python(source), re.ASCII)
            except re.error:
                continue
            # Before version 3.14 Python denies that \B matches in the empty text; ECMA-262 does not.
            odd = {""} if r"\B" in source else set()

            def contradiction(what):
                print(f"CONTRADICTION, seed {seed}: {what}\n  {source}", flush=True)
                sys.exit(1)

            counts["patterns"] += 1
            extra = ["--json", "--count", str(arguments.per_pattern), "--seed", str(seed)]
            done = run(arguments.radish, "sample", source, extra)
            walks = [json.loads(line) for line in done.stdout.split("\n") if line]
            half = arguments.judged // 2
            texts = {"".join(random.choices(LETTERS, k=random.randint(0, 9))) for _ in range(half)} - odd
            if done.returncode == 2:
                if "no text satisfies" in done.stderr:
                    counts["unsatisfiable"] += 1
                    for text in texts:
                        if judge.fullmatch(text):
                            contradiction(f"called unsatisfiable, yet {text!r} matches")
                else:
                    counts["refused"] += 1
                continue
            if done.returncode != 0:
                contradiction(f"status {done.returncode}: {done.stderr[:500]}")
            counts["walks"] += len(walks)
            counts["unfinished"] += arguments.per_pattern - len(walks)
            for text in set(walks) - odd:
                if not judge.fullmatch(text):
                    contradiction(f"{text!r} does not match")
            if walks:
                texts |= {changed(random.choice(walks)[:40]) for _ in range(half)}
            # Files are judged without the line ends behind them.
            texts = [text for text in sorted(texts - odd) if not text.endswith(("\n", "\r"))]
            files = [f"{folder}/{index}" for index in range(len(texts))]
            for file, text in zip(files, texts):
                with open(file, "w", encoding="utf-8", newline="") as out:
                    out.write(text)
            lines = run(arguments.radish, "check", source, ["--instance", *files]).stdout.split("\n")
            opinions = dict(line.split(": ", 1) for line in lines if ": " in line)
            counts["judged"] += len(texts)
            for file, text in zip(files, texts):
                if (opinions.get(file) == "valid") != (judge.fullmatch(text) is not None):
                    contradiction(f"{text!r} is said to be {opinions.get(file)}")
            if counts["patterns"] % 100 == 0:
                print(counts, flush=True)
    print(counts)


if __name__ == "__main__":
    main()
