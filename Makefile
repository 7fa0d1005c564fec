# Each target makes .venv when it is missing and needs only python3 (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench
demo: .venv/installed
	$(BIN)/faceswap-gan demo
test: .venv/installed
	$(BIN)/python -m pytest -n 2 --dist loadfile
check: .venv/installed
	$(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/python -m build --outdir build/dist .
bench: .venv/installed
	$(BIN)/python -c "from pathlib import Path; from faceswap_gan.synthetic.clips import write_pair as w; w(Path('build/bench'))"
	$(BIN)/python benchmarks/extract.py --videos build/bench/dst.mp4

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
