"""The shape of the house: imports go down, backends stay out, files and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "faceswap_gan"
FILES = sorted(PACKAGE.rglob("*.py"))
FLOORS = (
    {"media", "config", "errors", "quiet", "threads", "__init__"},
    {"faces", "nn", "synthetic", "marks"},
    {"training", "conversion", "metrics"},
    {"extract", "tracks", "masks", "train", "convert", "mesh_swap", "parts_augment", "evaluate", "verify"},
    {"__main__", "swap", "demo"},
)
BACKENDS = {"tensorflow", "torch", "jax"}

# Imports that break the rule, each with its reason: (importing file, imported module).
ALLOWED = {
    ("demo.py", "swap"): "the demo is a swap of two videos that it draws itself",
    **{
        (f"{verb}.py", "__main__"): "the last line of `python -m faceswap_gan.<verb>`, run only as a program"
        for verb in (*sorted(FLOORS[3]), "swap", "demo")
    },
}
# Files that may name a backend, each with its reason: keras.ops does all the rest.
BACKEND_FILES: dict[str, str] = {
    "training/devices.py": "several devices are JAX's sharding and TensorFlow's strategies, which Keras hands on",
    "training/adam.py": "TensorFlow's own operation for Adam: Keras's ten take a sixth of a step of classic-64",
    "faces/fan.py": "the face-alignment package is torch's, and reads its weights from torch's hub",
}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth, as a dotted name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top(name: str) -> str | None:
    """The part of the house that a dotted name belongs to; None when it is outside, or the package itself."""
    parts = name.split(".")
    known = set().union(*FLOORS)
    return parts[1] if parts[0] == "faceswap_gan" and len(parts) > 1 and parts[1] in known else None


def _floor(part: str) -> int:
    return next(level for level, parts in enumerate(FLOORS) if part in parts)


def _own_part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_file_has_a_floor():
    strangers = {_own_part(path) for path in FILES} - set().union(*FLOORS)
    assert not strangers, f"name their floor in FLOORS: {sorted(strangers)}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_go_down(path):
    part = _own_part(path)
    for name in _imports(path):
        other = _top(name)
        if other is None or other == part or (_name(path), other) in ALLOWED:
            continue
        # media, config, errors, quiet and threads share the ground floor and may know each other
        is_down = _floor(other) < _floor(part) or _floor(part) == _floor(other) == 0
        assert is_down, f"{_name(path)} imports {name}: not below it"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_backends_stay_out(path):
    named = {name.split(".")[0] for name in _imports(path)} & BACKENDS
    assert not named or _name(path) in BACKEND_FILES, f"{_name(path)} imports {sorted(named)}; use keras.ops"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_and_functions_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = int(node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
            assert lines <= MAX_FUNCTION_LINES, f"{_name(path)}: {node.name} has {lines} lines"


def _docstring_lines(function: ast.FunctionDef) -> int:
    """Documentation is free: it is not counted."""
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return int(first.end_lineno or first.lineno) - first.lineno + 1 if is_text else 0


def test_exceptions_are_still_needed():
    used = {(_name(path), _top(name)) for path in FILES for name in _imports(path)}
    verbs_here = {pair for pair in ALLOWED if (PACKAGE / pair[0]).exists()}
    assert verbs_here <= used, f"no longer needed: {sorted(verbs_here - used)}"
