# Each target makes .venv when it is missing and needs only python3 (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench
demo: .venv/installed
	$(BIN)/faceswap-gan demo
test: .venv/installed
	$(BIN)/python -m pytest
check: .venv/installed
	$(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/python -m build --outdir build/dist .
bench: .venv/installed
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
