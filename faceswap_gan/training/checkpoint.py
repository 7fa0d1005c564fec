"""Checkpoints of a model folder: written whole or not at all, read by training and by conversion."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.config import Settings
from faceswap_gan.errors import DivergedError, ModelError
from faceswap_gan.media.disk import flush
from faceswap_gan.media.images import write_whole
from faceswap_gan.nn.generator import Swap, split_head
from faceswap_gan.training.best import checkpoint_folder, find_best
from faceswap_gan.training.networks import Networks, build_networks, build_painter
from faceswap_gan.training.stored_settings import read_toml

KEEP = 2
"""Checkpoints kept."""

_UNFINISHED = ".writing-"
_TRAINING = "training.npz"
_STATE = "state.json"
_MISFIT = "restore config.toml if it was changed, else delete the checkpoint's folder to go back one."


@dataclass(frozen=True)
class State:
    """Where training stands."""

    step: int = 0
    """Updates made so far."""
    seconds: float = 0.0
    """Time spent on them, all runs together."""
    rate: float = 1.0
    """Share of the schedule's learning rates that is left after the guard's rollbacks."""
    rollbacks: int = 0
    """How often the guard went back to a checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk."""

    folder: Path
    state: State


@dataclass(frozen=True)
class LoadedSwap:
    """A trained model, ready to paint."""

    swap: Callable[[NDArray[np.float32]], Swap]
    """Crops float32 (N, S, S, 3) in [-1, 1] to what is painted for them."""
    size: int
    """Side S of the crops, px."""
    align_size: int
    """Side at which to cut faces out of frames, px."""
    sha256: str
    """Of the settings and weights: two models with the same one paint the same."""


def write_settings(model: Path, settings: Settings) -> None:
    """Write the settings of a new model to its folder, which is made."""
    model.mkdir(parents=True, exist_ok=True)
    write_whole(model / "config.toml", settings.to_toml().encode(), durable=True)


def read_settings(model: Path) -> Settings:
    """Read the settings of a model.

    Raises:
        ModelError: the folder holds none.
    """
    file = model / "config.toml"
    if not file.is_file():
        raise ModelError(f"expected a model folder with config.toml, got {model}; train a model there first.")
    return read_toml(file.read_text(encoding="utf-8", errors="replace"))


def save_checkpoint(model: Path, networks: Networks, variables: Sequence[keras.Variable], state: State) -> Checkpoint:
    """Write weights, optimizer and state to a new folder that appears when it is whole; drop old ones.

    Args:
        model: the model folder.
        networks: its networks.
        variables: of the optimizer and the step, for both players.
        state: where training stands.

    Raises:
        DivergedError: a variable is no finite number; nothing is written.
        ModelError: the disk does not take it; nothing is left of it.
    """
    home = model / "checkpoints"
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = checkpoint_folder(model, state.step)
    if folder.exists():
        return Checkpoint(folder, state)  # nothing has changed since that step was saved
    unfinished = home / f"{_UNFINISHED}{folder.name}"
    try:
        unfinished.mkdir()
        for name, network in networks.items():
            network.save_weights(unfinished / f"{name}.weights.h5")
        np.savez(unfinished / _TRAINING, *(_to_array(variable, state.step) for variable in variables))
        (unfinished / _STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")
        for file in (*unfinished.iterdir(), unfinished):
            flush(file)
        unfinished.replace(folder)
    except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as one or the other
        reason = os.strerror(code) if (code := getattr(error, "errno", None)) else _first_line(error)
        raise ModelError(f"could not save {folder} ({reason}); free space there and run again.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    flush(home)
    best = find_best(model)
    for old in _folders(model)[:-KEEP]:
        if best is None or old != checkpoint_folder(model, best.step):
            _drop(old)
    return Checkpoint(folder, state)


def amend_state(checkpoint: Checkpoint, state: State) -> None:
    """Replace the state of a checkpoint by another of the same step.

    Raises:
        MediaError: the disk does not take it; the state is as before.
    """
    write_whole(checkpoint.folder / _STATE, json.dumps(asdict(state)).encode(), durable=True)


def drop_since(model: Path, step: int) -> None:
    """Drop a model's checkpoints from a step on, but neither the oldest nor the best."""
    best = find_best(model)
    for folder in _folders(model)[1:]:
        if int(folder.name) >= step and (best is None or int(folder.name) != best.step):
            _drop(folder)


def forget_beginning(model: Path) -> None:
    """Drop a model's checkpoint of no step, if there is one, as it begins anew."""
    folder = checkpoint_folder(model, 0)
    if folder.is_dir():
        _drop(folder)


def find_checkpoint(model: Path) -> Checkpoint | None:
    """Find a model's newest checkpoint, if there is one.

    Raises:
        ModelError: it is damaged.
    """
    folders = _folders(model)
    return _read_checkpoint(folders[-1]) if folders else None


