"""Multiband blending: fine bands change hands at once, coarse ones slowly, and nothing leaves the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.edge import square
from faceswap_gan.conversion.multiband import multiband

SIZE = 128


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def _half():
    """A mask that rises over a sixteenth of the picture's width."""
    ramp = np.clip((np.arange(SIZE) - 60) / 8, 0, 1)
    return np.tile(ramp.astype(np.float32), (SIZE, 1))


def _share(painted, target, alpha):
    """How much of the difference shows in each column."""
    shown = target + alpha[..., None] * (multiband(painted, target, alpha) - target)
    return ((shown - target) * (painted - target)).mean(axis=(0, 2)) / ((painted - target) ** 2).mean(axis=(0, 2))


def _width(share):
    """Columns between a tenth and nine tenths."""
    return np.argmax(share > 0.9) - np.argmax(share > 0.1)


@pytest.mark.parametrize("size", [64, 96, 128, 256])
def test_wholly_painted_is_the_painted_face(rng, size):
    painted, target = rng.uniform(0, 255, (2, size, size, 3)).astype(np.float32)
    assert np.abs(multiband(painted, target, np.ones((size, size), np.float32)) - painted).max() < 1e-2


def test_equal_faces_stay(rng):
    face = rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    assert np.abs(multiband(face, face, square(SIZE, 0.9)) - face).max() < 1e-2


def test_coarse_colours_change_over_a_wider_edge_than_fine_texture(rng):
    target = np.full((SIZE, SIZE, 3), 120, np.float32)
    noise = rng.normal(0, 20, target.shape).astype(np.float32)
    coarse = _width(_share(target + 30, target, _half()))
    fine = _width(_share(target + noise - cv2.GaussianBlur(noise, (0, 0), 1), target, _half()))
    assert fine < 6 < 12 <= coarse


def test_nothing_changes_abruptly_and_nothing_leaves_the_mask(rng):
    target = np.full((SIZE, SIZE, 3), 120, np.float32)
    alpha = square(SIZE, 0.9)
    shown = target + alpha[..., None] * (multiband(target + 40, target, alpha) - target)
    assert np.array_equal(shown[alpha == 0], target[alpha == 0])
    assert np.abs(np.diff(shown, axis=0)).max() < 8
    assert shown[64, 64] == pytest.approx([160] * 3, abs=1)
