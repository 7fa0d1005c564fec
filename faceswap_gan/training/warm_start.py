"""A new pair's networks from another pair's: what both can use is taken over, what is a person's own is not."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np

from faceswap_gan.config import ModelSettings, Settings
from faceswap_gan.errors import ModelError
from faceswap_gan.nn.fast import PersonMaps
from faceswap_gan.training.checkpoint import Checkpoint, find_trained, load_networks, read_settings
from faceswap_gan.training.networks import Networks, build_networks

log = logging.getLogger(__name__)

_SHARED = ("encoder", "decoder")  # the classic family has a decoder for each person, under other names


def choose_start(
    from_model: Path | None, settings: ModelSettings, checkpoint: Checkpoint | None
) -> Checkpoint | None:
    """Find the checkpoint of another model to start from, if that is asked for and the model has none of its own.

    Args:
        from_model: the other model's folder; None starts with random weights.
        settings: shape of the new model's networks.
        checkpoint: the model's own, which wins; the log says so.

    Raises:
        ModelError: the other model is untrained, damaged or of another shape.
    """
    if from_model is None:
        return None
    if checkpoint is None:
        return find_start(from_model, settings)
    log.info("--from %s is not used: the model goes on from its own checkpoint, %s", from_model, checkpoint.folder)
    return None


def start_networks(settings: Settings, start: Checkpoint | None, *, rng: np.random.Generator) -> Networks:
    """Build a new model's networks, with random weights or what another model shares.

    Args:
        settings: the new model's.
        start: the other model's checkpoint, from `choose_start`.
        rng: source of the random weights.

    Raises:
        ModelError: a weights file is missing or damaged.
    """
    networks = build_networks(settings.model, precision=settings.training.precision, rng=rng)
    if start is not None:
        take_over(start, networks)
    return networks


def find_start(start: Path, settings: ModelSettings) -> Checkpoint:
    """Find the checkpoint of another model to start from: its newest, as conversion takes.

    Args:
        start: the other model's folder.
        settings: shape of the new model's networks.

    Raises:
        ModelError: the other model is untrained, damaged or of another shape.
    """
    other = read_settings(start)
    theirs, ours = asdict(other.model), asdict(settings)
    differ = [name for name in ours if theirs[name] != ours[name]]
    if differ:
        raise ModelError(
            f"expected --from a model with {_name(ours, differ)}, as the new one has, got {start} with "
            f"{_name(theirs, differ)}; train the new one with --preset {other.preset} or start from another."
        )
    return find_trained(start)


def take_over(start: Checkpoint, networks: Networks) -> None:
    """Give new networks the weights that both people of another model shared, and tell the user which.

    The classic family shares its encoder; the fast one its decoder too, in which each person's maps start anew.
    Where the other model averages its weights the average is taken, as by conversion.

    Args:
        start: the other model's checkpoint.
        networks: new networks of the same shape, changed in place.

    Raises:
        ModelError: a weights file is missing or damaged.
    """
    shared = {name: networks[name] for name in _SHARED if name in networks}
    load_networks(start, shared)
    for network in shared.values():
        for layer in network.layers:
            if isinstance(layer, PersonMaps):
                layer.reset()
    log.info(
        "taken over from %s: %s; new: %s, optimizer",
        start.folder,
        " and ".join(shared),
        ", ".join(name for name in networks if name not in shared) or "each person's scales and shifts",
    )


def _name(settings: dict[str, object], names: list[str]) -> str:
    return ", ".join(f"{name} {settings[name]}" for name in names)
