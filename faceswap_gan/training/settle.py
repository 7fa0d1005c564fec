"""The settings that a model is trained with: its own, or a preset's with what the user asks for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from faceswap_gan.config import PRESETS, LossSettings, Settings, TrainSettings, find_preset
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.training.checkpoint import Checkpoint, find_checkpoint, read_settings
from faceswap_gan.training.devices import has_fast_bfloat16, has_gpu
from faceswap_gan.training.memory import with_batch
from faceswap_gan.training.teacher import settle_teacher

log = logging.getLogger(__name__)

_DEFAULT_BALANCE = 0.5  # with --sampling


def settle_settings(model: Path, checkpoint: Checkpoint | None, flags: Mapping[str, Any]) -> Settings:
    """Settle what to train with.

    Args:
        model: the model folder.
        checkpoint: what it goes on from, by `find_begun`; None for a new model.
        flags: settings that the user may ask for, by name; None is not asked for.

    Returns:
        The model's own settings, or a preset's with the flags.

    Raises:
        ModelError: a flag contradicts the model's own settings.
        SettingsError: there is no such preset, or a flag does not fit it.
        WeightsError: the teacher asked for cannot be had.
    """
    asked = _asked(flags)
    if checkpoint is None:
        return _choose(asked.pop("preset", None), asked)
    stored = read_settings(model)
    reason = _contradiction(stored, asked)
    if reason is not None:
        raise ModelError(f"{model} {reason}")
    log.info("%s: goes on with its own settings, preset %s", model, stored.preset)
    return stored


def find_begun(model: Path, flags: Mapping[str, Any], *, fit_batch: bool = False) -> Checkpoint | None:
    """Find the checkpoint that a model goes on from.

    Args:
        model: its folder.
        flags: as `settle_settings` takes them.
        fit_batch: whether the largest batch is asked for.

    Returns:
        The newest; None where there is none, or where no step is made yet and other settings are asked for, as after
        a first step for which memory did not suffice: it may begin anew.

    Raises:
        ModelError: it is damaged.
    """
    checkpoint = find_checkpoint(model)
    if checkpoint is None or checkpoint.state.step > 0:
        return checkpoint
    return None if fit_batch or _contradiction(read_settings(model), _asked(flags)) else checkpoint


def _asked(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _contradiction(stored: Settings, asked: Mapping[str, Any]) -> str | None:
    """Say what is not as asked for, and what to do, of the model that the words follow."""
    pretrained, pretrain = (teacher == "footage" for teacher in (stored.training.teacher, asked.get("teacher")))
    if pretrained and not pretrain:
        return "was trained with --pretrain; begin the pair in another --model, with --from this one."
    if pretrain and not pretrained:
        return "was trained on a pair, now --pretrain is asked for; do that in another --model."
    for name, value in asked.items():
        has = stored.preset if name == "preset" else getattr(_section(stored, name), name)
        if value != has:
            return (
                f"was trained with --{name.replace('_', '-')} {has}, now {value} is asked for; "
                "leave the flag out to go on, or train into another --model."
            )
    return None


def _section(settings: Settings, name: str) -> LossSettings | TrainSettings:
    """Return the part of the settings that a flag is one of."""
    return settings.losses if hasattr(settings.losses, name) else settings.training


def _choose(preset: str | None, asked: Mapping[str, Any]) -> Settings:
    """Return a preset with the settings that are asked for, saying which and why."""
    if preset is not None:
        settings = find_preset(preset)
        log.info("preset %s, as asked", preset)
    else:
        gpu = has_gpu()
        settings = PRESETS["quality" if gpu else "fast"]
        log.info("preset %s, because %s", settings.preset, "a GPU was found" if gpu else "no GPU was found")
    if "swap_decoders" in asked and not settings.training.schedule.startswith("classic"):
        raise SettingsError(
            f"expected --swap-decoders with a classic preset, got {settings.preset}, whose people share one decoder; "
            "leave it out."
        )
    settings = settle_teacher(settings, asked.get("teacher"))
    if settings.training.precision == "bfloat16" and "precision" not in asked and not has_fast_bfloat16():
        log.info("float32 instead of bfloat16, in which this processor or GPU does not compute by itself")
        asked = {**asked, "precision": "float32"}
    if "sampling" in asked and not settings.training.balance:
        asked = {"balance": _DEFAULT_BALANCE, **asked}
    settings = with_batch(settings, asked.get("batch", settings.training.batch))
    losses = {name: value for name, value in asked.items() if hasattr(settings.losses, name)}
    training = replace(settings.training, **{name: value for name, value in asked.items() if name not in losses})
    if not 0.0 <= training.balance <= 1.0:
        raise SettingsError(f"expected --balance from 0 to 1, got {training.balance}; give a share.")
    return replace(settings, losses=replace(settings.losses, **losses), training=training)
