"""Makes Tests/GrammarTests/Fixtures/regex.jsonl: random regular expressions with the verdicts of Python's `re`.

Run by hand: python3 Tools/make_regex_cases.py. Tools/fuzz_regex.py takes its expressions from here.
"""
import json
import random
import re
import warnings

warnings.simplefilter("ignore")
LETTERS = "abAB01_- .é漢"


def atom(depth):
    kind = random.random()
    if kind < 0.35:
        return re.escape(random.choice(LETTERS)) if random.random() < 0.9 else "."
    if kind < 0.5:
        return random.choice([r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"])
    if kind < 0.7:
        members = "".join(random.choice(["a-b", "A-B", "0-1", "_", "é", " ", r"\d", r"\-", "."]) for _ in range(random.randint(1, 3)))
        return "[" + ("^" if random.random() < 0.25 else "") + members + "]"
    if depth <= 0:
        return random.choice("abAB01")
    inner = expression(depth - 1)
    return random.choice(["(", "(?:", "(?P<n%d>" % random.randint(0, 10**9)]) + inner + ")"


def quantified(depth):
    node = atom(depth)
    if random.random() < 0.45:
        low = random.randint(0, 3)
        node += random.choice(["*", "+", "?", "*?", "+?", "??", "{%d}" % low, "{%d,}" % low, "{%d,%d}" % (low, low + random.randint(0, 4))])
    return node


def expression(depth):
    branches = []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        branches.append("".join(quantified(depth) for _ in range(random.randint(0 if depth < 2 else 1, 4))))
    return "|".join(branches)


def pattern():
    text = expression(2)
    kind = random.random()
    if kind < 0.2:
        text = "^" + text + "$" if "|" not in text else "^(" + text + ")$"
    elif kind < 0.3:
        text = "^" + text
    elif kind < 0.4:
        text = text + "$"
    elif kind < 0.5:
        text = random.choice(["(?=", "(?!"]) + expression(1) + ")" + text
    elif kind < 0.6:
        text = "^(?!" + expression(1) + "$)(" + text + ")$"
    elif kind < 0.7:
        text = random.choice([r"\b", r"\B"]) + "(" + text + ")" + random.choice([r"\b", r"\B", ""])
    elif kind < 0.75:
        text = "(^|" + expression(1) + ")" + text + "($|" + random.choice("ab0") + ")"
    return text


def texts(compiled):
    found = {""}
    while len(found) < 14:
        found.add("".join(random.choice(LETTERS) for _ in range(random.randint(0, 9))))
    return sorted(found)


def main():
    random.seed(20261124)
    with open("Tests/GrammarTests/Fixtures/regex.jsonl", "w") as out:
        made = 0
        while made < 600:
            source = pattern()
            # `$` of Python also matches before a final line end; the texts have none.
            try:
                compiled = re.compile(source, re.ASCII)
            except re.error:
                continue
            row = {"pattern": source, "texts": [], "whole": [], "search": []}
            for text in texts(compiled):
                # Python before 3.14 denies that \\B matches in the empty text; ECMA-262 does not.
                if text == "" and r"\B" in source:
                    continue
                row["texts"].append(text)
                row["whole"].append(compiled.fullmatch(text) is not None)
                row["search"].append(compiled.search(text) is not None)
            out.write(json.dumps(row, ensure_ascii=True) + "\n")
            made += 1


if __name__ == "__main__":
    main()
