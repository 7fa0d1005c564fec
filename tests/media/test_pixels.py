"""Colours survive the way to RGB and back; turned pictures stand upright."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.media.pixels import ColorTags, from_rgb, read_tags, to_rgb, turn_back, turn_upright
from faceswap_gan.media.planes import read_planar


@pytest.fixture
def patches():
    colours = np.random.default_rng(3).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return np.repeat(np.repeat(colours, 24, axis=0), 24, axis=1)


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_round_trip_does_not_shift_colours(patches, matrix, full, pix_fmt):
    tags = ColorTags(matrix, 1, 1, full)
    frame = from_rgb(patches, pix_fmt, tags)
    assert read_tags(frame) == tags
    error = to_rgb(frame).astype(float) - patches
    centres = error[12::24, 12::24]
    assert np.abs(centres.mean(axis=(0, 1))).max() < 0.25
    assert np.abs(centres).max() <= 4


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p12le", "yuv422p16le", "gray", "gray12le", "yuv420p"])
def test_deep_white_is_white_and_every_level_comes_back(pix_fmt, full):
    """In 16 bits, from black to white, within the rounding of the format."""
    ramp = np.repeat(np.tile(np.linspace(0, 65535, 256, dtype=np.uint16), (4, 1))[..., None], 3, axis=2)
    depth = read_planar(pix_fmt).depth
    back = to_rgb(from_rgb(ramp, pix_fmt, ColorTags(1, 1, 1, full)), deep=True).astype(int)
    assert np.abs(back - ramp).max() <= 65535 / (2**depth * 0.85) * 0.7 + 40
    assert back[0, 0].max() == 0
    assert back[0, -1].min() >= 65530


@pytest.mark.parametrize("full", [False, True])
def test_grey_stays_grey(full):
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (4, 1))[..., None], 3, axis=2)
    back = to_rgb(from_rgb(ramp, "yuv420p", ColorTags(1, 1, 1, full)))
    assert np.abs(back.astype(int) - ramp).max() <= 1


def test_matrices_differ(patches):
    frames = [from_rgb(patches, "yuv444p", ColorTags(matrix)) for matrix in (1, 6, 9)]
    planes = [bytes(frame.planes[1]) for frame in frames]
    assert len(set(planes)) == 3


# Where a display matrix sends the stored picture's corners, ISO/IEC 14496-12.
@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2, 3], [4, 5, 6]]),
        ((-1, 0, 0, 1), [[3, 2, 1], [6, 5, 4]]),
        ((1, 0, 0, -1), [[4, 5, 6], [1, 2, 3]]),
        ((-1, 0, 0, -1), [[6, 5, 4], [3, 2, 1]]),
        ((0, 1, 1, 0), [[1, 4], [2, 5], [3, 6]]),
        ((0, 1, -1, 0), [[4, 1], [5, 2], [6, 3]]),
        ((0, -1, 1, 0), [[3, 6], [2, 5], [1, 4]]),
        ((0, -1, -1, 0), [[6, 3], [5, 2], [4, 1]]),
    ],
)
def test_turn_upright(matrix, expected):
    stored = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert turn_upright(stored, matrix).tolist() == expected
    assert turn_back(np.array(expected), matrix).tolist() == stored.tolist()
