"""Squares of frames to patches."""

import cv2
import numpy as np
import pytest

from faceswap_gan.faces.patches import view_squares


@pytest.mark.parametrize("side", [30.0, 48.0, 95.3, 150.2, 190.7])
def test_patches_lie_where_the_squares_do(side):
    y, x = np.mgrid[:256, :256]
    ramp = np.dstack([x, y, x]).astype(np.uint8)  # red is x, green is y
    left, top = 30.4, 50.8
    squares = np.asarray([[left, top, left + side, top + side], [left - 7.3, top, left + side - 7.3, top + side]])
    first, second = view_squares(ramp, squares, 48).astype(float)
    middles = (np.arange(48) + 0.5) * side / 48 - 0.5
    for found, true in ((first[:, 24, 1], top + middles), (first[24, :, 0], left + middles)):
        np.testing.assert_allclose(found, true, atol=1)  # levels are whole numbers
        assert np.mean(found) == pytest.approx(np.mean(true), abs=0.5)
    assert np.mean(first[..., 0] - second[..., 0]) == pytest.approx(7.3, abs=0.5)


def test_large_squares_are_averaged():
    noise = np.random.default_rng(0).integers(0, 256, (480, 480, 3), dtype=np.uint8)
    (patch,) = view_squares(noise, np.asarray([[0.0, 0.0, 480.0, 480.0]]), 48)
    whole = cv2.resize(noise, (48, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(patch.astype(int), whole, atol=2)


def test_beyond_the_frame_is_grey():
    (patch,) = view_squares(np.full((100, 100, 3), 255, np.uint8), np.asarray([[-96.0, 0.0, 96.0, 192.0]]), 48)
    assert (patch[:, :22] == 128).all()
    assert (patch[30:] == 128).all()
    assert (patch[1:24, 26:47] == 255).all()
