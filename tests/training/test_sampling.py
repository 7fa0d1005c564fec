"""Sampling: rare kinds of face are drawn more often, all are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.training.sampling import estimate_yaw, face_probabilities, moment_probabilities

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


def _turned(yaw):
    """Five points of a head turned by so many degrees towards the picture's right, in px of a 64 px crop."""
    solid = np.array([[-31, 0, 0], [31, 0, 0], [0, 34, 38], [-25, 64, 6], [25, 64, 6]], np.float64)  # mm, z to us
    angle = np.radians(yaw)
    x = solid[:, 0] * np.cos(angle) + solid[:, 2] * np.sin(angle)
    return np.float32(np.column_stack([x, solid[:, 1]]) / 4 + 32)


@pytest.mark.parametrize("roll", [0, 25])
def test_yaw_from_five_points(roll):
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    wanted = np.arange(-50, 51, 10)
    points = np.stack([_turned(yaw) @ np.float32([[cos, sin], [-sin, cos]]) for yaw in wanted])
    np.testing.assert_allclose(estimate_yaw(points), wanted, atol=4)


def test_even_over_yaw(crops):
    yaws = np.where(np.arange(ALL) < 540, 0, 20)
    yaws[-6:] = -40
    landmarks = np.stack([_turned(yaw) for yaw in yaws])
    odds = face_probabilities(crops, 1.0, sampling="yaw", landmarks=landmarks)
    for yaw in (0, 20, -40):
        assert odds[yaws == yaw].sum() == pytest.approx(1 / 3)
        assert np.ptp(odds[yaws == yaw]) == 0


def test_unknown_yaw_is_a_kind_of_its_own(crops):
    landmarks = np.stack([_turned(0)] * ALL)
    landmarks[:60] = np.nan
    odds = face_probabilities(crops, 1.0, sampling="yaw", landmarks=landmarks)
    assert odds[:60].sum() == pytest.approx(0.5)


def test_yaw_needs_landmarks(crops):
    with pytest.raises(SettingsError, match="needs landmarks: .* got plain pictures; extract"):
        face_probabilities(crops, 0.5, sampling="yaw")


def _people_talking(open_mouths, bright_corners):
    """Faces of noise whose mouth or background differs in some."""
    rng = np.random.default_rng(2)
    faces = rng.normal(120, 3, (200, 64, 64, 3))
    left, right = template(64)[3:].astype(int)
    faces[open_mouths, left[1] - 3 : left[1] + 5, left[0] : right[0]] -= 80
    faces[bright_corners, :16] += 100
    return np.clip(faces, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("known", [True, False])
def test_even_over_expression(known):
    talking = _people_talking([50, 60], [])
    landmarks = np.tile(template(64).astype(np.float32), (200, 1, 1)) if known else None
    odds = face_probabilities(talking, 0.5, sampling="expression", landmarks=landmarks)
    assert odds[[50, 60]].min() > 2 / 200
    elsewhere = _people_talking([], [50, 60])
    odds = face_probabilities(elsewhere, 0.5, sampling="expression", landmarks=landmarks)
    assert face_probabilities(elsewhere, 0.5)[[50, 60]].sum() > 2 * odds[[50, 60]].sum(), "the background is none"


def test_the_mouth_is_found_by_its_landmarks():
    talking = _people_talking([50, 60], [])
    moved = np.roll(talking, (0, 9), axis=(1, 2))
    landmarks = np.tile(template(64).astype(np.float32), (200, 1, 1))
    there, here = (
        face_probabilities(faces, 0.5, sampling="expression", landmarks=landmarks + np.float32([shift, 0]))
        for faces, shift in ((moved, 9), (talking, 0))
    )
    np.testing.assert_allclose(there, here, rtol=1e-6)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_what_is_not_drawn_has_no_odds_and_no_weight(crops, balance):
    drawn = np.arange(ALL) % 3 > 0
    odds = face_probabilities(crops, balance, drawn=drawn)
    assert odds.sum() == pytest.approx(1.0)
    assert not odds[~drawn].any()
    assert odds[drawn].min() > 0
