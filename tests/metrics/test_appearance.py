"""Colour, sharpness, seams and what changed outside, on drawn pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.metrics.appearance import RINGS, change_outside, colour_distance, find_region, look_at

SIZE, SPAN = 256, 90.0
ANGLE = np.linspace(0, 2 * np.pi, 36, endpoint=False)
OVAL = np.stack([128 + 70 * np.cos(ANGLE), 128 + 95 * np.sin(ANGLE)], axis=1)
REGION = find_region(OVAL, SPAN, SIZE)


@pytest.fixture
def picture() -> np.ndarray:
    noise = np.random.default_rng(0).normal(128, 40, (SIZE, SIZE, 3))
    return cv2.GaussianBlur(noise, (0, 0), 1.5).clip(0, 255).astype(np.uint8)


def test_region_is_the_oval_and_its_rings():
    assert REGION.inside.sum() == pytest.approx(np.pi * 70 * 95, rel=0.03)
    middle = RINGS.index(0.0)
    assert REGION.rings[middle, 128, 128 + 70]
    assert not REGION.rings[middle, 128, 128]
    assert REGION.rings[RINGS.index(-0.3), 128, 128 + 70 + 27]
    assert REGION.across[128, 128 + 60] == pytest.approx([-1, 0], abs=0.05), "points into the face"


def test_a_picture_is_like_itself(picture):
    one, two = look_at(picture, REGION), look_at(picture.copy(), REGION)
    assert one.sharpness == two.sharpness
    assert np.array_equal(one.edges, two.edges)
    assert colour_distance(one.colour[None], two.colour[None]) == [0]


def test_a_seam_shows_where_it_is(picture):
    pasted = picture.copy()
    pasted[REGION.inside] = np.clip(pasted[REGION.inside].astype(int) + 60, 0, 255).astype(np.uint8)
    before, after = look_at(picture, REGION), look_at(pasted, REGION)
    ratios = after.edges / before.edges
    assert np.argmax(ratios) == RINGS.index(0.0)
    assert ratios.max() > 1.3
    assert ratios[[0, -1]] == pytest.approx(1, abs=0.05), "other rings hardly change"


def test_blur_is_seen(picture):
    blurred = cv2.GaussianBlur(picture, (0, 0), 2.0)
    assert look_at(blurred, REGION).sharpness < 0.5 * look_at(picture, REGION).sharpness


def test_colour_is_cielab():
    white, grey = (np.full((SIZE, SIZE, 3), level, np.uint8) for level in (255, 119))
    looks = [look_at(image, REGION).colour for image in (white, grey)]
    assert looks[0] == pytest.approx([100, 0, 0], abs=0.5)
    assert looks[1][0] == pytest.approx(50, abs=0.5)
    assert colour_distance(looks[0][None], looks[1][None]) == pytest.approx([50], abs=1)


def test_change_counts_outside_only(picture):
    inside, outside = picture.copy(), picture.copy()
    inside[100:150, 100:150] = 0
    assert change_outside(inside, picture, OVAL, SPAN) == 0
    outside[:5] = 255 - outside[:5]
    assert change_outside(outside, picture, OVAL, SPAN) > 0
    assert np.isnan(change_outside(picture, picture, (OVAL - 128) * 9 + 128, SPAN)), "nothing is outside"
