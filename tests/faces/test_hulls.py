"""Tests of faceswap_gan.faces.hulls."""

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import align, template
from faceswap_gan.faces.hulls import PARTS, part_mask
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.topology import LEFT_EYE, RIGHT_EYE, read_topology

# The mesh's point for each of the 68: jaw, brows, nose, eyes, lips.
AS_68 = (
    *(127, 234, 132, 58, 172, 150, 149, 148, 152, 377, 378, 379, 397, 288, 361, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
SIZE = 200


def _five(size=SIZE):
    return Landmarks(template(size).astype(np.float32), None, None, 1.0)


@pytest.fixture(scope="module")
def landmarks(bundle):
    """The canonical face drawn into a crop: with 5, 68 and 478 points."""
    points = read_topology(bundle).vertices[:, :2] * [10, -10]
    irises = [np.repeat(points[list(eye)].mean(axis=0)[None], 5, axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    mesh = Landmarks(np.concatenate([points, *irises]).astype(np.float32), None, None, 1.0)
    mesh = mesh.moved(align(mesh.five, size=SIZE))
    return {
        5: Landmarks(mesh.five, None, None, 1.0),
        68: Landmarks(mesh.points[list(AS_68)], None, None, 1.0),
        478: mesh,
    }


def _overlap(a, b):
    return np.minimum(a, b).sum() / np.maximum(a, b).sum()


@pytest.mark.parametrize("count", [5, 68, 478])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_from_every_kind_of_points(landmarks, part, count):
    mask = part_mask(part, landmarks[count], SIZE)
    assert mask.shape == (SIZE, SIZE)
    assert mask.dtype == np.uint8
    assert mask.max() >= 250
    best = part_mask(part, landmarks[478], SIZE).astype(float)
    assert _overlap(mask.astype(float), best) > (0.9 if count == 478 else 0.6 if count == 68 else 0.4)
    share = (mask > 127).mean()
    low, high = {"eyes": (0.02, 0.07), "face": (0.3, 0.6)}.get(part, (0.015, 0.08))
    assert low < share < high


@pytest.mark.parametrize("count", [5, 68, 478])
def test_parts_lie_where_they_belong(landmarks, count):
    five = landmarks[478].five
    y, x = np.mgrid[:SIZE, :SIZE]
    masks = {part: part_mask(part, landmarks[count], SIZE).astype(float) for part in PARTS}
    centre = {part: np.asarray([(x * m).sum(), (y * m).sum()]) / m.sum() for part, m in masks.items()}
    unit = landmarks[478].unit
    assert np.linalg.norm(centre["eyes"] - five[:2].mean(axis=0)) < 0.1 * unit
    assert np.linalg.norm(centre["mouth"] - five[3:].mean(axis=0)) < 0.25 * unit
    assert centre["eyebrows"][1] < centre["eyes"][1] < centre["nose"][1] < centre["mouth"][1]
    for part in PARTS[:-1]:
        assert np.maximum(masks[part] - masks["face"], 0).sum() < 0.05 * masks[part].sum(), part


def test_masks_scale_and_turn_with_the_face():
    small, large = part_mask("eyes", _five(100), 100) / 255, part_mask("eyes", _five(400), 400) / 255
    assert small.mean() == pytest.approx(large.mean(), rel=0.05)
    turned = Landmarks(_five().points[:, ::-1].copy(), None, None, 1.0)  # mirrored along the diagonal
    np.testing.assert_allclose(
        part_mask("mouth", turned, SIZE).astype(int), part_mask("mouth", _five(), SIZE).T.astype(int), atol=8
    )


def test_dilate_and_blur_are_in_units_of_the_face():
    unit = _five().unit
    plain = part_mask("mouth", _five(), SIZE, dilate=0, blur=0)
    assert set(np.unique(plain[plain.any(axis=1)][:, 0])) <= {0}
    wide = part_mask("mouth", _five(), SIZE, dilate=0.2, blur=0)
    narrow = part_mask("mouth", _five(), SIZE, dilate=-0.1, blur=0)
    heights = [np.count_nonzero(mask.max(axis=1) > 127) for mask in (narrow, plain, wide)]
    assert heights[2] - heights[1] == pytest.approx(0.4 * unit, abs=2)
    assert heights[1] - heights[0] == pytest.approx(0.2 * unit, abs=2)
    soft = part_mask("mouth", _five(), SIZE, dilate=0, blur=0.1)
    assert ((soft > 0) & (soft < 255)).sum() > 3 * ((plain > 0) & (plain < 255)).sum()
    assert soft.sum() == pytest.approx(plain.sum(), rel=0.05)


def test_outside_the_picture_and_at_its_edge():
    far = Landmarks(_five().points - 1000, None, None, 1.0)
    assert all(part_mask(part, far, SIZE).max() == 0 for part in PARTS)
    near = Landmarks(_five().points - np.asarray([90, 0], np.float32), None, None, 1.0)
    assert part_mask("mouth", near, SIZE).max() == 255
    flat = Landmarks(np.zeros((5, 2), np.float32), None, None, 1.0)
    assert part_mask("eyes", flat, SIZE).shape == (SIZE, SIZE)


def test_what_is_refused():
    with pytest.raises(SettingsError, match="'ears'"):
        part_mask("ears", _five(), SIZE)
    with pytest.raises(SettingsError, match="blur"):
        part_mask("eyes", _five(), SIZE, blur=-1)
    with pytest.raises(SettingsError, match="Received: 4"):
        part_mask("eyes", Landmarks(np.zeros((4, 2), np.float32), None, None, 1.0), SIZE)
