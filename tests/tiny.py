"""Drawn faces and small networks: training in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.config import PRESETS, Augmentation, Settings, without_teacher
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.folder import mask_folder
from faceswap_gan.faces.hulls import part_mask
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.media.images import write_image, write_mask
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.checkpoint import State, save_checkpoint, write_settings
from faceswap_gan.training.face_set import FaceSet, read_faces
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import Step, build_step
from faceswap_gan.training.trainer import train

COUNT = 16
SIDE = 64  # px
UNCHANGED = Augmentation(rotation=0.0, zoom=0.0, shift=0.0, flip=0.0, warp=0.0, color_match=0.0)

_SKIN = {"src": (200, 120, 60), "dst": (60, 110, 190)}


def draw_faces(side: str, *, count: int = COUNT, size: int = SIDE) -> list[NDArray[np.uint8]]:
    """Soft patterns around a person's colour, changing from frame to frame: RGB uint8 (size, size, 3) each."""
    rng = np.random.default_rng(SIDES.index(side))
    still, *moving = rng.normal(0.0, 25.0, (3, 6, 6, 3))
    turns = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    coarse = [_SKIN[side] + still + np.sin(t) * moving[0] + np.cos(t) * moving[1] for t in turns]
    soft = [cv2.resize(each, (size, size), interpolation=cv2.INTER_CUBIC) for each in coarse]
    return [np.clip(each, 0, 255).astype(np.uint8) for each in soft]


def write_faces(folder: Path, side: str, *, count: int = COUNT, masks: bool = True) -> Path:
    """Write a person's face folder, without `faces.jsonl`, and eye masks; returns the folder."""
    points = Landmarks(template(SIDE).astype(np.float32), None, None, 1.0)
    for index, face in enumerate(draw_faces(side, count=count)):
        write_image(folder / f"{index:06d}_0.png", face)
        if masks:
            write_mask(mask_folder(folder) / f"{index:06d}_0.png", part_mask("eyes", points, SIDE))
    return folder


def read_people(folder: Path) -> dict[str, FaceSet]:
    """Write both people's faces under a folder and read them for 64 px networks."""
    return {side: read_faces(write_faces(folder / f"face_{side}", side), size=SIDE) for side in SIDES}


def tiny_settings(family: str, *, training: Mapping[str, Any] | None = None, **losses: Any) -> Settings:
    """A preset at 64 px with few channels, float32, two faces a step, constant rates, no teacher, no perceptual loss.

    Args:
        family: ``fast`` or ``classic``.
        training: training settings to change.
        **losses: loss settings to change.
    """
    settings = without_teacher(PRESETS["fast"]) if family == "fast" else PRESETS["classic-64"]
    changes = {"batch": 2, "pairs": int(family == "fast"), "precision": "float32", "schedule": "constant"}
    return replace(
        settings,
        model=replace(settings.model, size=SIDE, width=8, latent=32),
        losses=replace(settings.losses, **{"perceptual": "none", **losses}),
        training=replace(settings.training, **{**changes, **(training or {})}),
    )


def write_model(folder: Path, settings: Settings, *, state: State = State()) -> Path:  # noqa: B008 (frozen)
    """Write a model folder whose checkpoint has untrained networks; returns the folder."""
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    write_settings(folder, settings)
    save_checkpoint(folder, networks, build_step(networks, settings).state_variables, state)
    return folder


def build_eagerly(*arguments: Any, **more: Any) -> Step:
    """Build a step as `build_step` does, not compiled: where it is made once that is faster."""
    step = build_step(*arguments, **more)
    step.run_eagerly = True
    return step


def train_fake(people, model, step, budget, *, settings=None, checkpoint=None):
    """Train by a step that is a `fakes.FakeStep`."""
    settings = settings or tiny_settings("fast", training={"batch": 1})
    return train(people, {}, step, settings, model=model, budget=budget, checkpoint=checkpoint)


def saved_steps(model):
    """Steps of a model's checkpoints."""
    return sorted(int(each.name) for each in (model / "checkpoints").iterdir() if each.is_dir())


def tiny_features() -> keras.Model:
    """Stand in for the perceptual loss's network: four features of a picture, always the same ones."""
    x = pictures = keras.Input((224, 224, 3))
    taps = []
    for index in range(4):
        x = keras.layers.AveragePooling2D(4 if index == 0 else 2)(x)
        initializer = keras.initializers.RandomNormal(stddev=0.1, seed=index)
        x = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=initializer)(x)
        taps.append(x)
    features = keras.Model(pictures, taps)
    features.trainable = False
    return features
