# Everything starts from a bare python3 and a package registry; nothing else has to be installed.
# Each target may be run again at any time and only does what is missing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := .cache/venv-bench
PIP    := $(BIN)/pip install -qq --disable-pip-version-check
DEMO   := corpus/demo
TRACES := ../shared/oracle
PYTEST_ARGS ?=
JOBS   ?= auto
FUZZ_SECONDS ?= 60

# An editable installation compiles nothing, and where PYTHONDONTWRITEBYTECODE is set no start ever
# would: that is a third of the time of a small diagnosis.
COMPILE := $(BIN)/python -m compileall -q diagnose emulator

export PIP_ROOT_USER_ACTION := ignore
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test thorough lint types update conform bench fuzz clean

help:
	@echo "make demo     diagnose the bundled incident ($(DEMO)/)"
	@echo "make test     ruff, mypy --strict and every test"
	@echo "make thorough the same, with everything tried where a sample is usual"
	@echo "make lint     ruff alone            make types    mypy alone"
	@echo "make update   write snapshots, golden reports and published schemas anew"
	@echo "make conform  replay every recorded trace in $(TRACES)/ on the emulator"
	@echo "make bench    measure diagnosis, emulator and long logs, beside other programs; writes benchmarks/RESULTS*.md"
	@echo "make fuzz     fuzz each target FUZZ_SECONDS ($(FUZZ_SECONDS)); writes benchmarks/RESULTS-fuzz.md"
	@echo "make clean    remove the virtual environment, caches and builds"

# A fault is the right answer to the bundled incident, and a fault exits with 1.
demo: $(VENV)/.ready
	@$(BIN)/diagnose log --fail-on never $(DEMO)/*.log

test: $(VENV)/.ready-dev lint types
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

thorough:
	@DIAGNOSE_THOROUGH=1 $(MAKE) test

lint: $(VENV)/.ready-dev
	@$(BIN)/ruff check --quiet .

types: $(VENV)/.ready-dev
	@$(BIN)/mypy --no-error-summary

update: $(VENV)/.ready-dev
	@SNAPSHOT_UPDATE=1 $(BIN)/python -m pytest tests/face tests/rules tests/replay
	@$(BIN)/diagnose rules test --update -q corpus

conform: $(VENV)/.ready
	@if ls $(TRACES)/*.jsonl.gz >/dev/null 2>&1; \
	 then $(BIN)/python -m tests.conform $(TRACES)/*.jsonl.gz; \
	 else echo "no traces in $(TRACES)/: nothing to replay; make test replays a sample"; fi

bench: $(VENV)/.ready $(BENCH)/.ready
	@$(BENCH)/bin/python -m benchmarks.throughput --large-mb 2048 --output benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.small_incident --output benchmarks/RESULTS-small.md
	@$(BIN)/python -m benchmarks.emulator_steps --output benchmarks/RESULTS-emulator.md
	@$(BIN)/python -m benchmarks.reboots --output benchmarks/RESULTS-reboots.md
	@$(BIN)/python -m benchmarks.hostile --output benchmarks/RESULTS-hostile.md

fuzz: $(VENV)/.ready-fuzz
	@$(BIN)/python -m benchmarks.fuzz --seconds $(FUZZ_SECONDS) --output benchmarks/RESULTS-fuzz.md

clean:
	@rm -rf $(VENV) .cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	 || { echo "python 3.11 or later is needed; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | $(BIN)/python
	@$(PIP) -e .
	@$(COMPILE)
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	@$(PIP) -e '.[dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/.ready

$(VENV)/.ready-fuzz: pyproject.toml | $(BIN)/python
	@$(PIP) -e '.[fuzz]' || { echo "atheris has no wheel for this Python or machine: fuzzing needs" \
	 "CPython 3.11 or later on Linux; name one with make PYTHON=..." >&2; exit 1; }
	@touch $@ $(VENV)/.ready

# What diagnose is compared with lives apart: one of these packages hides the tests of this project.
$(BENCH)/.ready: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m venv $(BENCH)
	@$(BENCH)/bin/pip install -qq --disable-pip-version-check -e '.[bench]' \
	 || { echo "without some of the programs to compare with" >&2; \
	      $(BENCH)/bin/pip install -qq --disable-pip-version-check -e .; }
	@touch $@
