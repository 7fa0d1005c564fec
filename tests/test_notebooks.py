"""The notebooks: valid, without outputs, and every code cell runs.

A cell tagged `parameters` is followed by the test's own values for the names that it sets: a tiny synthetic
pair and two training steps. `IPython.display` is replaced where it is not installed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = [*sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT / "colab" / "faceswap_gan.ipynb"]
STEPS = 2


def _name(path: Path) -> str:
    return path.name


def _code_cells(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture
def shown(monkeypatch) -> list:
    """What the cells displayed inline."""
    seen: list = []
    if importlib.util.find_spec("IPython") is None:
        stand_in = types.ModuleType("IPython.display")
        stand_in.Image = stand_in.Video = lambda *values, **named: (values, named)
        monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
        monkeypatch.setitem(sys.modules, "IPython.display", stand_in)
    display = importlib.import_module("IPython.display")
    monkeypatch.setattr(display, "display", seen.append, raising=False)
    return seen


def _run(path: Path, values: dict) -> dict:
    """Run a notebook's code cells in order in one namespace, with `values` in place of its parameters."""
    namespace: dict = {"__name__": "__main__"}
    for number, cell in enumerate(_code_cells(path)):
        code = compile("".join(cell["source"]), f"{path.name}[{number}]", "exec")
        exec(code, namespace)
        if "parameters" in cell["metadata"].get("tags", []):
            namespace.update({name: value for name, value in values.items() if name in namespace})
    return namespace


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_notebook_is_valid_and_clean(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert notebook.nbformat == 4
    for cell in _code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_notebook_defines_nothing(path):
    words = [line.split()[:1] for cell in _code_cells(path) for line in "".join(cell["source"]).splitlines()]
    assert not {"def", "class"} & {word for line in words for word in line}


def test_the_four_notebooks_run(tiny_pair, tmp_path, shown):
    videos = {side: tiny_pair[side] for side in ("src", "dst")}
    _run(NOTEBOOKS[0], {"data": tmp_path, "videos": videos})
    faces = {side: tmp_path / f"face_{side}" for side in videos}
    _run(NOTEBOOKS[1], {"faces": faces})
    model = tmp_path / "model"
    _run(NOTEBOOKS[2], {"faces": faces, "model": model, "minutes": None, "steps": STEPS})
    output = tmp_path / "swapped.mp4"
    _run(NOTEBOOKS[3], {"video": videos["dst"], "model": model, "output": output, "consent": "drawn people"})
    assert output.stat().st_size > 0
    assert len(shown) >= 7


def test_the_colab_notebook_runs(tiny_pair, tmp_path, shown):
    values = {"folder": str(tmp_path), "src_video": str(tiny_pair["src"]), "dst_video": str(tiny_pair["dst"])}
    _run(NOTEBOOKS[4], {**values, "minutes": 0.02, "consent": "drawn people"})
    assert (tmp_path / "swapped.mp4").stat().st_size > 0
    assert len(shown) >= 2
