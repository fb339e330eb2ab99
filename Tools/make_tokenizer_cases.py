#!/usr/bin/env python3
"""Writes Tests/TokenizersTests/TokenizerCases.swift: small tokenizers and what the reference library makes of them.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3
    /tmp/venv/bin/python Tools/make_tokenizer_cases.py

The vocabularies are put together below by hand, so that the file is the same on each machine.
"""

import base64
import json
import pathlib
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from tokenizers import Regex, Tokenizer, __version__
from tokenizers import pre_tokenizers as P

if __version__ != "0.23.3":
    sys.exit(f"need tokenizers 0.23.3, found {__version__}")

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "Tests/TokenizersTests/TokenizerCases.swift"


def alphabet():
    """The byte-level alphabet, byte by byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    extra = iter(range(0x100, 0x200))
    return [chr(b) if b in plain else chr(next(extra)) for b in range(256)]


BYTES = alphabet()


def spell(text):
    return "".join(BYTES[b] for b in text.encode())


def added(token_id, content, special=True, **flags):
    token = dict(single_word=False, lstrip=False, rstrip=False, normalized=not special)
    return {"id": token_id, "content": content, **token, **flags, "special": special}


def merges_for(words, symbols):
    """Left-to-right merges that build each word; `symbols` cuts a word into its first symbols."""
    vocabulary, merges = [], []
    for word in words:
        parts = symbols(word)
        left = parts[0]
        for right in parts[1:]:
            if left + right not in vocabulary:
                vocabulary.append(left + right)
                merges.append([left, right])
            left += right
    return vocabulary, merges


def tokenizer(model, added_tokens, **sections):
    base = dict(version="1.0", truncation=None, padding=None, added_tokens=added_tokens, normalizer=None)
    base.update(pre_tokenizer=None, post_processor=None, decoder=None)
    base.update(sections)
    base["model"] = model
    return base


def bpe(tokens, merges, **options):
    model = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None)
    model.update(fuse_unk=False, byte_fallback=False, ignore_merges=False)
    model.update(options)
    model["vocab"] = {token: number for number, token in enumerate(tokens)}
    model["merges"] = merges
    return model


def template(*items):
    pieces = [
        {"Sequence": {"id": "A", "type_id": 0}} if item is None else {"SpecialToken": {"id": item[0], "type_id": 0}}
        for item in items
    ]
    special = {item[0]: dict(id=item[0], ids=[item[1]], tokens=[item[0]]) for item in items if item}
    return dict(type="TemplateProcessing", single=pieces, pair=pieces, special_tokens=special)


def byte_level():
    """Llama 3's pattern over bytes, NFC, added tokens with every flag, merges as pairs."""
    words = [spell(w) for w in (" the", " hello", "hello", " world", "ing", " don", "'t", "  ", "é", "你", "12", "\n\n")]
    tokens, merges = merges_for(words, list)
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    first = 256 + len(tokens)
    special = [
        added(first, "<|start|>"),
        added(first + 1, "<|end|>", rstrip=True),
        added(first + 2, "<mask>", lstrip=True),
        added(first + 3, "wörld", special=False, single_word=True, normalized=True),
        added(first + 4, "ø", special=False, normalized=False),
        added(first + 5, "<|start|><|end|>", special=False, normalized=False),
    ]
    steps = [
        dict(type="Split", pattern={"Regex": pattern}, behavior="Isolated", invert=False),
        dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False),
    ]
    return tokenizer(
        bpe(BYTES + tokens, merges),
        special,
        normalizer={"type": "NFC"},
        pre_tokenizer={"type": "Sequence", "pretokenizers": steps},
        post_processor=template(("<|start|>", first), None),
        decoder=dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    )


