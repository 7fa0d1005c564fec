"""Tests of faceswap_gan.faces.detector, on real photos where they are at hand."""

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.boxes import iou
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.media.images import read_image, resize

KEYS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def shrunk(image, longest):
    scale = min(1, longest / max(image.shape[:2]))
    return resize(image, (round(image.shape[1] * scale), round(image.shape[0] * scale)))


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture(scope="module")
def photos(facedata):
    names = ("images/*", "identities/lfw_Tony_Blair/*", "identities/df_Katy_Perry/*", "hard/img_two*")
    images = [read_image(path) for name in names for path in sorted(facedata.glob(name))]
    return [shrunk(image, 400) for image in images]


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="--min-face of at least 12 px, got 5"):
        FaceDetector(min_size=5)
    with pytest.raises(SettingsError):
        FaceDetector(threshold=1.2)


def test_nothing_where_nothing_is(detector):
    images = [np.zeros((100, 120, 3), np.uint8), np.full((30, 30, 3), 128, np.uint8)]
    assert detector.detect(images) == [[], []]
    assert detector.detect([]) == []
    assert detector.refine([], np.empty((0, 4))) == []


def test_agrees_with_the_package(photos):
    """MTCNN's last box depends on which candidate survives.

    The package, shown 60 photos shifted by a few px, agreed with itself to an IoU of 0.95 (median), 0.87
    (5 %) and 0.82 (least), and to 5 % of the width in the worst of the points (95 %).
    """
    package = pytest.importorskip("mtcnn").MTCNN()
    detector = FaceDetector(min_size=20, threshold=0.8)
    overlaps, distances = [], []
    for image in photos:
        ours = detector.detect([image])[0]
        height, width = image.shape[:2]
        for face in package.detect_faces(image, min_face_size=20):
            if face["confidence"] <= 0.9:
                continue
            x, y, w, h = face["box"]
            boxes = np.stack([np.clip(f.box, 0, [width - 1, height - 1] * 2) for f in ours])
            overlap = iou(np.asarray([[x, y, x + w, y + h]], float), boxes)[0]
            best = int(overlap.argmax())
            points = np.asarray([face["keypoints"][key] for key in KEYS])
            overlaps.append(overlap[best])
            distances.append(np.linalg.norm(points - ours[best].landmarks, axis=1).mean() / w)
    assert len(overlaps) >= 20
    assert min(overlaps) > 0.65
    assert np.quantile(overlaps, 0.1) > 0.8
    assert np.median(overlaps) > 0.9
    assert np.median(distances) < 0.02
    assert max(distances) < 0.08


def test_large_least_faces_still_find_faces(facedata):
    """The package finds nothing at 720p from a least face of 30 px on."""
    image = read_image(facedata / "images" / "obama-720p.jpg")
    for min_size in (30, 60, 100):
        faces = FaceDetector(min_size=min_size).detect([image])[0]
        assert len(faces) == 1
        assert faces[0].width == pytest.approx(159, rel=0.1)


def test_a_batch_of_mixed_sizes_equals_one_by_one(detector, photos):
    """The package returns boxes shifted by its padding."""
    together = detector.detect(photos[:6])
    for image, faces in zip(photos[:6], together, strict=True):
        (alone,) = detector.detect([image])
        assert len(alone) == len(faces)
        for a, b in zip(alone, faces, strict=True):
            np.testing.assert_allclose(a.box, b.box, atol=0.05)
            np.testing.assert_allclose(a.landmarks, b.landmarks, atol=0.05)


def test_points_are_in_order(detector, photos):
    for faces in detector.detect(photos[:4]):
        left, right, nose, mouth_left, mouth_right = faces[0].landmarks
        assert left[0] < nose[0] < right[0]
        assert mouth_left[0] < mouth_right[0]
        assert left[1] < nose[1] < mouth_left[1]


def test_refine_steadies_points_and_doubts_what_is_no_face(detector, photos):
    image = photos[0]
    (face,) = detector.detect([image])[0]
    shifts = np.asarray([[dx, dy, dx, dy] for dx, dy in ((0, 0), (6, 0), (-6, 3), (0, -6))])
    faces = detector.refine([image] * 4, face.box + shifts)
    spread = np.std([f.landmarks for f in faces], axis=0).max() / face.width
    assert spread < 0.02
    assert min(f.score for f in faces) > 0.95
    (corner,) = detector.refine([image], np.asarray([[0.0, 0, 80, 80]]))
    assert corner.score < 0.5


@pytest.mark.parametrize("name", ["img_low_res_240p.jpg", "img_eyes_closed.jpeg", "img_motion_blur.jpg"])
def test_hard_photos_are_found(detector, facedata, name):
    assert detector.detect([read_image(facedata / "hard" / name)])[0]


def test_a_search_may_ask_for_smaller_faces_than_the_detectors_own(monkeypatch):
    """A reference picture and a turned cut-out are no frames: --min-face says nothing about them."""
    asked = []

    def look(images, least):
        asked.append(least)
        return [[] for _ in images]

    large = FaceDetector(min_size=200)
    monkeypatch.setattr(large, "_detect", look)
    for least in (None, 40, 300):
        large.detect([np.zeros((100, 100, 3), np.uint8)], min_size=least)
    assert asked == [200, 40, 300]
