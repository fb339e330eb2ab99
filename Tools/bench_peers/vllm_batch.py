"""A batch through vLLM in this process, as JSON: random prompts, tokens/s of prefill and decode apart.

    python3 vllm_batch.py MODEL INPUT OUTPUT BATCH

Prefix caching is off and prompts are new each time, so that every prompt is computed.
"""

import json
import random
import sys
import time

from vllm import LLM, SamplingParams


def main():
    model, prompt_tokens, output, batch = sys.argv[1], *map(int, sys.argv[2:])
    start = time.perf_counter()
    engine = LLM(
        model=model, dtype="bfloat16", enable_prefix_caching=False, max_model_len=4096, skip_tokenizer_init=True,
        max_num_seqs=64)
    load_seconds = time.perf_counter() - start
    generator = random.Random(1)

    def run(batch, tokens):
        prompts = [
            {"prompt_token_ids": [generator.randrange(100000) for _ in range(prompt_tokens)]} for _ in range(batch)]
        sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
        begin = time.perf_counter()
        engine.generate(prompts, sampling, use_tqdm=False)
        return time.perf_counter() - begin

    run(1, 2)
    first = run(batch, 1)
    both = run(batch, output)
    print(json.dumps({
        "prefill": batch * prompt_tokens / first, "decode": batch * (output - 1) / max(1e-9, both - first),
        "load_seconds": load_seconds}))


if __name__ == "__main__":
    main()
