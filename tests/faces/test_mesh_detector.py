"""Tests of faceswap_gan.faces.mesh_detector."""

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.mesh import MeshLandmarker
from faceswap_gan.faces.mesh_detector import MeshDetector, build_anchors
from faceswap_gan.media.images import read_image


@pytest.fixture(scope="module")
def detector(bundle):
    return MeshDetector(bundle)


def test_anchors_are_896_middles_of_two_grids():
    anchors = build_anchors()
    assert anchors.shape == (896, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2, 32]] * 32, [[1, 1], [1, 1], [3, 1], [1, 3]])
    np.testing.assert_allclose(anchors[[512, 517, 518, -1]] * 16, [[1, 1], [1, 1], [3, 1], [15, 15]])


def test_boxes_and_points_are_near_mtcnns(facedata, detector):
    image = read_image(facedata / "images" / "obama-720p.jpg")
    (mine,) = detector.detect(image)
    (other,) = FaceDetector().detect([image])[0]
    eyes = np.linalg.norm(other.landmarks[1] - other.landmarks[0])
    assert np.linalg.norm(mine.landmarks - other.landmarks, axis=1).max() < 0.25 * eyes
    assert np.abs(mine.box - other.box).max() < 0.4 * eyes
    assert 0.5 < mine.score <= 1


@pytest.mark.parametrize("name", ["img_surgical_mask.png", "img_rotated_90.jpg", "img_profile_right.png"])
def test_finds_what_mtcnn_misses_well_enough_for_the_mesh(facedata, detector, bundle, name):
    image = read_image(facedata / "hard" / name)
    face = detector.detect(image)[0]
    found = MeshLandmarker(bundle).find(image, face)
    assert found.score > 0.9
    assert np.linalg.norm(found.five - face.landmarks, axis=1).mean() < 0.4 * found.unit


def test_many_faces_best_first_and_none_where_there_is_none(facedata, detector):
    faces = detector.detect(read_image(facedata / "hard" / "img_many_faces_group.jpg"))
    assert len(faces) >= 3
    assert all(a.score >= b.score for a, b in zip(faces, faces[1:], strict=False))
    assert detector.detect(read_image(facedata / "hard" / "img_no_face_grass.jpg")) == []
    assert detector.detect(np.zeros((1, 7, 3), np.uint8)) == []


def test_a_threshold_out_of_range_is_refused(bundle):
    with pytest.raises(SettingsError, match="threshold"):
        MeshDetector(bundle, threshold=2)
