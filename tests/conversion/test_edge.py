"""The painted region: its edge lies where it was asked to, in parts of the face."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.conversion.edge import shape_mask, square, whole
from faceswap_gan.conversion.finish import FACE


@pytest.mark.parametrize("coverage", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("size", [64, 256])
def test_square_is_whole_inside_nothing_at_the_border_and_smooth(size, coverage):
    mask = square(size, coverage)
    assert mask.shape == (size, size)
    assert mask[size // 2, size // 2] == 1
    assert mask[[0, -1]].max() == mask[:, [0, -1]].max() == 0
    assert np.abs(np.diff(mask, axis=0)).max() < 16 / size
    assert np.array_equal(mask, mask[::-1])
    assert np.array_equal(mask, mask.T)


def test_square_grows_with_coverage_and_scales_with_size():
    assert square(64, 0.5).sum() < square(64, 0.7).sum() < square(64, 0.9).sum()
    assert square(64, 0.8).mean() == pytest.approx(square(256, 0.8).mean(), abs=0.01)


def _disc(size, radius):
    """A disc with a sharp edge; the radius in parts of the side."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    return np.clip((radius - np.hypot(x, y)) * size + 0.5, 0, 1).astype(np.float32)


def _radius(mask):
    return np.sqrt(mask.sum() / np.pi) / mask.shape[0]


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("erode", [-0.1, 0.03, 0.1, 0.113])
def test_erode_moves_the_edge_by_parts_of_the_face(size, erode):
    moved = shape_mask(_disc(size, 0.3), erode=erode)
    assert _radius(moved) == pytest.approx(0.3 - erode * FACE, abs=0.006)


def test_erode_goes_by_fractions_of_a_pixel():
    areas = [shape_mask(_disc(64, 0.3), erode=step / 1000).sum() for step in range(0, 40, 2)]
    steps = -np.diff(areas)
    assert steps.min() > 0
    assert steps.max() < 3 * np.median(steps)


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("feather", [0.1, 0.3])
def test_feather_softens_inwards_by_parts_of_the_face(size, feather):
    disc = _disc(size, 0.35)
    soft = shape_mask(disc, feather=feather)
    assert (soft <= disc).all()
    row = soft[size // 2, : size // 2]
    width = np.clip(
        (np.interp(0.99, row, np.arange(size // 2)) - np.interp(0.01, row, np.arange(size // 2))), 0, None
    )
    assert 0.5 * feather * FACE < width / size <= 1.1 * feather * FACE + 2 / size
    assert np.diff(row).min() > -1e-5


def test_no_erosion_and_no_feather_change_nothing():
    disc = _disc(64, 0.3)
    assert np.array_equal(shape_mask(disc), disc)


def test_what_is_all_but_wholly_painted_is_painted_wholly():
    levels = np.asarray([[-0.1, 0.0, 0.4, 0.75, 0.8, 0.9, 0.97, 1.0, 1.2]], np.float32)
    assert whole(levels)[0] == pytest.approx([0, 0, 0.4, 0.75, 0.8333, 1, 1, 1, 1], abs=1e-3)
