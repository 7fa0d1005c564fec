"""Detail: fine texture passes, the painted person's features and edges of their own stay single."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.detail import detail_weight, finest_detail
from faceswap_gan.faces.alignment import template

SIZE = 128
FIVE = template(SIZE)
SKIN = np.full((SIZE, SIZE, 3), 150, np.float32)


def _at(weight, point):
    return weight[round(point[1]), round(point[0])]


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_features_are_left_out_and_skin_is_not(turn):
    matrix = cv2.getRotationMatrix2D((63.5, 63.5), turn, 1.0)
    points = FIVE @ matrix[:, :2].T + matrix[:, 2]
    weight = detail_weight(SKIN, SKIN, points)
    for point in (*points[:2], points[3:].mean(axis=0)):
        assert _at(weight, point) == 0
    cheek = FIVE[0] * 0.4 + FIVE[3] * 0.6 + [-4, 0]
    forehead = FIVE[:2].mean(axis=0) - [0, 28]
    for point in (cheek, forehead):
        assert _at(weight, matrix[:, :2] @ point + matrix[:, 2]) > 0.95
    assert weight.min() >= 0
    assert weight.max() <= 1


def _line(image, y, strength):
    drawn = image.copy()
    drawn[y : y + 3] -= strength
    return cv2.GaussianBlur(drawn, (0, 0), 1)


def test_an_edge_of_the_painted_face_takes_detail_only_if_the_frame_has_it_too():
    far = np.full((5, 2), [[-500.0, -500.0]])
    far[:, 0] += np.arange(5) * 10
    painted = _line(SKIN, 60, 60)
    same = detail_weight(painted, _line(SKIN, 60, 50), far)
    apart = detail_weight(painted, _line(SKIN, 64, 50), far)
    none = detail_weight(painted, SKIN, far)
    assert same[61, 20:108].mean() > 0.9
    assert apart[61, 20:108].mean() < 0.4
    assert none[61, 20:108].mean() < 0.2
    rim = detail_weight(SKIN, _line(SKIN, 60, 90), far)  # glasses on smooth skin stay
    assert rim.min() > 0.95


def test_finest_detail_passes_texture_and_no_shading():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 4 * np.pi, 240, dtype=np.float32)
    shading = 128 + 60 * np.sin(np.tile(x, (200, 1)))
    assert np.abs(finest_detail(shading, 240)[10:-10, 10:-10]).max() < 1
    texture = rng.normal(0, 8, (200, 240)).astype(np.float32)
    assert finest_detail(shading + texture, 240).std() > 7
    # A face twice as large keeps waves twice as long.
    waves = np.tile(np.sin(np.arange(240, dtype=np.float32) * (2 * np.pi / 16)), (200, 1))
    assert finest_detail(waves, 480).std() > 1.5 * finest_detail(waves, 240).std()
