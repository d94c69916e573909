# SPDX-License-Identifier: Apache-2.0
# The front door: thin targets over the CMake presets and the scripts of tools/. `make help` lists them.

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
PYTHON := build/venv/bin/python

.DEFAULT_GOAL := release
.PHONY: release deps run test asan tsan coverage fuzz torture model instructions \
        instructions-record bench format tidy lint clean help

## release    build the server: build/release/stator (the default)
release:
	@tools/install_deps --check build
	@test -f build/release/build.ninja || cmake --preset release
	@cmake --build build/release --target stator

## deps       install what building and testing need (Debian, Python and JavaScript packages)
deps:
	@tools/install_deps build run test bench

## run        install, build, serve http://127.0.0.1:8000 from ./stator-data, load a sample shop
run:
	@tools/install_deps run
	@$(MAKE) --no-print-directory release
	@exec $(PYTHON) tools/run

## test       install, build, and pass every test; ends in one line of counts
test:
	@tools/install_deps build run test bench
	@exec $(PYTHON) tools/test

## asan       unit, wire and API tests under AddressSanitizer and UndefinedBehaviorSanitizer
asan:
	@tools/install_deps build run test
	@exec $(PYTHON) tools/test asan

## tsan       unit, wire and API tests under ThreadSanitizer
tsan:
	@tools/install_deps build run test
	@exec $(PYTHON) tools/test tsan

## coverage   which lines of src/ the unit tests and wire cases reach
coverage:
	@tools/install_deps build run test coverage
	@cmake --preset coverage && cmake --build build/coverage
	@find build/coverage -name '*.gcda' -delete
	-@ctest --test-dir build/coverage --output-on-failure -j $(CMAKE_BUILD_PARALLEL_LEVEL)
	-@$(PYTHON) tests/wire/run --library build/coverage/tests/wire_library --server build/coverage/stator
	@build/venv/bin/gcovr --root . --filter src/ --sort uncovered-percent build/coverage

## fuzz       every fuzz target for FUZZ_SECONDS (60) each
fuzz:
	@tools/install_deps build run test
	@exec $(PYTHON) tools/test --fuzz-seconds $(or $(FUZZ_SECONDS),60) fuzz

## torture    the long tests, hours: kills, faults, bad clients, leaks, sanitizers, fuzzing
torture:
	@tools/install_deps build run test bench
	@cmake --preset release && cmake --build build/release
	@cmake --preset fuzz && cmake --build build/fuzz
	@exec $(PYTHON) tools/torture $(TORTURE)

## model      MODEL_OPERATIONS (1000000) random operations against the model of tests/model
model:
	@tools/install_deps build run test
	@exec $(PYTHON) tools/test --model-operations $(or $(MODEL_OPERATIONS),1000000) model

## instructions        compare the instructions of every operation with the recorded ones
instructions:
	@tools/install_deps build run test
	@exec $(PYTHON) tools/test instructions

## instructions-record  record them anew, after a change that is meant
instructions-record:
	@tools/install_deps build run test
	@cmake --preset release >/dev/null && cmake --build build/release --target instructions
	@exec $(PYTHON) tests/instructions/run --record

## bench      install the peers, measure all of them, print the table (half an hour)
bench:
	@tools/install_deps build run bench peers
	@$(MAKE) --no-print-directory release
	@cmake --build build/release --target rocksdb_load
	@exec bench/run

## format     let clang-format rewrite the C files
format:
	@tools/format

## tidy       check the rules of STYLE.md that a tool can check
tidy:
	@tools/check_layers
	@tools/tidy

## lint       clang-tidy over src/ with the checks of .clang-tidy
lint:
	@tools/install_deps lint
	@test -f build/release/build.ninja || cmake --preset release
	@git ls-files 'src/*.c' | xargs -n 4 -P $(JOBS) clang-tidy -p build/release --quiet

## clean      remove everything that was built (not ./stator-data)
clean:
	rm -rf build

## help       this list
help:
	@sed -n 's/^## /make /p' Makefile
