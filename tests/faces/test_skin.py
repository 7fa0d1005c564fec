"""Skin is told from what is darker on a face, and goes on in the colours that are nearest."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.faces.skin import extend_skin, tell_skin

SIDE = 64
SKIN, HAIR = (200, 150, 120), (60, 42, 30)


def bearded(skin=SKIN):
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = skin
    image[40:] = HAIR
    return image


@pytest.fixture
def face():
    weight = np.zeros((SIDE, SIDE), np.float32)
    weight[8:56, 8:56] = 1
    return weight


def test_a_beard_is_no_skin(face):
    skin = tell_skin(bearded(), face)
    assert skin.shape == (SIDE, SIDE)
    assert skin[8:36].min() > 0.99
    assert skin[44:].max() < 0.01


def test_a_shaded_cheek_and_noise_are_skin(face):
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = SKIN
    image[:, 32:] = np.asarray(SKIN) * 6 // 10
    noisy = image + np.random.default_rng(2).normal(0, 25, image.shape)
    assert tell_skin(noisy.clip(0, 255).astype(np.float32), face)[8:56, 8:56].min() > 0.95


def test_where_there_is_no_face_all_counts():
    assert tell_skin(bearded(), np.zeros((SIDE, SIDE), np.float32)).min() == 1


def test_a_face_goes_on_in_its_nearest_colours():
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[:, :32], image[:, 32:] = (200, 100, 50), (100, 150, 200)
    image[20:] = HAIR  # not known
    known = np.zeros((SIDE, SIDE), np.float32)
    known[4:20] = 1
    far = extend_skin(image, known)
    assert far.shape == (SIDE, SIDE, 3)
    assert np.abs(far[21, 8] - (200, 100, 50)).max() < 5
    assert np.abs(far[21, 56] - (100, 150, 200)).max() < 5
    assert far[60, 4, 0] > far[60, 60, 0]  # far away all of it blends, the nearer side more
    steps = np.abs(np.diff(far[20:], axis=0))
    assert steps.max() < 20  # no edge, though red falls by half


def test_what_knows_nothing_stays():
    image = bearded()
    assert np.array_equal(extend_skin(image, np.zeros((SIDE, SIDE), np.float32)), image)
