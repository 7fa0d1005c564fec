"""Looks of faces, and the nearest by them."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.neighbours import expression, mean_features, nearest
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.landmarks import Landmarks


def _mouth(width, height, *, level=120):
    image = np.full((128, 128, 3), level, np.uint8)
    cv2.ellipse(image, (64, 90), (width, height), 0, 0, 360, (60, 30, 30), -1)
    return image


def test_features_have_length_one_and_no_sense_of_contrast():
    look = mean_features(_mouth(20, 8))
    assert look.shape == (512,)
    np.testing.assert_allclose(np.linalg.norm(look), 1, rtol=1e-5)
    dim = (_mouth(20, 8).astype(float) * 0.5 + 20).astype(np.uint8)
    assert np.linalg.norm(mean_features(dim) - look) < 0.1
    assert not mean_features(np.full((64, 64, 3), 9, np.uint8)).any()


def test_edges_beside_the_face_count_for_nothing():
    plain = mean_features(_mouth(20, 8))
    marked = _mouth(20, 8)
    marked[:, :6] = 255
    np.testing.assert_allclose(mean_features(marked), plain, atol=0.02)


def test_an_open_mouth_finds_an_open_mouth():
    closed, half, wide = (_mouth(20, h) for h in (3, 9, 18))
    looks = np.stack([mean_features(each) for each in (closed, half, wide)])
    query = mean_features(_mouth(21, 17, level=160))[None]
    assert nearest(query, looks, 3).tolist() == [[2, 1, 0]]


def test_nearest_is_brute_force():
    rng = np.random.default_rng(1)
    queries, references = (rng.normal(size=(n, 7)).astype(np.float32) for n in (5, 9))
    want = np.argsort(np.linalg.norm(queries[:, None] - references[None], axis=2), axis=1)[:, :4]
    np.testing.assert_array_equal(nearest(queries, references, 4), want)


def test_memory_grows_with_the_faces_not_with_their_pairs():
    rng = np.random.default_rng(2)
    queries, references = (rng.normal(size=(1500, 6)).astype(np.float32) for _ in range(2))
    tracemalloc.start()
    found = nearest(queries, references, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1500 * 1500 * 8  # bytes of one distance for each pair
    for i in (0, 255, 256, 700, 1499):
        apart = np.linalg.norm((queries[i] - references).astype(np.float64), axis=1)
        assert found[i].tolist() == np.argsort(apart)[:3].tolist()


@pytest.mark.parametrize("count", [0, 3])
def test_neighbours_are_as_many_as_there_are(count):
    with pytest.raises(SettingsError, match="--neighbours between 1 and 2"):
        nearest(np.zeros((1, 2), np.float32), np.zeros((2, 2), np.float32), count)


def test_expression_holds_blendshapes_and_pose():
    blend = np.linspace(0, 1, 52, dtype=np.float32)
    landmarks = Landmarks(np.zeros((478, 2), np.float32), None, blend, 1.0)
    look = expression(landmarks, template(100), 100)
    np.testing.assert_array_equal(look[:52], blend)
    np.testing.assert_allclose(look[52:], 0, atol=1e-6)
    turned = template(100) + [[0, 0], [0, 0], [6, 0], [0, 0], [0, 0]]
    assert expression(landmarks, turned, 100)[56] > 0.3
    with pytest.raises(SettingsError, match="--landmarks mesh"):
        expression(Landmarks(landmarks.points, None, None, 1.0), template(100), 100)
