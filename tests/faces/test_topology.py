"""Tests of faceswap_gan.faces.topology."""

import zipfile

import numpy as np
import pytest

from faceswap_gan.errors import WeightsError
from faceswap_gan.faces import topology
from faceswap_gan.faces.topology import read_topology

CONTOURS = ("FACE_OVAL", "LIPS_OUTER", "LIPS_INNER", "LEFT_EYE", "RIGHT_EYE", "LEFT_BROW", "RIGHT_BROW", "NOSE")


@pytest.fixture(scope="module")
def face(bundle):
    return read_topology(bundle)


def _edges(triangles):
    return {tuple(sorted((int(t[i]), int(t[i - 1])))) for t in triangles for i in range(3)}


def test_the_canonical_face(face):
    assert face.vertices.shape == (468, 3)
    assert face.triangles.shape == (898, 3)
    assert face.vertices.dtype == np.float32
    assert face.triangles.dtype == np.int32
    assert sorted(set(face.triangles.ravel().tolist())) == list(range(468))
    # One sheet without holes: Euler's number of a disk, and its rim is the face's oval.
    edges = _edges(face.triangles)
    assert 468 - len(edges) + 898 == 1
    sides = [tuple(sorted((int(t[i]), int(t[i - 1])))) for t in face.triangles for i in range(3)]
    rim = {edge for edge in edges if sides.count(edge) == 1}
    oval = topology.FACE_OVAL
    assert rim == {tuple(sorted(pair)) for pair in zip(oval, (*oval[1:], oval[0]), strict=True)}


@pytest.mark.parametrize("name", CONTOURS)
def test_contours_run_once_around_their_part(face, name):
    indices = getattr(topology, name)
    assert len(set(indices)) == len(indices)
    ring = list(zip(indices, (*indices[1:], indices[0]), strict=True))
    along = sum(tuple(sorted(pair)) in _edges(face.triangles) for pair in ring)
    assert along >= len(ring) - (0 if name != "NOSE" else 8)


def test_left_is_the_pictures_left(face):
    x, y = face.vertices[:, 0], face.vertices[:, 1]
    for left, right in (
        (topology.LEFT_EYE, topology.RIGHT_EYE),
        (topology.LEFT_BROW, topology.RIGHT_BROW),
        (topology.MOUTH_CORNERS[:1], topology.MOUTH_CORNERS[1:]),
        (topology.LEFT_EYE_CORNERS[:1], topology.LEFT_EYE_CORNERS[1:]),
        (topology.RIGHT_EYE_CORNERS[:1], topology.RIGHT_EYE_CORNERS[1:]),
    ):
        assert x[list(left)].max() < x[list(right)].min()
    upper, lower = topology.MOUTH_LIPS
    assert y[upper] > y[lower]
    for eye in (topology.LEFT_EYE_ASPECT, topology.RIGHT_EYE_ASPECT):
        corner, a, b, other, c, d = eye
        assert x[corner] < x[a] < x[b] < x[other]
        assert x[corner] < x[d] < x[c] < x[other]
        assert min(y[a], y[b]) > max(y[c], y[d])


def test_another_mesh_is_refused(tmp_path):
    path = tmp_path / "other.task"
    for content in (b"", b"\x0a\x05\x1d\x00\x00\x80\x3f", b"\x0f\xff", b"\x0a\x7f"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("geometry_pipeline_metadata_landmarks.binarypb", content)
        with pytest.raises(WeightsError, match="898 triangles"):
            read_topology(path)
