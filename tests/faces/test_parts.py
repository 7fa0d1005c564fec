"""Tests of faceswap_gan.faces.parts."""

import numpy as np
import pytest

from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.parts import eye_mask


@pytest.mark.parametrize("size", [64, 128, 256])
def test_eyes_are_white_and_their_edge_soft(size):
    points = template(size)
    mask = eye_mask(points, size)
    assert mask.shape == (size, size)
    assert mask.dtype == np.uint8
    for x, y in np.rint(points).astype(int)[:2]:
        assert mask[y, x] == 255
    for x, y in np.rint(points).astype(int)[2:]:
        assert mask[y, x] == 0
    assert 0.02 < (mask > 127).mean() < 0.06
    assert ((mask > 0) & (mask < 255)).sum() > 0.2 * (mask > 0).sum()


def test_the_mask_scales_and_turns_with_the_face():
    small, large = eye_mask(template(64), 64) / 255, eye_mask(template(256), 256) / 255
    assert small.mean() == pytest.approx(large.mean(), rel=0.05)
    turned = template(256)[:, ::-1]  # mirrored along the diagonal
    np.testing.assert_allclose(eye_mask(turned, 256), eye_mask(template(256), 256).T, atol=1)


def test_eyes_outside_the_crop_leave_it_black():
    assert eye_mask(template(64) - 500, 64).max() == 0
