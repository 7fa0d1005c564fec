"""Seamless blending: the known solutions of Laplace's equation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.edge import square
from faceswap_gan.conversion.seamless import membrane

SIZE = 128


@pytest.fixture
def face():
    noise = np.random.default_rng(3).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 4)


def _at(field):
    return cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def test_a_harmonic_difference_is_taken_away_wholly(face):
    """A constant, a slope and a saddle solve Laplace's equation: all of the difference comes from the edge."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) - 63.5
    difference = np.stack([np.full_like(x, -17), 10 + 0.2 * x, 0.003 * (x * x - y * y)], axis=-1)
    alpha = square(SIZE, 0.9)
    found = _at(membrane(face - difference, face, alpha))
    assert np.abs(found - difference)[alpha > 0.3].max() < 0.3


def test_what_lies_inside_only_is_the_faces_own(face):
    painted = face.copy()
    painted[44:84, 44:84] += np.random.default_rng(4).normal(0, 40, (40, 40, 3))
    assert np.abs(membrane(painted, face, square(SIZE, 0.9))).max() < 1e-3


def test_a_dark_spot_on_the_edge_stays_near_it(face):
    """The mean value property: what the edge says spreads, and fades with the distance."""
    target, alpha = face.copy(), square(SIZE, 0.9)
    target[50:70, :12] -= 20
    found = _at(membrane(face, target, alpha))[..., 1]
    assert found[60, 10] < -8
    assert found[60, 10] < found[60, 30] < found[60, 64] < found[60, 110] <= 0
    assert found[60, 64] > -3


def test_hair_at_the_edge_has_little_say(face):
    """A corner six times as dark does not tint the face twice as much."""
    alpha, tint = square(SIZE, 0.9), {}
    for dark in (20, 120):
        target = face.copy()
        target[:40, :64] -= dark
        tint[dark] = _at(membrane(face, target, alpha))[64, 64, 1]
    assert tint[20] < -0.5
    assert 0 > tint[120] > 2 * tint[20]


def test_larger_faces_give_the_same_field(face):
    alpha = square(SIZE, 0.9)
    small = membrane(face, face[:, ::-1], alpha)
    large = [cv2.resize(x, (256, 256), interpolation=cv2.INTER_LINEAR) for x in (face, face[:, ::-1], alpha)]
    assert np.abs(membrane(*large) - small).max() < 2
