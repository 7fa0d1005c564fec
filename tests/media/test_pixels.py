"""Colours survive the way to RGB and back; turned pictures stand upright."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.media.pixels import ColorTags, from_rgb, read_tags, to_rgb, turn_upright


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
