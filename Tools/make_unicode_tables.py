#!/usr/bin/env python3
"""Writes Sources/Tokenizers/Unicode/UnicodeTableData.swift.

Usage (the two versions are pinned because the tables follow from them):

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install tokenizers==0.23.3 unicodedata2==16.0.0
    /tmp/venv/bin/python Tools/make_unicode_tables.py

Where the tables come from:

* General categories, canonical combining classes and the two-character canonical decompositions are those of the
  Unicode Character Database 16.0, the version that the Oniguruma inside `tokenizers` 0.23 uses for `\\p{..}`.
* Everything else is measured: each component of `tokenizers` carries a Unicode version of its own (its punctuation
  test is older than its digit test, its normalization forms lie between), and ids must agree with that library, not
  with the newest standard. So the library is asked about every code point, and the answer is written down.
"""

import pathlib
import sys

import unicodedata2 as ucd
from tokenizers import Regex, __version__
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CATEGORIES = (
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
)
# One letter a category; none of them is a hexadecimal digit, so a run is "<hex length><letter>".
CATEGORY_LETTERS = "ghijklmnopqrstuvwxyzGHIJKLMNOP"
SCRIPTS = "Han Hiragana Katakana Hangul Latin Greek Cyrillic Arabic Hebrew Thai Devanagari".split()
OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "Sources/Tokenizers/Unicode/UnicodeTableData.swift"


def chunks(step=2048):
    for i in range(0, len(CODE_POINTS), step):
        yield CODE_POINTS[i : i + step]


def matched_by(pattern):
    """Code points that the regular expression matches, asked of the library."""
    found = set()
    replace = N.Replace(Regex(pattern), "")
    for chunk in chunks():
        kept = set(map(ord, replace.normalize_str("".join(map(chr, chunk)))))
        found |= set(chunk) - kept
    return found


def isolated_by(pre_tokenizer):
    """Code points that the pre-tokenizer cuts off from letters around them."""
    found = set()
    for chunk in chunks():
        for piece, _ in pre_tokenizer.pre_tokenize_str("".join("a" + chr(c) for c in chunk)):
            if len(piece) == 1 and piece != "a":
                found.add(ord(piece))
    return found


def joined_by(pre_tokenizer):
    """Code points that stay in one piece with a letter before them."""
    found = set()
    for chunk in chunks():
        for piece, _ in pre_tokenizer.pre_tokenize_str(" ".join("a" + chr(c) for c in chunk)):
            if len(piece) == 2 and piece[0] == "a":
                found.add(ord(piece[1]))
    return found


def emptied_by(normalizer):
    """Code points that the normalizer deletes."""
    return {c for c in CODE_POINTS if normalizer.normalize_str(chr(c)) == ""}


def changed_by(normalizer):
    """Code point -> text, for each code point that the normalizer changes (Hangul syllables are arithmetic)."""
    found = {}
    for c in CODE_POINTS:
        if 0xAC00 <= c <= 0xD7A3:
            continue
        text = normalizer.normalize_str(chr(c))
        if text != chr(c):
            found[c] = text
    return found


def ranges(points):
    result = []
    for c in sorted(points):
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def encode_set(points):
    """Gap to the range, then its length, alternately, in hexadecimal."""
    words, position = [], 0
    for first, last in ranges(points):
        words += [f"{first - position:x}", f"{last - first + 1:x}"]
        position = last + 1
    return words


def encode_categories():
    words, run, current = [], 0, None
    for c in range(0x110000):
        category = "Cs" if 0xD800 <= c <= 0xDFFF else ucd.category(chr(c))
        if category == current:
            run += 1
            continue
        if current is not None:
            words.append(f"{run:x}{CATEGORY_LETTERS[CATEGORIES.index(current)]}")
        run, current = 1, category
    words.append(f"{run:x}{CATEGORY_LETTERS[CATEGORIES.index(current)]}")
    return words


def encode_mapping(mapping):
    """`key=value[+value]`, keys as distances from the key before."""
    words, previous = [], 0
    for c in sorted(mapping):
        words.append(f"{c - previous:x}=" + "+".join(f"{ord(x):x}" for x in mapping[c]))
        previous = c
    return words


def encode_combining_classes(forms):
    """`gap,length,class` for each run of equal classes that the library's normalization knows."""
    known = {}
    for c in CODE_POINTS:
        combining = ucd.combining(chr(c))
        if combining == 0:
            continue
        # U+0345 has class 240, the highest: a mark that the library knows moves before it.
        if c == 0x345 or forms.normalize_str("a\u0345" + chr(c)) != "a\u0345" + chr(c) or c in changed_canonical:
            known[c] = combining
    words, position = [], 0
    run = None
    for c in sorted(known):
        if run and run[0] + run[1] == c and run[2] == known[c]:
            run[1] += 1
            continue
        if run:
            words.append(f"{run[0] - position:x},{run[1]:x},{run[2]:x}")
            position = run[0] + run[1]
        run = [c, 1, known[c]]
    words.append(f"{run[0] - position:x},{run[1]:x},{run[2]:x}")
    return words


