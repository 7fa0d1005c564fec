"""Tests of faceswap_gan.faces.turned: faces that stand upside down."""

import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan.faces import key_search
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.scan import scan_faces
from faceswap_gan.faces.tracker import FaceTracker
from faceswap_gan.faces.turned import is_reversed, look_turned, needs_second_look
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


def upside_down(one, score=0.99):
    points = one.box.reshape(2, 2).sum(axis=0) - one.landmarks
    return Face(one.box, points.astype(np.float32), score)


def test_which_way_up_is_told_by_the_eyes():
    upright = face(50)
    assert is_reversed(upside_down(upright), upright)
    assert is_reversed(upright, upside_down(upright))
    assert not is_reversed(upright, upright)
    profile = upright.landmarks.copy()
    profile[1] = profile[0] - [1, 0]
    assert not is_reversed(Face(upright.box, profile, 0.9), upright)


def test_between_searches_too_a_head_is_the_right_way_up(monkeypatch):
    """Asked about the place of an upside-down head, the detector gives an upright one with a fair score."""
    seen = face(50, score=0.95)
    monkeypatch.setattr(key_search, "look_turned", lambda detector, image, one: upside_down(one))
    scan = scan_faces(frames(40), Scripted([[seen]] * 40))
    for frame in scan.frames:
        (found,) = (each.face for each in frame.faces)
        assert found.landmarks[0, 0] > found.landmarks[1, 0]


def test_what_is_asked_for_in_a_gap_is_not_turned_over(monkeypatch):
    """A search that misses the head leaves a gap, rather than the upright face that is read at its place."""
    monkeypatch.setattr(key_search, "look_turned", lambda detector, image, one: upside_down(one))
    detector = Scripted([[face(50, score=0.95)]] * 40)
    whole = detector.detect
    detector.detect = lambda images, **_: [
        [] if 20 <= detector._number(image) < 24 else faces
        for image, faces in zip(images, whole(images), strict=True)
    ]
    scan = scan_faces(frames(40), detector)
    assert [len(frame.faces) for frame in scan.frames] == [0 if 20 <= i < 24 else 1 for i in range(40)]


def test_a_track_that_is_asked_about_is_not_turned_over():
    one = face(50)
    middle = one.landmarks.mean(axis=0)
    near = Face(one.box, (middle + (one.landmarks - middle) * [1, 0.5]).astype(np.float32), 0.99)
    tracker = FaceTracker()
    for _ in range(4):
        tracker.update([upside_down(near)])
    assert tracker.update([], look=lambda boxes: [near]) == ()
    assert len(tracker.update([], look=lambda boxes: [upside_down(near)])) == 1


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
