"""Parts sewn from one face into another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.parts import union_mask
from faceswap_gan.conversion.transplant import transplant
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.landmarks import Landmarks

SIZE = 128


def _face(skin, iris, *, shift=(0, 0), scale=1.0):
    """An even skin with two discs for eyes at the landmarks, and the landmarks."""
    points = (template(SIZE) - SIZE / 2) * scale + SIZE / 2 + shift
    image = np.full((SIZE, SIZE, 3), skin, np.uint8)
    for x, y in points[:2]:
        cv2.circle(image, (round(x), round(y)), round(4 * scale), iris, -1, cv2.LINE_AA)
    return image, Landmarks(points.astype(np.float32), None, None, 1.0)


def test_the_part_arrives_where_it_belongs_in_the_colours_around():
    image, landmarks = _face((180, 140, 120), (60, 40, 30))
    donor, points = _face((90, 70, 60), (10, 10, 160), shift=(7, -5), scale=0.9)
    sewn = transplant(image, landmarks, donor, points, ["eyes"])
    (x, y), _ = np.rint(landmarks.points[:2]).astype(int)
    red, _, blue = sewn.image[y, x].astype(int)
    assert blue - red > 60  # a blue eye
    ring = sewn.image[y - 8, x].astype(int)
    assert np.abs(ring - [180, 140, 120]).max() < 12  # in the receiver's skin


def test_beyond_the_part_nothing_changes():
    rng = np.random.default_rng(0)
    image, donor = (rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(2))
    _, landmarks = _face(0, 0)
    sewn = transplant(image, landmarks, donor, landmarks, ["nose", "mouth"])
    outside = sewn.mask == 0
    np.testing.assert_array_equal(sewn.image[outside], image[outside])
    assert (sewn.image != image).any()
    drawn = union_mask(("nose", "mouth"), landmarks, SIZE)
    np.testing.assert_array_equal(sewn.mask > 0, drawn > 0)


def test_a_donor_of_another_size_fits():
    image, landmarks = _face((180, 140, 120), (60, 40, 30))
    donor, points = _face((180, 140, 120), (60, 40, 30))
    twice = Landmarks((points.points + 0.5) * 2 - 0.5, None, None, 1.0)
    sewn = transplant(image, landmarks, cv2.resize(donor, None, fx=2, fy=2), twice, ["eyes", "mouth"])
    assert np.abs(sewn.image.astype(int) - image).max() < 40
    assert np.abs(sewn.image.astype(int) - image).mean() < 1


@pytest.mark.parametrize("shift", [(0, -58), (-40, 0), (300, 300)])
def test_a_part_at_the_border_or_beyond_does_no_harm(shift):
    image, landmarks = _face((180, 140, 120), (60, 40, 30), shift=shift)
    donor, points = _face((90, 70, 60), (10, 10, 160))
    sewn = transplant(image, landmarks, donor, points, ["eyes", "eyebrows", "nose", "mouth"])
    assert not sewn.mask[:4].any()
    assert not sewn.mask[:, :4].any()
    if shift == (300, 300):
        np.testing.assert_array_equal(sewn.image, image)
        assert not sewn.mask.any()


def test_landmarks_must_be_of_one_known_kind():
    image, landmarks = _face(0, 0)
    other = Landmarks(np.zeros((68, 2), np.float32), None, None, 1.0)
    with pytest.raises(SettingsError, match="got 5 and 68|got 68 and 5"):
        transplant(image, landmarks, image, other, ["eyes"])
