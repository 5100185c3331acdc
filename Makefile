# SPDX-License-Identifier: Apache-2.0
# The front door: a thin layer over the presets of CMake. `make help` lists the targets.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
CMAKE_BUILD = cmake --build

.PHONY: help build demo test lint fuzz soak resume torture defects mutate bench cov tsan install clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

build: build/build.ninja ## Build everything that is installed; programs land in build/bin/.
	@$(CMAKE_BUILD) build -j $(JOBS)

demo: build ## Show an update over HTTPS, and the fallback from a bad one (build/demo/ keeps the files).
	@tools/demo.sh build

test: build/asan/build.ninja ## Run the tests, with sanitizers. ARGS="-R name" chooses some.
	@$(CMAKE_BUILD) build/asan -j $(JOBS)
	@tools/run_tests build/asan $(ARGS)

lint: ## Check formatting, layers, both compilers, clang-tidy, the RISC-V compile, the public headers.
	@tools/lint

fuzz: build/fuzz/build.ninja ## Feed made-up input to everything that reads a stranger's. SECONDS=60 each.
	@$(CMAKE_BUILD) build/fuzz -j $(JOBS) --target fuzzers
	@fuzz/run build/fuzz $(or $(SECONDS),60)

soak: build ## Kill the device at hundreds of moments, for minutes. SCALE=10 does a tenth.
	@tests/soak/run build $(or $(SCALE),1) || [ $$? -eq 77 ]

resume: build/asan/build.ninja ## Cut connection and power all through a download, and report what is fetched twice.
	@$(CMAKE_BUILD) build/asan -j $(JOBS) --target report_resume report_resume_http1
	@build/asan/bin/report_resume --full
	@build/asan/bin/report_resume_http1 --full

torture: build ## Cut the power at every flash operation of every update, twice over. SCALE=10 does a tenth.
	@tests/torture/run build $(or $(SCALE),1)

defects: ## Plant defects all over; the torture must notice each.
	@tests/torture/plant

mutate: ## Plant each kept defect in bootsel and the image walk; every one must make a test fail.
	@tools/mutate

bench: build ## Print the cost of an update beside the floor that curl and openssl set.
	@bench/run build

cov: build/coverage/build.ninja ## Run the tests and report what they reach, in build/coverage/report/; of core, all.
	@$(CMAKE_BUILD) build/coverage -j $(JOBS)
	@tools/cov build/coverage $(ARGS)

tsan: build/tsan/build.ninja ## Run the tests under the thread sanitizer.
	@$(CMAKE_BUILD) build/tsan -j $(JOBS)
	@tools/run_tests build/tsan $(ARGS)

install: build ## Install the programs, the library and its headers under PREFIX (DESTDIR is honoured).
	@cmake --install build --prefix $(PREFIX)

clean: ## Remove build/.
	@rm -rf build

build/build.ninja: CMakePresets.json
	@cmake --preset release

build/%/build.ninja: CMakePresets.json
	@cmake --preset $*
