"""Stand-ins that test files share: drawn pictures, an untrained swap function, the way to real faces."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.nn.generator import Swap

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "facedata"


def facedata_folder() -> Path:
    """Where the real videos and photos should be."""
    return Path(os.environ.get("FACESWAP_TESTDATA", _BESIDE_THE_PROJECT))


def load_script(name: str) -> Any:
    """Import a script of ``benchmarks/``, which is no package."""
    file = Path(__file__).resolve().parents[1] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def draw(count: int, *, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Soft moving colours, easy on codecs: RGB uint8 (height, width, 3) each."""
    y, x = np.mgrid[:height, :width]
    waves = [np.stack([np.sin(x / 9 + t / 5), np.cos(y / 7 - t / 6), np.sin((x + y) / 11)]) for t in range(count)]
    return [np.moveaxis(96 + 80 * w, 0, -1).astype(np.uint8) for w in waves]


class FakeSwap:
    """An untrained swap function: a constant colour, everywhere painted; counts its calls.

    Args:
        colour: RGB in [-1, 1].
        opacity: mask value in [0, 1].
    """

    def __init__(self, colour: tuple[float, float, float] = (1.0, -1.0, -1.0), opacity: float = 1.0) -> None:
        self.colour, self.opacity, self.shapes = colour, opacity, []

    def __call__(self, crops: NDArray[np.float32]) -> Swap:
        self.shapes.append(crops.shape)
        assert crops.dtype == np.float32
        assert np.abs(crops).max() <= 1
        rgb = np.broadcast_to(np.float32(self.colour), crops.shape)
        return Swap(rgb, np.full((*crops.shape[:3], 1), self.opacity, np.float32))


@dataclass(frozen=True)
class FakeLoaded:
    """What `load_swap` gives."""

    swap: Any
    size: int = 64
    align_size: int = 128
    sha256: str = "0" * 64
