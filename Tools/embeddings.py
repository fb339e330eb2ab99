#!/usr/bin/env python3
"""The official openai client against `radish serve` with real MiniLM weights (Tools/setup/minilm.sh fetches them), beside
the vectors of sentence-transformers. Without the weights it says SKIPPED.

    make embeddings
"""
import argparse
import base64
import json
import math
import struct
import sys
from pathlib import Path

import openai

from server_process import ServerProcess

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / ".build-models" / "minilm"
GOLDENS = ROOT / "Tests" / "RadishCLITests" / "Fixtures" / "minilm.json"


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def refused(call, *words):
    try:
        call()
    except openai.BadRequestError as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"{missing} not in {error}"
        return
    raise AssertionError("no error")


def check(client):
    rows = json.loads(GOLDENS.read_text())
    texts = [row["text"] for row in rows]
    wanted = [struct.unpack("<384e", base64.b64decode(row["vector"])) for row in rows]
    answer = client.embeddings.create(model="default", input=texts)
    worst = min(cosine(item.embedding, vector) for item, vector in zip(answer.data, wanted))
    print(f"{len(texts)} sentences, smallest cosine {worst:.7f}, {answer.usage.prompt_tokens} tokens")
    assert worst >= 0.9999
    floats = client.embeddings.create(model="default", input=texts[:5], encoding_format="float")
    single = lambda vector: struct.pack(f"<{len(vector)}f", *vector)
    assert [single(i.embedding) for i in floats.data] == [single(i.embedding) for i in answer.data[:5]]
    short = client.embeddings.create(model="default", input=texts[20], dimensions=64).data[0].embedding
    assert len(short) == 64 and abs(sum(x * x for x in short) - 1) < 1e-5
    ids = client.embeddings.create(model="default", input=[101, 1037, 102]).data[0].embedding
    assert ids == client.embeddings.create(model="default", input="a").data[0].embedding
    refused(lambda: client.embeddings.create(model="default", input="x " * 1000), "1002", "256")
    refused(lambda: client.chat.completions.create(model="default", messages=[{"role": "user", "content": "x"}]),
            "/v1/embeddings")
    assert client.models.list().data[0].id


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    arguments = parser.parse_args()
    if not (MODEL / "model.safetensors").exists():
        sys.exit(print(f"SKIPPED: no MiniLM weights at {MODEL}") or 0)
    with ServerProcess(Path(arguments.binary), ["--model-path", str(MODEL)]) as server:
        check(openai.OpenAI(base_url=server.base_url, api_key="none"))
    print("ok")
