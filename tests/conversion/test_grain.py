"""Grain and sharpness: known noise is found and added, known blur undone or done."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.grain import match_grain, measure_bands

SHAPE = (200, 240)
INSIDE = np.ones(SHAPE, np.float32)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def _smooth(rng):
    """Something to look at that has no noise: soft shapes."""
    blobs = cv2.GaussianBlur(rng.normal(0, 1, SHAPE).astype(np.float32), (0, 0), 12)
    return 120 + 400 * blobs


def _noise(rng, sigma=0.0):
    noise = rng.normal(0, 1, SHAPE).astype(np.float32)
    if sigma:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return noise / noise.std()


def _match(below, painted, **where):
    return painted + match_grain(painted, measure_bands(below, painted, INSIDE), **{"frame": 3, "track": 0, **where})


def _deviations(image, face):
    """Noise of the two bands that get any."""
    return measure_bands(image, face, INSIDE)[:2, 0, 0]


@pytest.mark.parametrize("level", [2.0, 6.0])
@pytest.mark.parametrize("sigma", [0.0, 0.9])
def test_noise_of_the_frames_strength_and_spectrum_is_added(rng, level, sigma):
    face = _smooth(rng)
    below = face + level * _noise(rng, sigma)
    result = _match(below, face)
    assert _deviations(result, face) == pytest.approx(_deviations(below, face), rel=0.3)
    assert np.corrcoef((result - face).ravel(), (below - face).ravel())[0, 1] < 0.1  # its own, not the frame's


def test_a_clean_frame_adds_nothing_and_enough_noise_gets_no_more(rng):
    face = _smooth(rng)
    assert np.abs(_match(face, face) - face).max() < 0.1
    noisy = face + 4 * _noise(rng)
    assert (_match(face + 4 * _noise(rng), noisy) - face).std() < 1.15 * (noisy - face).std()


def test_a_soft_face_is_sharpened_and_a_sharp_one_softened(rng):
    squares = np.kron(rng.uniform(60, 180, (5, 6)), np.ones((40, 40))).astype(np.float32)
    sharp, soft = (cv2.GaussianBlur(squares, (0, 0), sigma) for sigma in (0.7, 1.4))
    before = np.abs(cv2.Laplacian(soft, cv2.CV_32F)).mean(), np.abs(cv2.Laplacian(sharp, cv2.CV_32F)).mean()
    sharpened, softened = (
        np.abs(cv2.Laplacian(_match(*pair), cv2.CV_32F)).mean() for pair in ((sharp, soft), (soft, sharp))
    )
    assert 1.2 * before[0] < sharpened <= 1.1 * before[1]
    assert before[0] * 0.9 <= softened < 0.8 * before[1]


def test_every_frame_has_its_own_noise_and_has_it_again(rng):
    face = _smooth(rng)
    below = face + 5 * _noise(rng)
    first, again, other, person = (_match(below, face, **w) for w in ({}, {}, {"frame": 4}, {"track": 1}))
    assert np.array_equal(first, again)
    for different in (other, person):
        assert np.corrcoef((first - face).ravel(), (different - face).ravel())[0, 1] < 0.1


def test_faces_beyond_the_tile_and_hardly_painted_ones():
    wide = np.full((30, 1500), 100, np.float32)
    measured = np.ones((3, 2, 2), np.float32)
    measured[:, 0, 0] = 5
    assert np.isfinite(match_grain(wide, measured, frame=1, track=-1)).all()
    nothing = measure_bands(wide, wide, np.zeros_like(wide))
    assert np.abs(match_grain(wide, nothing, frame=1, track=0)).max() == 0