def sentence_piece():
    """Llama 2's layout: prepended space, byte fallback, merges as strings; one decoded leading space goes."""
    letters = list("▁abcdefghilnorstwy.é")
    tokens, merges = merges_for(["▁the", "▁hello", "▁wo", "ing", "▁▁▁▁", "er"], list)
    vocabulary = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + letters + tokens
    steps = [
        dict(type="Replace", pattern={"String": "▁"}, content=" "),
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        dict(type="Strip", content=" ", start=1, stop=0),
    ]
    normalizers = [dict(type="Prepend", prepend="▁"), dict(type="Replace", pattern={"String": " "}, content="▁")]
    return tokenizer(
        bpe(vocabulary, [" ".join(m) for m in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")],
        normalizer={"type": "Sequence", "normalizers": normalizers},
        post_processor=template(("<s>", 1), None, ("</s>", 2)),
        decoder={"type": "Sequence", "decoders": steps},
    )


def metaspace():
    """Metaspace at the start of the text only, unknown characters fused, no byte fallback."""
    letters = list("▁abcdefghilnorstwy.")
    tokens, merges = merges_for(["▁the", "▁hello", "▁wo", "ing"], list)
    space = dict(type="Metaspace", replacement="▁", prepend_scheme="first", split=True)
    return tokenizer(
        bpe(["<unk>", "<s>"] + letters + tokens, merges, unk_token="<unk>", fuse_unk=True),
        [added(0, "<unk>"), added(1, "<s>")],
        pre_tokenizer=space,
        post_processor=dict(type="RobertaProcessing", sep=["<unk>", 0], cls=["<s>", 1], trim_offsets=True,
                            add_prefix_space=False),
        decoder=space,
    )


def word_piece():
    """BERT's layout."""
    words = "the hello world don do not ' t . , ! 1 2 he ##llo ##ing ##s e ##e 你 好 café cafe un ##known".split()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words
    model = dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=12)
    model["vocab"] = {token: number for number, token in enumerate(vocabulary)}
    return tokenizer(
        model,
        [added(n, t, lstrip=t == "[MASK]") for n, t in enumerate(vocabulary[:5])],
        normalizer=dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None,
                        lowercase=True),
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=dict(type="BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2]),
        decoder=dict(type="WordPiece", prefix="##", cleanup=True),
    )


def affixes():
    """Character BPE with a prefix inside words, a suffix at their end, and unknown characters one by one."""
    letters = list("abcdehilnort")
    vocabulary = ["<unk>"] + letters + ["##" + c for c in letters] + [c + "</w>" for c in letters]
    vocabulary += ["##" + c + "</w>" for c in letters] + ["he", "hel", "##or", "lo", "##th</w>"]
    merges = ["h ##e", "he ##l", "##o ##r", "l ##o", "##t ##h</w>"]
    return tokenizer(
        bpe(vocabulary, merges, unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
        [added(0, "<unk>")],
        pre_tokenizer={"type": "Whitespace"},
        decoder=dict(type="BPEDecoder", suffix="</w>"),
    )


def whole_words():
    """GPT-2's layout where words that are tokens need no merges, Digits before, ids that leave a gap."""
    vocabulary = BYTES + [spell("zebra"), spell(" zebra"), "th", "he"]
    model = bpe(vocabulary, [["t", "h"], ["h", "e"]], ignore_merges=True)
    model["vocab"]["Zz"] = 300
    steps = [
        dict(type="Digits", individual_digits=True),
        dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    ]
    return tokenizer(
        model,
        [added(400, "<|endoftext|>")],
        pre_tokenizer={"type": "Sequence", "pretokenizers": steps},
        decoder=dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    )


def character_map():
    """A small map in SentencePiece's own form: what its trainer makes of rules, code points to code points."""
    rules = {"A": "a", "É": "é", "e\u0301": "é", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "\r\n": "\n", "½": "1/2",
             "\u200d": "", "你": "ni ", "ø": "o", "👍": "+", "K": "k"}
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "rules.tsv"
        points = lambda text: " ".join(f"{ord(c):X}" for c in text)
        table.write_text("".join(f"{points(a)}\t{points(b)}\n" for a, b in sorted(rules.items())))
        text = pathlib.Path(folder) / "text.txt"
        text.write_text("the hello world don't the er ing\n" * 40)
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=folder + "/model", vocab_size=20, normalization_rule_tsv=str(table),
            hard_vocab_limit=False, minloglevel=2)
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(pathlib.Path(folder + "/model.model").read_bytes())
        return base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()


def unigram():
    """XLM-R's layout: SentencePiece's map, words apart, Metaspace; pairs without token types."""
    letters = [(c, -4 - 0.1 * i) for i, c in enumerate("▁abcdefghilnorstwy.é1/2' ")]
    words = [("▁the", -3.0), ("▁hello", -5.5), ("▁he", -4.2), ("llo", -4.25), ("ing", -4.0), ("▁wo", -5.0), ("er", -3.5),
             ("rld", -6.0), ("▁world", -12.5), ("thethe", -9.0), ("ni", -4.0)]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + letters + words
    space = dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True)
    single = [dict(SpecialToken=dict(id="<s>", type_id=0)), dict(Sequence=dict(id="A", type_id=0)),
              dict(SpecialToken=dict(id="</s>", type_id=0))]
    pair = single + [dict(SpecialToken=dict(id="</s>", type_id=0)), dict(Sequence=dict(id="B", type_id=0)),
                     dict(SpecialToken=dict(id="</s>", type_id=0))]
    special = {t: dict(id=t, ids=[i], tokens=[t]) for t, i in (("<s>", 0), ("</s>", 2))}
    return tokenizer(
        dict(type="Unigram", unk_id=3, vocab=[list(entry) for entry in vocabulary], byte_fallback=False),
        [added(0, "<s>"), added(1, "<pad>"), added(2, "</s>"), added(3, "<unk>")],
        normalizer={"type": "Sequence", "normalizers": [
            dict(type="Precompiled", precompiled_charsmap=character_map()),
            dict(type="Replace", pattern={"Regex": " {2,}"}, content=" ")]},
        pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space]},
        post_processor=dict(type="TemplateProcessing", single=single, pair=pair, special_tokens=special),
        decoder=space,
    )


