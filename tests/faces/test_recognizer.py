"""The recogniser on people whose likeness is known."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from faceswap_gan.errors import ModelError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.recognizer import Recognizer, recognition_crop
from faceswap_gan.media.images import read_image


def test_known_pairs(facedata):
    recognizer = Recognizer(facedata / "weights" / "face_embed_mobileface_v2_112.onnx")
    people = facedata / "identities"
    with (people / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    same, different = ([row for row in rows if row["same"] == kind][::60][:5] for kind in "10")
    detector = FaceDetector(min_size=60)

    def embed(name):
        image = read_image(people / name)
        (faces,) = detector.detect([image])
        best = max(faces, key=lambda face: face.width)
        return recognizer.embed(recognition_crop(image, best.landmarks))

    for row in same + different:
        first, second = (embed(row[key]) for key in ("file_a", "file_b"))
        assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
        assert float(first @ second) == pytest.approx(float(row["cos_mobileface_v2"]), abs=0.08)


def test_no_network_is_an_error(tmp_path):
    broken = tmp_path / "net.onnx"
    broken.write_bytes(b"no network")
    for path in (broken, tmp_path / "missing.onnx"):
        with pytest.raises(ModelError, match="expected a recogniser"):
            Recognizer(path)
