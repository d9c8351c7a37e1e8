# What people type. Needs cargo, python3 (3.11 or newer, with venv) and make; the rest goes into .venv.

PYTHON ?= python3
BENCH ?= reading replay pickle text protobuf
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# cargo's own variable, if somebody set it; absolute, as tests run the command from other folders.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PYTHON_SOURCES := benches fuzz python tests/peers tests/python

.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python bench bench-reading bench-replay bench-pickle bench-text bench-protobuf lint format clean

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## the whole path in one command: record, show, replay
	cargo run -- demo

test: test-rust test-python ## every test, Rust and Python

test-rust: ## cargo test
	cargo test

test-python: $(STAMP) ## the command and the module against real peers
	cargo build
	$(BIN)/maturin develop -q
	$(BIN)/python -m mypy.stubtest wirespool --allowlist tests/python/stubtest-allowlist.txt
	WIRESPOOL_BIN=$(TARGET)/debug/wirespool $(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(STAMP) $(addprefix bench-,$(BENCH)) ## all of benches/; BENCH=pickle for one, BENCH_ARGS='--rounds 3'

bench-reading: $(STAMP)
	cargo build --release
	$(BIN)/python benches/reading.py --wirespool $(TARGET)/release/wirespool $(BENCH_ARGS)

bench-replay: $(STAMP)
	cargo build --release
	$(BIN)/python benches/replay.py --wirespool $(TARGET)/release/wirespool $(BENCH_ARGS)

bench-pickle: $(STAMP)
	$(BIN)/maturin develop --release -q
	$(BIN)/python benches/pickles.py $(BENCH_ARGS)

bench-text:
	cargo bench --bench text -- $(BENCH_ARGS)

bench-protobuf: $(STAMP)
	$(BIN)/maturin develop --release -q
	$(BIN)/python benches/protobuf.py $(BENCH_ARGS)

lint: $(STAMP) ## formatting, clippy, ruff, mypy
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features python -- -D warnings
	$(BIN)/ruff check $(PYTHON_SOURCES)
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/mypy

format: $(STAMP) ## rustfmt and ruff
	cargo fmt
	$(BIN)/ruff check --fix $(PYTHON_SOURCES)
	$(BIN)/ruff format $(PYTHON_SOURCES)

clean: ## all that was built
	cargo clean
	rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache

# The tools alone, read from the `dev` extra: `pip install .[dev]` would build a release wheel first,
# only for `maturin develop` to replace it.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dev"], sep="\n")' > $(VENV)/dev.txt
	$(BIN)/python -m pip install -q -r $(VENV)/dev.txt
	touch $@