def find_trained(model: Path, *, checkpoint: Literal["last", "best"] = "last") -> Checkpoint:
    """Find a checkpoint of a model that has made a step.

    Args:
        model: the model folder.
        checkpoint: the newest, or the one that did best on held-out faces.

    Raises:
        ModelError: the model is untrained, or has no best one.
    """
    chosen = find_checkpoint(model)
    if chosen is None or chosen.state.step == 0:
        raise ModelError(f"expected a trained model in {model}, got one without a checkpoint; train it first.")
    if checkpoint == "last":
        return chosen
    best = find_best(model)
    if best is None:
        raise ModelError(
            f"expected a best checkpoint in {model}, got none: held-out faces were not measured, for which each "
            "person needs 200 faces; take the last one."
        )
    return _read_checkpoint(checkpoint_folder(model, best.step))


def load_networks(checkpoint: Checkpoint, networks: Networks) -> None:
    """Read the weights of networks from a checkpoint.

    Args:
        checkpoint: where from.
        networks: which; those of the checkpoint that are not named are left alone.

    Raises:
        ModelError: a file is missing, damaged or of another shape.
    """
    for name, network in networks.items():
        file = checkpoint.folder / f"{name}.weights.h5"
        try:
            network.load_weights(file)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"{file} does not fit config.toml ({_first_line(error)}); {_MISFIT}") from error


def load_variables(checkpoint: Checkpoint, variables: Sequence[keras.Variable], *, newer: int = 0) -> None:
    """Read the state of the optimizer and the step from a checkpoint.

    Args:
        checkpoint: where from.
        variables: that were saved.
        newer: how many of the last ones stay as they are in checkpoints of an earlier version, which lack them.

    Raises:
        ModelError: the file is missing, damaged or of another shape.
    """
    file = checkpoint.folder / _TRAINING
    try:
        with np.load(file, allow_pickle=False) as arrays:
            values = [arrays[f"arr_{index}"] for index in range(len(arrays.files))]
        wanted = variables[: len(variables) - newer] if len(values) == len(variables) - newer else variables
        for variable, value in zip(wanted, values, strict=True):
            variable.assign(value)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{file} does not fit the model ({_first_line(error)}); {_MISFIT}") from error


def load_swap(model: Path, *, face: str, checkpoint: Literal["last", "best"] = "last") -> LoadedSwap:
    """Read a generator of a model.

    Args:
        model: the model folder.
        face: ``src`` or ``dst``: whose face is painted.
        checkpoint: the newest, or the one that did best on held-out faces.

    Raises:
        ModelError: the folder holds no trained model, or no best one.
    """
    settings = read_settings(model)
    chosen = find_trained(model, checkpoint=checkpoint)
    networks = build_networks(settings.model, precision=settings.training.precision)
    networks = {name: network for name, network in networks.items() if "discriminator" not in name}
    load_networks(chosen, networks)
    painter = build_painter(networks, face)

    def swap(crops: NDArray[np.float32]) -> Swap:
        return split_head(np.asarray(painter.predict_on_batch(crops), np.float32))

    size = settings.model.size
    return LoadedSwap(swap=swap, size=size, align_size=max(256, size), sha256=_hash(settings, chosen, networks))


def _hash(settings: Settings, checkpoint: Checkpoint, networks: Networks) -> str:
    digest = sha256(settings.to_toml().encode())
    for name in sorted(networks):
        digest.update((checkpoint.folder / f"{name}.weights.h5").read_bytes())
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]


def _read_checkpoint(folder: Path) -> Checkpoint:
    try:
        state = _read_state(folder / _STATE)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder} is damaged ({error}); delete it to go on from the one before.") from error
    return Checkpoint(folder, state)


def _folders(model: Path) -> list[Path]:
    """Return a model's whole checkpoints, oldest first."""
    return sorted(each for each in (model / "checkpoints").glob("[0-9]*") if each.name.isdigit() and each.is_dir())


def _read_state(file: Path) -> State:
    state = State(**json.loads(file.read_text(encoding="utf-8")))
    whole, numbers = (state.step, state.rollbacks), (state.seconds, state.rate)
    if not all(isinstance(n, int) for n in whole) or not all(isinstance(n, int | float) for n in numbers):
        raise TypeError(f"expected whole steps and rollbacks, numbers of seconds and rate, got {state}")
    return state


def _drop(folder: Path) -> None:
    """Delete a checkpoint, out of sight first: a killed process leaves no half of one."""
    aside = folder.with_name(f"{_UNFINISHED}{folder.name}-old")
    folder.replace(aside)
    shutil.rmtree(aside)


def _to_array(variable: keras.Variable, step: int) -> NDArray[np.generic]:
    values = np.asarray(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))
    if not np.isfinite(values).all():
        raise DivergedError(f"by step {step} {variable.path} is no finite number")
    return values
