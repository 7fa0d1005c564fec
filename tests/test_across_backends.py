"""A checkpoint written under one backend goes on under the other two; needs all three installed, as CI has."""

from __future__ import annotations

import importlib.util
from itertools import permutations

import pytest
from tiny import write_faces
from worker import run_jobs

from faceswap_gan.nn.fast import SIDES

BACKENDS = ("tensorflow", "jax", "torch")
FAMILIES = ("fast", "classic")
FIRST = 3
TOLERANCES = (1e-4, 2e-3, 1e-2)  # of a step after the checkpoint: Adam magnifies rounding where a gradient is small

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in BACKENDS), reason="needs TensorFlow, JAX and torch"
    ),
]


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """Losses of the steps after a checkpoint, by family, backend that wrote it and backend that goes on."""
    folder = tmp_path_factory.mktemp("across")
    for side in SIDES:
        write_faces(folder / f"face_{side}", side)
    found = {}
    for backend in BACKENDS:
        jobs = [{"family": f, "steps": (0, FIRST), "save": str(folder / backend / f)} for f in FAMILIES]
        run_jobs(folder, backend, jobs)
    for backend in BACKENDS:
        made = [(family, origin) for family in FAMILIES for origin in BACKENDS]
        jobs = [
            {"family": f, "steps": (FIRST, FIRST + len(TOLERANCES)), "begin": str(folder / o / f)} for f, o in made
        ]
        for (family, origin), losses in zip(made, run_jobs(folder, backend, jobs), strict=True):
            found[family, origin, backend] = losses
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("origin", "other"), list(permutations(BACKENDS, 2)), ids=str)
def test_losses_agree(curves, family, origin, other):
    wanted, got = curves[family, origin, origin], curves[family, origin, other]
    for step, again, tolerance in zip(wanted, got, TOLERANCES, strict=True):
        assert again == pytest.approx(step, rel=tolerance, abs=1e-4)
    assert wanted[0] != wanted[-1]
