"""Tests of faceswap_gan.faces.alignment."""

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import EYE_CENTRE, EYE_DISTANCE, Alignment, align, template, umeyama
from faceswap_gan.faces.detector import Face


def similarity(scale, degrees, shift):
    angle = np.deg2rad(degrees)
    linear = scale * np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([linear, np.asarray(shift, float)[:, None]], axis=1)


def test_template_has_its_eyes_where_promised():
    points = template(256)
    centre = points[:2].mean(axis=0)
    np.testing.assert_allclose((centre + 0.5) / 256, EYE_CENTRE)
    np.testing.assert_allclose(np.linalg.norm(points[1] - points[0]), EYE_DISTANCE * 256)


@pytest.mark.parametrize("degrees", [0, 30, -100, 179])
def test_umeyama_recovers_a_similarity(degrees):
    rng = np.random.default_rng(0)
    points, matrix = rng.normal(size=(5, 2)) * 50, similarity(0.7, degrees, (3, -9))
    np.testing.assert_allclose(umeyama(points, points @ matrix[:, :2].T + matrix[:, 2]), matrix, atol=1e-9)


def test_umeyama_never_mirrors():
    points = template(100)
    mirrored = points * [-1, 1]
    assert np.linalg.det(umeyama(points, mirrored)[:, :2]) > 0


def test_align_brings_points_home():
    matrix = similarity(2.5, 20, (300, 200))
    landmarks = template(112) @ matrix[:, :2].T + matrix[:, 2]
    alignment = align(landmarks, size=256)
    np.testing.assert_allclose(alignment.points(landmarks), template(256), atol=1e-6)
    back = alignment.points(landmarks) @ alignment.inverse[:, :2].T + alignment.inverse[:, 2]
    np.testing.assert_allclose(back, landmarks, atol=1e-9)


def test_a_face_in_the_crop_keeps_its_proportions():
    matrix = similarity(0.5, 45, (10, -20))
    face = Face(np.float32([100, 60, 200, 180]), np.float32(template(80) + 100), 0.7)
    moved = Alignment(matrix, 128).face(face)
    np.testing.assert_allclose(moved.box[2:] - moved.box[:2], [50, 60], rtol=1e-5)
    middle = matrix @ [150, 120, 1]
    np.testing.assert_allclose((moved.box[:2] + moved.box[2:]) / 2, middle, rtol=1e-5)
    np.testing.assert_allclose(moved.landmarks, Alignment(matrix, 128).points(face.landmarks), rtol=1e-5)
    assert moved.box.dtype == moved.landmarks.dtype == np.float32
    assert moved.score == 0.7


def test_align_refuses_points_without_extent():
    with pytest.raises(SettingsError):
        align(np.ones((5, 2)))
    with pytest.raises(SettingsError):
        align(template(64), size=0)


def test_resized_describes_the_same_square():
    alignment = Alignment(similarity(0.8, 33, (5, 6)), 256)
    other = alignment.resized(64)
    np.testing.assert_allclose(other.corners(), alignment.corners(), atol=1e-9)
    np.testing.assert_allclose(other.resized(256).matrix, alignment.matrix, atol=1e-12)


def test_crop_of_a_large_face_is_antialiased():
    image = np.zeros((512, 512, 3), np.uint8)
    image[::2] = 255  # every second row: a bilinear warp that skips rows would give black or white
    crop = Alignment(similarity(0.25, 0, (0, 0)), 128).crop(image)
    assert abs(int(crop[10:-10].mean()) - 127) < 3


@pytest.mark.parametrize("scale", [0.2, 1.3])
def test_a_crop_is_not_shifted(scale):
    y, x = np.mgrid[:512, :512]
    image = np.repeat((x // 3 + y // 6)[..., None], 3, axis=2).astype(np.uint8)
    alignment = Alignment(similarity(scale, 8, (3, 4)), 96)
    points = alignment.inverse[:, :2] @ np.asarray([48, 48]) + alignment.inverse[:, 2]
    assert int(alignment.crop(image)[48, 48, 0]) == pytest.approx(points[0] / 3 + points[1] / 6, abs=1)
