"""Stand-ins that test files share: pictures, an untrained swap function, parts of the loop, the way to real faces."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.nn.generator import Swap
from faceswap_gan.training.held_out import Scores

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


class FakeNetwork:
    """A network without weights: gives what a function makes of its input, and keeps what it saw.

    Args:
        give: makes the output of the input.
        input_shape: that of the pictures it asks for.
    """

    def __init__(self, give: Callable[[Any], Any], *, input_shape: tuple[int | None, ...] = ()) -> None:
        self.give, self.input_shape, self.layers, self.seen = give, input_shape, [], []

    def __call__(self, inputs: Any, *, training: bool) -> Any:
        self.seen.append(keras.tree.map_structure(keras.ops.convert_to_numpy, inputs))
        return self.give(inputs)


@dataclass(frozen=True)
class FakeLoaded:
    """What `load_swap` gives."""

    swap: Any
    size: int = 64
    align_size: int = 128
    sha256: str = "0" * 64


class FakeStep:
    """Counts; its one variable is the number of steps it made; `then` happens in the step of that number.

    It writes down each step's rate, batch and phase, the phases that it took on, and whether it holds averages.
    """

    watched_variables = ()

    def __init__(self, then=None, *, loss=0.5):
        self.optimizer = SimpleNamespace(learning_rate=0.0)
        self.count = keras.Variable(0.0)
        self.state_variables = [self.count]
        self.rates, self.batches, self.resets, self.reads = [], [], 0, 0
        self.phase, self.phases, self.begun, self.is_averaged = None, [], [], False
        self._then, self.loss = then or {}, loss

    def train_on_batch(self, batch, *, return_dict):
        assert not self.is_averaged, "averages are not trained"
        self.phases.append(self.phase)
        self.count.assign_add(1.0)
        self.rates.append(self.optimizer.learning_rate)
        self.batches.append(batch)
        self._then.get(len(self.rates), lambda: None)()

    def enter(self, phase):
        if phase != self.phase:
            self.phase = phase
            self.begun.append(phase)

    def read_means(self):
        self.reads += 1
        return {"loss": self.loss, "edge": self.loss}

    def restart_means(self):
        self.resets += 1

    @contextmanager
    def averaged(self):
        assert not self.is_averaged, "twice is back"
        self.is_averaged = True
        try:
            yield
        finally:
            self.is_averaged = False


class FakeHeldOut:
    """Scores as told, one after the other."""

    def __init__(self, *scores):
        self.scores = iter(scores)

    def measure(self):
        return Scores(reconstruction=1.0, transfer=next(self.scores))


class FakePreview:
    """Writes down the steps of the sheets, all of which are one file."""

    def __init__(self, path):
        self.steps, self.takes_s, self.clock, self.path = [], 0.0, None, path
        self.cuts, self.movies = [], 0

    def write(self, step):
        self.steps.append(step)
        if self.clock:
            self.clock.now += self.takes_s
        return self.path

    def cut(self, step):
        self.cuts.append(step)

    def write_time_lapse(self):
        self.movies += 1


class FakeClock:
    """Time in seconds that passes when told."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds
