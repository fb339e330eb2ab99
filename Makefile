# The two commands a fresh machine needs: `make serve` and `make test`.
# Swift 6.3 has to be on the PATH (https://swift.org/install); everything else is installed here.

SWIFT ?= swift
# Beside swift in its toolchain.
CLANG ?= $(dir $(realpath $(shell command -v $(SWIFT))))clang
# The static runtime and the tests exclude each other, so each has a build folder of its own.
RELEASE := $(SWIFT) build -c release --static-swift-stdlib
TESTS := --scratch-path .build-test
# These compute without a pause. On few cores they would keep tests that wait for a server or an engine waiting too long.
BUSY_TESTS := ^(Advisor|Checkpoint|Compute|EngineBench|Grammar|Models|OutputParsers|PrefixCache|Scheduling|TextGeneration|Tokenizers)Tests\.
# These start engines and programs that take every processor, and wait for programs without giving up their thread.
ENGINE_TESTS := ^(Engine|RadishCLI)Tests\.
RADISH := .build/release/radish
ARGS ?=
PEERS ?= /tmp/radish-peers

.PHONY: help serve build test sanitize smoke compat page fuzz-files fuzz-http soak embeddings bench-peers format lint \
	clean system-packages python structured

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

serve: build ## build, then serve the embedded demo model on port 30000 (ARGS="--model-path DIR" for another)
	$(RADISH) serve $(ARGS)

build: system-packages ## release binary .build/release/radish, one file with the Swift runtime inside
	$(RELEASE) --product radish

test: system-packages ## all tests, in release mode
	Tools/setup/system_packages.sh redis-server
	Tools/setup/minilm.sh
	$(SWIFT) build -c release $(TESTS) --build-tests
	$(SWIFT) test -c release $(TESTS) --skip-build --filter '$(BUSY_TESTS)'
	$(SWIFT) test -c release $(TESTS) --skip-build --filter '$(ENGINE_TESTS)'
	$(SWIFT) test -c release $(TESTS) --skip-build --skip '$(BUSY_TESTS)' --skip '$(ENGINE_TESTS)'

# Kernels only, without the package: one compiler run for each file, as many at a time as there are processors.
SANITIZED := .build-sanitize
sanitize: ## every kernel, on every path, under AddressSanitizer and UndefinedBehaviorSanitizer
	mkdir -p $(SANITIZED)
	find Sources/CKernels Tests/Sanitizers -name '*.c' | xargs -P $$(nproc) -I FILE sh -c '$(CLANG) -c -std=gnu17 -O1 -g \
		-D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wall -Wextra \
		-Werror -ISources/CKernels/include -o $(SANITIZED)/$$(echo FILE | tr / _).o FILE'
	$(CLANG) -fsanitize=address,undefined -fuse-ld=lld -o $(SANITIZED)/kernels $(SANITIZED)/*.o -lm -lpthread
	$(SANITIZED)/kernels

# XCTest's own runner leaves 144 bytes, which would fail the run.
fuzz-files: ## 10,000 damaged heads of every kind of weight file, under AddressSanitizer
	RADISH_FUZZ_ROUNDS=10000 ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --package-path Tests/Sanitizers/Files --scratch-path .build-fuzz -c release \
		--sanitize=address --filter 'tenThousandMutationsAreSurvived|mutatedHeadersAreSurvived|mutatedFilesAreSurvived'

smoke: build python ## the official openai client against the real server (installs it into .venv)
	.venv/bin/python Tools/smoke.py --binary $(RADISH)
	.venv/bin/python Tools/evaluate_demo.py --binary $(RADISH)

compat: build ## real clients from PyPI against the real server; writes docs/compatibility.md
	$(MAKE) --no-print-directory .venv/.compat
	.venv/bin/python Tools/compat/run.py --binary $(RADISH)
	.venv/bin/python Tools/compat/wire.py --binary $(RADISH)
	.venv/bin/python Tools/compat/operations.py --binary $(RADISH)
	.venv/bin/python Tools/compat/schema.py --binary $(RADISH)

page: build python ## the page at / in headless Chromium, by keyboard; pictures go to .build/page
	Tools/setup/system_packages.sh chromium
	.venv/bin/pip install --quiet --disable-pip-version-check playwright
	.venv/bin/python Tools/compat/page.py --binary $(RADISH)

embeddings: build python ## the openai client and real MiniLM weights against sentence-transformers' vectors
	Tools/setup/minilm.sh
	.venv/bin/python Tools/embeddings.py --binary $(RADISH)

fuzz-http: build python ## a thousand damaged requests against the real server
	.venv/bin/python Tools/fuzz_http.py --binary $(RADISH)

structured: build python ## 50 schemas, regexes, grammars and tool calls against the real server, judged by jsonschema
	.venv/bin/python Tools/structured.py --binary $(RADISH)

soak: build python ## 64 concurrent streams with random aborts for two minutes
	.venv/bin/python Tools/soak.py --binary $(RADISH) --seconds 120

bench-peers: build ## beside llama.cpp and vLLM on this machine: builds and installs them below /tmp; takes an hour
	python3 Tools/bench_peers/bench_peers.py --work $(PEERS) --binary $(RADISH) --out docs/benchmarks
	$(PEERS)/venv-tools/bin/python Tools/bench_peers/serving.py --work $(PEERS) --binary $(RADISH) --out docs/benchmarks

format: ## rewrite the Swift sources in the project's style
	$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

lint: ## check the style without changing anything
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift

clean: ## forget everything built
	rm -rf .build .build-test .build-sanitize .build-fuzz .venv

system-packages:
	@Tools/setup/system_packages.sh

python: .venv/.ready

.venv/.compat: .venv/.ready Tools/compat/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r Tools/compat/requirements.txt
	touch $@

.venv/.ready: Tools/requirements-smoke.txt
	Tools/setup/system_packages.sh python3-venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r Tools/requirements-smoke.txt
	touch $@
