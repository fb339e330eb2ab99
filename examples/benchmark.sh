#!/bin/sh
# SGLang's benchmark, through /generate as for an SGLang server and through the OpenAI API as for vLLM: four groups of
# prompts that share their beginnings. BENCH='python -m sglang.bench_serving' runs SGLang's own client; TOKENIZER is the
# model's directory, if it is not the demo model.
set -e
url="${RADISH_URL:-http://localhost:30000}"
for backend in sglang vllm; do
    ${BENCH:-radish bench serving} --backend "$backend" --base-url "$url" --dataset-name generated-shared-prefix \
        --gsp-num-groups 4 --gsp-prompts-per-group 4 --gsp-system-prompt-len 256 --gsp-question-len 32 \
        --gsp-output-len 16 --cache-report --tokenizer "${TOKENIZER:-$(dirname "$0")/../Models/demo}"
done