def unigram_bytes():
    """T5's and Llama's habits together: no splitting before, unknown characters as bytes."""
    vocabulary = [("<unk>", 0.0), ("</s>", 0.0)] + [(f"<0x{b:02X}>", -20.0) for b in range(256)]
    vocabulary += [(c, -3.0 - 0.05 * i) for i, c in enumerate("▁abcdehilnortw")]
    vocabulary += [("▁the", -2.5), ("hello", -4.0), ("▁▁", -2.9), ("he", -3.3), ("▁hello▁world", -9.0)]
    return tokenizer(
        dict(type="Unigram", unk_id=0, vocab=[list(entry) for entry in vocabulary], byte_fallback=True),
        [added(0, "<unk>"), added(1, "</s>")],
        pre_tokenizer=dict(type="Metaspace", replacement="▁", prepend_scheme="first", split=False),
        post_processor=template(None, ("</s>", 1)),
        decoder={"type": "Sequence", "decoders": [
            dict(type="Replace", pattern={"String": "▁"}, content=" "), {"type": "ByteFallback"}, {"type": "Fuse"},
            dict(type="Strip", content=" ", start=1, stop=0)]},
    )


TEXTS = [
    "", " ", "   ", "hello world", " hello  world ", "Hello WORLD", "the\n\n\nthe", "don't DON'T I'll", "1234567 12",
    "\t\r\n x", "你好 the 你", "e\u0301 é cafe\u0301 café", "😀 👍🏽", "wörld wörlds wo\u0308rld", "ø øre", "hello ",
    "<s>hello</s> the", "<|start|><|end|>  the<|start|> <|end|>", "the <mask> the", "[CLS] hello [MASK] unknown",
    "do not don't . hello , !", "zebra the zebra", "Zz 2024 ½", "<|endoftext|> the", "▁the ▁▁", "hehehelloing world.",
    "unknowable-unknown ##ing", "loor hello north", "a\u00a0b\u3000c", "\u200d\u0301\ufeff", "<0x41> <unk>", "thinghe",
    "한국어 \u1112\u1161\u11ab", "ÀÉÎ ſ K", "the" * 30, "hello" * 20 + " ",
]