def encode_compositions():
    """`first+second=composed` for the primary composites that the library's NFC makes."""
    words = []
    for c in CODE_POINTS:
        parts = ucd.decomposition(chr(c)).split()
        if len(parts) != 2 or parts[0].startswith("<"):
            continue
        pair = "".join(chr(int(p, 16)) for p in parts)
        if composer.normalize_str(pair) == chr(c):
            words.append(f"{ord(pair[0]):x}+{ord(pair[1]):x}={c:x}")
    return words


def encode_case_groups(lowercase):
    """Groups of code points that `(?i:..)` takes for each other, joined with `+`."""
    cased = set(lowercase) | {ord(x) for text in lowercase.values() for x in text}
    cased |= {c for c in CODE_POINTS if any(f(chr(c)) != chr(c) for f in (str.upper, str.lower, str.casefold))}
    text = " ".join(map(chr, sorted(cased)))
    groups, seen = [], set()
    for c in sorted(cased):
        if c in seen:
            continue
        kept = set(map(ord, N.Replace(Regex(f"(?i:\\x{{{c:x}}})"), "").normalize_str(text)))
        group = sorted(cased - kept)
        seen |= set(group)
        if len(group) > 1:
            groups.append("+".join(f"{x:x}" for x in group))
    return groups


def swift_string(name, comment, words):
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) + 1 > 112:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    lines.append(line)
    body = "\n".join("        " + x for x in lines)
    return f'    /// {comment}\n    static let {name}: StaticString = """\n{body}\n        """\n'


if __version__ != "0.23.3" or ucd.unidata_version != "16.0.0":
    sys.exit(f"need tokenizers 0.23.3 and unicodedata2 16.0.0, found {__version__} and {ucd.unidata_version}")

composer = N.NFC()
changed_canonical = changed_by(N.NFD())
changed_compatibility = {k: v for k, v in changed_by(N.NFKD()).items() if changed_canonical.get(k) != v}
lowercase = changed_by(N.Lowercase())
tables = [
    ("categoryLetters", "Letters of the categories in the order of `GeneralCategory`.", [CATEGORY_LETTERS]),
    ("generalCategories", "Runs of equal general category: length, letter.", encode_categories()),
    ("whiteSpace", "`\\\\s` and White_Space.", encode_set(matched_by(r"\s"))),
    ("patternWord", "`\\\\w` of a pattern.", encode_set(matched_by(r"\w"))),
    ("patternBracketWord", "`\\\\w` inside brackets, which differs in Latin-1.", encode_set(matched_by(r"[\w]"))),
    (
        "word",
        "`\\\\w` of `Whitespace` and of `single_word`.",
        encode_set(joined_by(P.Whitespace())),
    ),
    ("numeric", "What `Digits` takes for a digit.", encode_set(isolated_by(P.Digits(True)))),
    ("punctuation", "What `Punctuation` and `BertPreTokenizer` cut off.", encode_set(isolated_by(P.Punctuation()))),
    (
        "control",
        "What `BertNormalizer` with `clean_text` deletes.",
        encode_set(emptied_by(N.BertNormalizer(True, False, False, False))),
    ),
    (
        "nonspacingMark",
        "What `BertNormalizer` with `strip_accents` deletes.",
        encode_set(emptied_by(N.BertNormalizer(False, False, True, False))),
    ),
    ("combiningMark", "What `StripAccents` deletes.", encode_set(emptied_by(N.StripAccents()))),
    ("lowercase", "Lowercase mapping of single code points.", encode_mapping(lowercase)),
    ("canonicalDecompositions", "Full canonical decompositions.", encode_mapping(changed_canonical)),
    (
        "compatibilityDecompositions",
        "Full compatibility decompositions, where they differ from the canonical ones.",
        encode_mapping(changed_compatibility),
    ),
    ("combiningClasses", "Canonical combining classes other than 0.", encode_combining_classes(N.NFD())),
    ("compositions", "Primary composites.", encode_compositions()),
    ("caseGroups", "Code points that differ in case only.", encode_case_groups(lowercase)),
]
for script in SCRIPTS:
    tables.append(
        (f"script{script}", f"Script property {script}.", encode_set(matched_by(rf"\p{{{script}}}")))
    )

OUTPUT.parent.mkdir(parents=True, exist_ok=True)
OUTPUT.write_text(
    "// GENERATED by Tools/make_unicode_tables.py from the Unicode Character Database 16.0 and tokenizers 0.23.3.\n"
    "// Do not edit: change the script and run it again. All numbers are hexadecimal; `UnicodeTables` decodes them.\n"
    "\n"
    "enum UnicodeTableData {\n"
    + "\n".join(swift_string(*table) for table in tables)
    + "}\n",
    encoding="utf-8",
)
print(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes")
