"""Sampling: rare kinds of face are drawn more often, all are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.training.sampling import face_probabilities, moment_probabilities

ALL, RARE = 600, 3


@pytest.fixture(scope="module")
def crops():
    """597 grey faces that hardly differ, then 3 bright ones."""
    rng = np.random.default_rng(0)
    faces = rng.integers(95, 105, (ALL, 32, 32, 3))
    faces[-RARE:] += 100
    return faces.astype(np.uint8)


def test_without_balance_every_face_is_alike(crops):
    assert face_probabilities(crops, 0.0) == pytest.approx(np.full(ALL, 1 / ALL))


def test_balance_favours_the_rare_and_forgets_none(crops):
    odds = face_probabilities(crops, 0.5)
    assert odds.sum() == pytest.approx(1.0)
    assert odds.min() >= 0.5 / ALL
    assert odds[-RARE:].mean() > 2 * odds[:-RARE].mean()


def test_more_balance_favours_them_more(crops):
    shares = [face_probabilities(crops, balance)[-RARE:].sum() for balance in (0.0, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[0] < shares[1] < shares[2]


def test_same_faces_same_odds(crops):
    assert np.array_equal(face_probabilities(crops, 0.5), face_probabilities(crops, 0.5))


def test_fewer_faces_than_kinds_are_drawn_evenly(crops):
    assert face_probabilities(crops[:20], 1.0) == pytest.approx(np.full(20, 1 / 20))


def test_moments_of_change_are_drawn_more_often():
    crops = np.full((50, 32, 32, 3), 100, np.uint8)
    crops[20, 8:16, 8:16] = 200  # a blink
    crops[30, 24:] = 200  # a change outside the eyes
    masks = np.zeros((50, 32, 32, 2), np.uint8)
    masks[:, 8:16, 8:16, 0] = 255
    odds = moment_probabilities(crops, masks)
    assert odds.sum() == pytest.approx(1.0)
    assert odds[[19, 20]] == pytest.approx(0.5 / 50 + 0.25)
    assert np.delete(odds, [19, 20]) == pytest.approx(np.full(48, 0.5 / 50))


def test_a_still_has_no_moments():
    crops = np.full((20, 16, 16, 3), 100, np.uint8)
    assert moment_probabilities(crops, np.full_like(crops, 255)) == pytest.approx(np.full(20, 1 / 20))
