"""Stand-ins for the networks that judge a swap, and how an evaluation is run and read."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np

from faceswap_gan import evaluate
from faceswap_gan.faces.alignment import ARCFACE, umeyama
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.topology import (
    FACE_OVAL,
    LEFT_EYE_ASPECT,
    LEFT_IRIS,
    MOUTH_LIPS,
    RIGHT_EYE_ASPECT,
    RIGHT_IRIS,
)


def _template() -> np.ndarray:
    """A mesh in the place of ArcFace's five points."""
    points = np.random.default_rng(0).uniform(30, 90, (478, 2))
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL)] = np.stack([56 + 45 * np.sin(angle), 66 - 55 * np.cos(angle)], axis=1)
    for six, iris, x in ((LEFT_EYE_ASPECT, LEFT_IRIS, 38), (RIGHT_EYE_ASPECT, RIGHT_IRIS, 74)):
        points[list(six)] = [(x - 9, 52), (x - 3, 49), (x + 3, 49), (x + 9, 52), (x + 3, 55), (x - 3, 55)]
        points[iris[0]] = (x, 52)
    points[list(MOUTH_LIPS)] = [(56, 90), (56, 94)]
    return points


class FakeMesh:
    """Lays a fixed mesh over the detector's five points; the lips part as the mouth is dark."""

    name = "mesh"

    def __init__(self, bundle, threads=1):
        pass

    def find(self, image, face, *, blendshapes=True):
        matrix = umeyama(ARCFACE, face.landmarks.astype(np.float64))
        mesh = _template()
        x, y = (matrix @ [56, 92, 1]).astype(int)
        dark = 255 - float(image[y - 3 : y + 4, x - 3 : x + 4].mean()) if image.size else 0
        mesh[MOUTH_LIPS[1], 1] += dark / 30
        points = mesh @ matrix[:, :2].T + matrix[:, 2]
        return Landmarks(points.astype(np.float32), np.zeros(478, np.float32), np.full(52, 0.1, np.float32), 1.0)

    def follow(self, image, previous, *, blendshapes=True):
        return Landmarks(previous.points, previous.depth, previous.blendshapes, 0.0)  # lost: find is called again


class FakeRecognizer:
    """Tells the two drawn people apart by the colours of their faces."""

    def __init__(self, path):
        self.path, self.sha256 = path, "0" * 64

    def embed(self, crop):
        inner = cv2.resize(crop[30:90, 25:90], (4, 4), interpolation=cv2.INTER_AREA).astype(np.float32).ravel() - 110
        return inner / np.linalg.norm(inner)


def stand_in(monkeypatch):
    """Need no pretrained file, and make no mesh swap."""
    head = SimpleNamespace(vertices=np.random.default_rng(1).normal(size=(468, 3)).astype(np.float32))
    monkeypatch.setattr("faceswap_gan.media.weights.find_weights", lambda name, *, folder=None: folder)
    monkeypatch.setattr("faceswap_gan.faces.mesh.MeshLandmarker", FakeMesh)
    monkeypatch.setattr("faceswap_gan.faces.mesh.read_topology", lambda bundle: head)
    monkeypatch.setattr("faceswap_gan.faces.recognizer.Recognizer", FakeRecognizer)
    monkeypatch.setattr("faceswap_gan.conversion.anchors.make_source", lambda *arguments: None)
    monkeypatch.setattr("faceswap_gan.conversion.anchors.mesh_swap_blocks", lambda frames, *rest: iter(()))


def measure(tmp_path, pair, swapped, **settings):
    """Evaluate and return what the JSON says."""
    page = tmp_path / "report.html"
    evaluate.run(swapped, pair["src"], pair["dst"], recognizer=tmp_path / "net.onnx", report=page, **settings)
    assert page.read_text().startswith("<!doctype html>")
    return json.loads(page.with_suffix(".json").read_text())


def value(result, method, metric):
    return result["methods"][method]["scores"][metric]["value"]


ERRORS = (
    *("landmarks_eyes", "landmarks_mouth", "landmarks_contour", "eye_offset", "gaze", "pose"),
    *("expression", "flicker", "outside", "colour", "failures"),
)
RATIOS = ("jitter", "boundary", "sharpness", "blinks", "mouth_correlation")
