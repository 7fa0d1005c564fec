"""Memory of a training step: what it takes, the largest batch that fits, and what to turn when it runs out."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import keras
import numpy as np

from faceswap_gan.config import Settings
from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.cost import count_values
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.checkpoint import find_checkpoint
from faceswap_gan.training.devices import has_gpu
from faceswap_gan.training.face_set import FEWEST, FaceSet
from faceswap_gan.training.host import free_bytes
from faceswap_gan.training.lessons import footage_lessons
from faceswap_gan.training.networks import Networks, build_networks, build_perceptual, outline_networks
from faceswap_gan.training.steps import build_step

LARGEST_BATCH = 64
"""Faces of each person at which `choose_batch` stops looking."""

_TRAINED = 16  # bytes of a trained number: itself, its gradient and Adam's two moments, float32
_KEPT = 1.8  # measured memory of TensorFlow's steps on a CPU over what their layers put out: 1.3 to 2.0
_SHARE = 0.7  # of the free memory that a step may take

log = logging.getLogger(__name__)


def step_bytes(settings: Settings, networks: Networks | None = None) -> int:
    """Estimate the memory that a training step takes beside the program, in bytes.

    Weights, gradients and moments, and what the layers put out for the faces of both people: the generator once for
    each face, each discriminator four times (two pictures, once for each player), the network of the perceptual loss
    once, as its pass over the target is not kept.

    Args:
        settings: the model's settings.
        networks: its networks, or those of `training.networks.outline_networks`; None outlines them.
    """
    networks = outline_networks(settings.model) if networks is None else networks
    values = {name: count_values(network) for name, network in networks.items()}
    generator = values["encoder"] + values.get("decoder", values.get("decoder_src", 0))
    turns = 3 if settings.losses.cyclic and settings.model.family == "classic" else 1
    with keras.StatelessScope(initialize_variables=False):
        features = build_perceptual(settings)
    face = turns * generator + 4 * values.get("discriminator_src", 0)
    face += 0 if features is None else count_values(features)
    faces = 2 * settings.training.batch + 2 * settings.training.pairs
    size = 4 if settings.training.precision == "float32" else 2
    weights = sum(int(network.count_params()) for network in networks.values())
    return round(_TRAINED * weights + _KEPT * size * faces * face)


def choose_batch(settings: Settings, devices: int = 1) -> int:
    """Find the largest batch that fits in memory: 1, 2, 4, ... faces of each person on each device, 64 at most.

    On a GPU steps of one device's part are tried, from the preset's batch on; without one the estimate is held
    against the free memory, as a system out of memory ends programs rather than telling them.

    Args:
        settings: the model's settings; its batch is where the search begins.
        devices: how many share it.

    Raises:
        SettingsError: not even one face fits.
    """
    begin, most = max(1, settings.training.batch // devices), max(1, LARGEST_BATCH // devices)
    if has_gpu():
        part = _largest(lambda part: _runs(with_batch(settings, part)), begin, most)
    else:
        networks, free = outline_networks(settings.model), _SHARE * free_bytes()
        part = _largest(lambda part: step_bytes(with_batch(settings, devices * part), networks) <= free, begin, most)
    found = devices * part
    log.info("batch %d: the largest that fits in memory, up to %d", found, devices * most)
    return found


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tell whether an error is a backend's way to say that memory ran out.

    TensorFlow raises ResourceExhaustedError, torch OutOfMemoryError or a RuntimeError from its allocator, JAX a
    JaxRuntimeError that begins with RESOURCE_EXHAUSTED, NumPy a MemoryError.
    """
    if error is None:
        return False
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}:
        return True
    said = ("RESOURCE_EXHAUSTED", "out of memory", "can't allocate memory")
    return "RuntimeError" in names and any(words in str(error) for words in said)


def with_batch(settings: Settings, batch: int) -> Settings:
    """Give settings another batch; pairs of frames grow and shrink with it."""
    training = settings.training
    pairs = training.pairs and max(1, round(training.pairs * batch / training.batch))
    return replace(settings, training=replace(training, batch=batch, pairs=pairs))


class MemoryGuard(AbstractContextManager["MemoryGuard"]):
    """Turns running out of memory into one line that names the flags to turn; a context manager.

    Args:
        model: the folder of the model that is trained inside.
        settings: its settings, which may be replaced by others.
    """

    def __init__(self, model: Path, settings: Settings) -> None:
        self._model = model
        self.settings = settings

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise SettingsError in place of a backend's error.

        Raises:
            SettingsError: memory ran out.
        """
        if is_out_of_memory(error):
            training, checkpoint = self.settings.training, find_checkpoint(self._model)
            begun = checkpoint is not None and checkpoint.state.step > 0
            do = "close other programs and run again, or train into another --model with" if begun else "turn to"
            raise SettingsError(
                f"memory ran out: expected a step of {self.settings.preset} with --batch {training.batch} and "
                f"--precision {training.precision} to fit; {do} a smaller --batch (or auto), a smaller --preset "
                "or --precision bfloat16."
            ) from error


def _largest(fits: Callable[[int], bool], begin: int, most: int) -> int:
    """Double or halve from a batch on; the largest power of two, up to a limit, that fits."""
    batch = 1 << (min(begin, most).bit_length() - 1)
    if fits(batch):
        while 2 * batch <= most and fits(2 * batch):
            batch *= 2
        return batch
    while batch > 1:
        batch //= 2
        if fits(batch):
            return batch
    raise SettingsError(
        "expected memory for one face of each person, there is less; "
        "turn to a smaller --preset or --precision bfloat16, or close other programs."
    )


def _runs(settings: Settings) -> bool:
    """Make one step with random faces; False where memory runs out."""
    ran = _Tried()
    with ran:
        networks = build_networks(settings.model, precision=settings.training.precision)
        people = {side: _random_faces(settings.model.size) for side in SIDES}
        step = build_step(networks, settings, features=build_perceptual(settings))
        lessons = {side: footage_lessons(people[side]) for side in SIDES} if settings.losses.lesson else None
        step.train_on_batch(BatchMaker(people, settings, lessons).make(0))
    gc.collect()
    return not ran.failed


class _Tried(AbstractContextManager["_Tried"]):
    """Remembers whether memory ran out inside, and lets every other error pass."""

    failed = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.failed = is_out_of_memory(error)
        return self.failed


def _random_faces(size: int) -> FaceSet:
    pictures = np.random.default_rng(0).integers(0, 256, (FEWEST, size, size, 3), dtype=np.uint8)
    return FaceSet(faces=pictures, masks=pictures, crops=pictures, crop_masks=pictures)
