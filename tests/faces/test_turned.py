"""Tests of faceswap_gan.faces.turned: faces that stand upside down."""

import numpy as np
import pytest

from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.turned import look_turned, needs_second_look
from faceswap_gan.media.images import read_image


class Sees:
    """A detector that sees one face, with a score, where it is told."""

    def __init__(self, score):
        self.score = score

    def detect(self, images, *, min_size=None):
        # Half the cut-out's side, a little below its middle and left of it.
        box = np.asarray([40.0, 52, 130, 148], np.float32)
        points = np.asarray([[60, 80], [100, 80], [80, 100], [65, 120], [95, 120]], np.float32)
        return [[Face(box, points, self.score)]]

    def refine(self, images, boxes):
        return [faces[0] for faces in self.detect(images)]


def doubtful(score=0.7):
    return Face(np.asarray([100.0, 100, 200, 200], np.float32), np.zeros((5, 2), np.float32), score)


def test_a_surer_face_is_turned_back():
    image = np.zeros((400, 400, 3), np.uint8)
    face = look_turned(Sees(0.99), image, doubtful())
    assert face.score == 0.99
    # What lies left and above in the turned picture lies right and below in the frame.
    scale = 192 / 200
    assert face.landmarks[0] == pytest.approx(150 - (np.asarray([60, 80]) - 95.5) / scale, abs=0.01)
    assert face.landmarks[0, 0] > face.landmarks[1, 0]
    assert (face.box[:2] < face.box[2:]).all()


def test_one_that_is_no_surer_is_left():
    image = np.zeros((400, 400, 3), np.uint8)
    assert look_turned(Sees(0.9), image, doubtful()) is None
    assert look_turned(Sees(0.98), image, doubtful(0.96)) is None
    assert needs_second_look(doubtful())
    assert not needs_second_look(doubtful(0.99))


def test_a_photo_upside_down(facedata):
    """The points are those of the upright photo, turned."""
    detector = FaceDetector()
    image = read_image(facedata / "hard" / "img_rotated_180.jpg")
    upright = np.ascontiguousarray(image[::-1, ::-1])
    wanted = detector.refine([upright], detector.detect([upright])[0][0].box[None])[0]
    wrong = detector.refine([image], detector.detect([image])[0][0].box[None])[0]
    found = look_turned(detector, image, wrong)
    back = np.asarray(image.shape[1::-1]) - 1 - found.landmarks
    assert np.abs(back - wanted.landmarks).max() < 0.05 * wanted.width
    assert look_turned(detector, upright, wanted) is None