PATTERNS = [
    (r"\s+(?!\S)|\s+|\S+", "a  b   "), (r"\w+?[aeiou]|\d{1,3}", "bcadb 12345x"), (r"(?i:'s|'T)|x", "X'S'ſ't x"),
    (r"a++a|b?+b|c*+", "aaab bccc"), (r"(?>a+)b|(?:ab|cd){2,3}", "aab abcdab abab"), (r"(?<=a)b|(?<!\s)\d", "ab b 1 a1"),
    (r"^\s|\S$", " a\n b\nc"), (r"a\Z|\Ab|c\z", "ba\na\n c"), (r"\bfoo\b|\Boo", "foo food xfoo"),
    (r"[a-z&&[^aeiou]]+|[A\-\]]", "hello A-]"), (r"[^\W\d_]+|\W\w", "²½ab_1 é"), (r"\p{Lu}|\P{L}|\p{^N}x", "aB1x é"),
    (r"\p{Han}+|\p{Hiragana}+", "漢字かなkana"), (r"(?i)ab|cd", "ABCDabcd"), (r"(?i:[k-s]+)", "aKſKz"),
    (r"\x41|\x{1F600}|\u00e9|\t", "A😀é\t"), (r".+|\n", "ab\ncd"), (r"(?m:.)+", "ab\ncd"), (r"a{,2}b|a{2,}", "aab aaa ab"),
    (r"\d{1,3}+", "1234567a"), (r"x*", "abxc"), (r"{|a{|}", "a{ } {"), (r"\h+|\H", "xyzaf09"), (r"a(?i)b|c", "aBCAC"),
    (r"(?<name>ab)+|(cd)*e", "ababcde"), (r"[]a]+|[a-]", "]a-b"), (r"[\p{L}\p{M}]+|\p{P}", "e\u0301a,b!"),
]
BEHAVIORS = [("Isolated", "isolated"), ("Removed", "removed"), ("MergedWithPrevious", "merged_with_previous"),
             ("MergedWithNext", "merged_with_next"), ("Contiguous", "contiguous")]


def text_rows(name, description):
    reference = Tokenizer.from_str(json.dumps(description))
    for text in TEXTS:
        reference.encode_special_tokens = True
        plain = reference.encode(text, add_special_tokens=False).ids
        reference.encode_special_tokens = False
        ids = reference.encode(text, add_special_tokens=False).ids
        full = reference.encode(text, add_special_tokens=True).ids
        yield dict(
            tokenizer=name, text=text, ids=ids, ids_with_special=full, ids_unparsed=plain,
            decoded=reference.decode(ids, skip_special_tokens=False),
            decoded_skip_special=reference.decode(full, skip_special_tokens=True),
        )


def pair_rows():
    """Two texts that a model reads together, whole and cut to a length."""
    for name in ("wordPiece", "unigram", "metaspace"):
        reference = Tokenizer.from_str(json.dumps(TOKENIZERS[name]))
        for first, second in [("hello", "the world"), ("", "hello the"), ("the hello hello hello", "world"), ("", "")]:
            for limit in (None, 6, 7, 9):
                reference.no_truncation()
                if limit:
                    reference.enable_truncation(limit, strategy="longest_first")
                made = reference.encode(first, second)
                yield dict(tokenizer=name, first=first, second=second, limit=limit, ids=made.ids, types=made.type_ids)


def pattern_rows():
    for pattern, text in PATTERNS:
        for name, spelling in BEHAVIORS:
            for invert in (False, True):
                split = P.Split(Regex(pattern), spelling, invert)
                pieces = [piece for piece, _ in split.pre_tokenize_str(text)]
                yield dict(pattern=pattern, behavior=name, invert=invert, text=text, pieces=pieces)


def swift_lines(name, comment, rows):
    body = "\n".join(json.dumps(row) for row in rows)
    return f'    /// {comment}\n    static let {name} = ##"""\n{body}\n"""##\n'


TOKENIZERS = dict(
    byteLevel=byte_level(), sentencePiece=sentence_piece(), metaspace=metaspace(), wordPiece=word_piece(),
    affixes=affixes(), wholeWords=whole_words(), unigram=unigram(), unigramBytes=unigram_bytes(),
)
rows = [row for name, description in TOKENIZERS.items() for row in text_rows(name, description)]
descriptions = [dict(name=name, json=json.dumps(description)) for name, description in TOKENIZERS.items()]
OUTPUT.write_text(
    "// GENERATED by Tools/make_tokenizer_cases.py with tokenizers 0.23.3. Do not edit.\n// swift-format-ignore-file\n\n"
    "/// Small tokenizers and the ids, texts and pieces that the reference library makes, one JSON object a line.\n"
    "enum TokenizerCases {\n"
    + "\n".join([
        swift_lines("tokenizers", "Name and `tokenizer.json` of each.", descriptions),
        swift_lines("texts", "Encodings and decodings.", rows),
        swift_lines("pairs", "Pairs of texts.", pair_rows()),
        swift_lines("patterns", "Pieces of `Split`.", pattern_rows()),
    ])
    + "}\n",
    encoding="utf-8",
)
print(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes")
