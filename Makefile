# Everything below needs only python3 (3.11 or newer, with venv), make and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SEED ?= 0
SIZE ?= 2000
PROCESSES ?= logical
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test sweep bench bench-server lint types mypy pyright check docs screenshots update clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml requirements/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flopod needs Python 3.11 or newer, this is %d.%d" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c requirements/constraints.txt pip
	$(PIP) install -c requirements/constraints.txt --editable . --group tests
	touch $@

demo: setup
	$(BIN)/python examples/census/demo.py

test: setup
	$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 8 --dist worksteal

sweep: setup
	$(BIN)/python -m tests.sweep --programs $(SIZE) --seed $(SEED)
	$(BIN)/python -m tests.edits --pairs 12 --seed $(SEED)
	$(BIN)/python -m tests.fuzz --sources $(SIZE) --seed $(SEED)
	$(BIN)/python -m tests.sweep.census
	$(BIN)/python -m tests.sweep.long
	$(BIN)/python -m tests.sweep.longlog
	$(BIN)/python -m tests.reliability --kills $(SIZE) --seed $(SEED)
	$(BIN)/python -m tests.server.api.hostile --examples 100 --seed $(SEED)

bench: setup
	$(BIN)/python benchmarks/compile.py
	$(BIN)/python benchmarks/runtime.py
	$(BIN)/python benchmarks/detach.py

bench-server: setup
	$(BIN)/python benchmarks/server.py

$(VENV)/.checks: $(VENV)/.ready
	$(PIP) install -c requirements/constraints.txt --group lint --group types
	touch $@

lint: $(VENV)/.checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: mypy pyright

mypy: $(VENV)/.checks
	$(BIN)/mypy

pyright: $(VENV)/.checks
	$(BIN)/pyright --pythonpath $(BIN)/python

check: lint types test

docs: setup
	$(BIN)/python -m tests.golden.language
	$(BIN)/python -m flopod_compiler.cli.reference docs/cli.md
	$(BIN)/python -m flopod_compiler.diagnostics.pages docs/diagnostics

screenshots: setup
	$(BIN)/python -m docs.screenshots

update: setup
	$(BIN)/python -m pytest tests/golden --snapshot-update

clean:
	rm -rf $(VENV) .venvs .flopod .hypothesis .pytest_cache .mypy_cache .ruff_cache
