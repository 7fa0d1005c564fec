"""Tests of faceswap_gan.faces.search."""

from itertools import islice

import numpy as np

from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.landmarks import MtcnnLandmarks
from faceswap_gan.faces.mesh import MeshLandmarker
from faceswap_gan.faces.mesh_detector import MeshDetector
from faceswap_gan.faces.search import FaceSearch
from faceswap_gan.media.images import read_image
from faceswap_gan.media.video import read_frames

BLANK = np.full((64, 64, 3), 128, np.uint8)


def test_the_largest_face_is_taken_not_the_surest(monkeypatch):
    sure, large = (
        Face(np.float32([0, 0, side, 50]), template(64).astype(np.float32), score)
        for side, score in ((30, 0.99), (40, 0.85))
    )
    monkeypatch.setattr(FaceDetector, "detect", lambda self, images: [[sure, large] for _ in images])
    assert FaceSearch(MtcnnLandmarks()).find(BLANK) is large


def test_the_mesh_looks_where_mtcnn_finds_nothing(facedata, bundle, monkeypatch):
    image = read_image(facedata / "hard" / "img_surgical_mask.png")
    monkeypatch.setattr(FaceDetector, "detect", lambda self, images: [[] for _ in images])
    assert FaceSearch(MtcnnLandmarks(), weights=bundle).find(image) is None
    search = FaceSearch(MeshLandmarker(bundle), weights=bundle)
    assert search.find(image).score > 0.5
    assert search.find(BLANK) is None
    hands = next(islice(read_frames(facedata / "hard" / "real_no_face_hands.mp4"), 20, None)).image
    assert MeshDetector(bundle).detect(hands)
    assert search.find(hands) is None


def test_none_where_there_is_none():
    assert FaceSearch(MtcnnLandmarks()).find(BLANK) is None
