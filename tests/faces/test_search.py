"""Tests of faceswap_gan.faces.search."""

import numpy as np

from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.search import FaceSearch

BLANK = np.full((64, 64, 3), 128, np.uint8)


def test_the_largest_face_is_taken_not_the_surest(monkeypatch):
    sure, large = (
        Face(np.float32([0, 0, side, 50]), template(64).astype(np.float32), score)
        for side, score in ((30, 0.99), (40, 0.85))
    )
    monkeypatch.setattr(FaceDetector, "detect", lambda self, images: [[sure, large] for _ in images])
    assert FaceSearch().find(BLANK) is large


def test_none_where_there_is_none():
    assert FaceSearch().find(BLANK) is None
