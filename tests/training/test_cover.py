"""A lesson covers all of the footage's face, with its own skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.training.cover import cover

SIDE = 64
SKIN, HAIR, LIPS, BROWS = (200, 150, 120), (20, 20, 60), (200, 30, 40), (30, 60, 20)


def region(top, bottom, left, right):
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    drawn[top:bottom, left:right] = 255
    return drawn


@pytest.fixture
def lesson():
    """A face of skin amid hair: lips at its lower rim, brows at its upper one; picture, masks, trust, brows."""
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    picture[:] = HAIR
    own, mouth, brows = region(16, 44, 20, 44), region(40, 44, 28, 36), region(16, 19, 20, 44)
    for part, colour in ((own, SKIN), (mouth, LIPS), (brows, BROWS)):
        picture[part > 0] = colour
    return picture, np.dstack([np.zeros_like(own), mouth, own]), own.copy(), brows


def test_the_face_goes_on_where_the_footages_is(lesson):
    picture, masks, trust, brows = lesson
    face = region(12, 56, 14, 50)
    covered, painted, believed = cover(picture, masks, trust, brows=brows, face=face)
    beyond = (face > 0) & (masks[..., 2] == 0)
    assert np.abs(covered[beyond].astype(int) - SKIN).max() <= 2  # not lips, not brows, not hair
    assert np.array_equal(covered[face == 0], picture[face == 0])
    assert np.array_equal(covered[masks[..., 2] > 0], picture[masks[..., 2] > 0])
    assert np.array_equal(painted[..., 2], np.maximum(face, masks[..., 2]))
    assert np.array_equal(painted[..., :2], masks[..., :2])
    assert (believed[beyond] == 255).all()


def test_a_face_that_is_larger_already_stays(lesson):
    picture, masks, trust, brows = lesson
    trust[20:30, 24:30] = 40  # what no picture shows
    covered, painted, believed = cover(picture, masks, trust, brows=brows, face=region(20, 40, 24, 40))
    assert np.array_equal(covered, picture)
    assert np.array_equal(painted, masks)
    assert np.array_equal(believed, trust)


def test_a_lesson_that_shows_no_face_has_nothing_to_go_on_with(lesson):
    picture, masks, trust, brows = lesson
    nothing = np.zeros_like(masks)
    covered, painted, believed = cover(picture, nothing, trust, brows=brows, face=region(12, 56, 14, 50))
    assert np.array_equal(covered, picture)
    assert not painted.any()
    assert np.array_equal(believed, trust)


def test_what_no_picture_shows_is_not_gone_on_with(lesson):
    picture, masks, trust, brows = lesson
    picture[24:36, 40:44], trust[24:36, 40:44] = (0, 255, 0), 0
    face = region(12, 56, 14, 50)
    covered, _, _ = cover(picture, masks, trust, brows=brows, face=face)
    beyond = (face > 0) & (masks[..., 2] == 0)
    assert np.abs(covered[beyond].astype(int) - SKIN).max() <= 2


def test_the_same_outline_changes_nothing_of_the_region(lesson):
    picture, masks, trust, brows = lesson
    masks[..., 2] = cv2.GaussianBlur(masks[..., 2], (0, 0), 3)
    covered, painted, _ = cover(picture, masks, trust, brows=brows, face=masks[..., 2].copy())
    assert np.array_equal(painted, masks)
    sure = masks[..., 2] >= 0.9 * 255
    assert np.array_equal(covered[sure], picture[sure])


def test_brows_and_lips_at_the_rim_stay(lesson):
    picture, masks, trust, brows = lesson
    masks[..., 2][16:19] //= 3  # the brows' tails, and the lips, lie in the soft rim
    masks[..., 2][41:44] //= 3
    brows[13:22, 17:47] = masks[37:47, 25:39, 1] = 255  # as masks of parts do, they reach over what they show
    trust = masks[..., 2].copy()
    covered, _, believed = cover(picture, masks, trust, brows=brows, face=region(12, 56, 14, 50))
    for part in (region(16, 19, 20, 44) > 0, region(40, 44, 28, 36) > 0):
        assert np.array_equal(covered[part], picture[part])
        assert np.array_equal(believed[part], trust[part])


def test_a_soft_rim_shows_no_hair(lesson):
    picture, masks, trust, brows = lesson
    masks[..., 2][16:44, 20:23] = (40, 110, 180)
    picture[16:44, 20:22] = HAIR
    covered, painted, _ = cover(picture, masks, trust, brows=brows, face=region(12, 56, 14, 50))
    assert np.abs(covered[20:38, 20:22].astype(int) - SKIN).max() <= 8
    assert (painted[20:38, 14:44, 2] == 255).all()
