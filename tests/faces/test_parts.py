"""Tests of faceswap_gan.faces.parts."""

import numpy as np
import pytest

from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.parts import face_mask, mouth_mask

# Share of the crop that is white, and which of the five points are in it.
EXPECTED = {mouth_mask: ((0.04, 0.08), (3, 4)), face_mask: ((0.3, 0.6), range(5))}


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("draw", EXPECTED)
def test_a_part_is_white_and_its_edge_soft(draw, size):
    mask = draw(template(size), size)
    (low, high), inside = EXPECTED[draw]
    assert mask.shape == (size, size)
    assert mask.dtype == np.uint8
    for i, (x, y) in enumerate(np.rint(template(size)).astype(int)):
        assert (mask[y, x] > 127) == (i in inside)
    assert low < (mask > 127).mean() < high
    assert ((mask > 0) & (mask < 255)).sum() > 0.05 * (mask > 0).sum()


@pytest.mark.parametrize("draw", EXPECTED)
def test_the_mask_scales_and_turns_with_the_face(draw):
    small, large = draw(template(64), 64) / 255, draw(template(256), 256) / 255
    assert small.mean() == pytest.approx(large.mean(), rel=0.05)
    turned = (template(256) @ [[0, 1], [-1, 0]]) + [255, 0]  # by a quarter about the crop's middle
    np.testing.assert_allclose(draw(turned, 256), np.rot90(draw(template(256), 256), k=-1), atol=1)


@pytest.mark.parametrize("draw", EXPECTED)
def test_a_part_outside_the_crop_leaves_it_black(draw):
    assert draw(template(64) - 500, 64).max() == 0


def test_the_far_cheek_is_drawn_in_on_a_turned_head():
    points = template(128)
    points[2, 0] += 12
    mask = face_mask(points, 128) > 127
    assert mask[:, 64:].sum() < 0.9 * mask[:, :64].sum()
