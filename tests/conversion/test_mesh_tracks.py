"""Meshes over time: every frame, smooth, without lag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import head
from mesh_fakes import FakeProvider, film, finder_of, frame_of, still

from faceswap_gan.conversion import mesh_tracks
from faceswap_gan.conversion.mesh_tracks import SparseDetector, follow_meshes
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.landmarks import Landmarks


def follow(monkeypatch, look, count):
    monkeypatch.setattr(mesh_tracks, "find_faces", finder_of(look))
    return list(follow_meshes(film(look, count), FakeProvider(look), detector=None))


def jittered(index):
    mesh = head()
    noise = np.random.default_rng(index).normal(0, 0.2, mesh.points.shape).astype(np.float32)
    return replace(mesh, points=mesh.points + noise)


@pytest.mark.parametrize("count", [1, 2, 7, 16, 17, 40])
def test_every_frame_comes_once_with_its_picture(monkeypatch, count):
    seen = follow(monkeypatch, still, count)
    assert [entry.frame.index for entry in seen] == list(range(count))
    assert all(entry.frame.image.shape == (128, 128, 3) for entry in seen)
    assert all(set(entry.meshes) == {3} for entry in seen)
    assert np.abs(seen[-1].meshes[3].points - head().points).max() < 1e-3


def test_jitter_shrinks(monkeypatch):
    points = np.stack([entry.meshes[3].points for entry in follow(monkeypatch, jittered, 48)])
    raw = np.stack([jittered(i).points for i in range(48)])
    solid = [i for i in range(478) if i not in mesh_tracks._QUICK]
    for chosen, least in ((solid, 2.0), (mesh_tracks._QUICK, 1.1)):
        rates = [np.abs(np.diff(x[:, chosen], 2, axis=0)).mean() for x in (raw, points)]
        assert rates[0] > least * rates[1]


def test_motion_has_no_lag_and_a_blink_stays(monkeypatch):
    def look(index):
        return head((40.0 + 1.5 * index, 64.0), lids=0.0 if index in (20, 21, 22) else 0.15)

    seen = follow(monkeypatch, look, 40)
    off = [entry.meshes[3].points.mean(axis=0) - look(i).points.mean(axis=0) for i, entry in enumerate(seen)]
    assert np.abs(off).max() < 0.2
    heights = [np.ptp(entry.meshes[3].points[list(tp.LEFT_EYE), 1]) for entry in seen]
    assert heights[21] < 0.35 * heights[10]


def test_frames_without_a_face_come_empty(monkeypatch):
    seen = follow(monkeypatch, lambda i: None if 10 <= i < 25 else head(), 30)
    assert [bool(entry.meshes) for entry in seen] == [not 10 <= i < 25 for i in range(30)]


def test_a_doubtful_mesh_is_no_face(monkeypatch):
    seen = follow(monkeypatch, lambda i: replace(head(), score=0.2 if i == 3 else 0.9), 6)
    assert [bool(entry.meshes) for entry in seen] == [True, True, True, False, True, True]


def test_other_landmarks_are_refused(monkeypatch):
    five = Landmarks(np.zeros((5, 2), np.float32), None, None, 1.0)
    monkeypatch.setattr(mesh_tracks, "find_faces", finder_of(still))
    with pytest.raises(SettingsError, match="478"):
        list(follow_meshes(film(still, 2), FakeProvider(lambda i: five), detector=None))


def test_landmarks_without_depth_stay_so(monkeypatch):
    seen = follow(monkeypatch, lambda i: replace(head(), depth=None), 3)
    assert seen[1].meshes[3].depth is None


@pytest.fixture
def looked(monkeypatch):
    """Numbers of the frames that the detector under the sparse one looked at; a frame's grey level is its number."""
    seen = []

    def detect(self, images, *, min_size=None):
        seen.extend(int(image[0, 0, 0]) for image in images)
        return [[] if int(image[0, 0, 0]) in range(30, 40) else ["face"] for image in images]

    monkeypatch.setattr(FaceDetector, "__init__", lambda self, **_: None)
    monkeypatch.setattr(FaceDetector, "detect", detect)
    return seen


def grey(level):
    return frame_of(0, np.full((16, 16, 3), level, np.uint8)).image


def test_the_sparse_detector_rests(looked):
    found = SparseDetector(every=8).detect([grey(i) for i in range(24)])
    assert looked == [0, 1, 2, 10, 18]
    assert [i for i, faces in enumerate(found) if faces] == looked


def test_the_sparse_detector_searches_until_it_finds(looked):
    SparseDetector(every=8).detect([grey(i) for i in range(26, 46)])
    assert looked == [26, 27, 28, *range(36, 43)]


def test_the_sparse_detector_sees_cuts(looked):
    flat = [grey(i) for i in range(6)]
    bright = [
        np.where(np.indices((16, 16)).sum(axis=0)[..., None] % 2 > 0, 200 + i, 20).astype(np.uint8) for i in range(6)
    ]
    bright = [np.repeat(np.repeat(b, 8, 0), 8, 1).repeat(3, 2) for b in bright]
    flat = [np.repeat(np.repeat(f, 8, 0), 8, 1) for f in flat]
    SparseDetector(every=8).detect(flat + bright)
    assert looked[:3] == [0, 1, 2]
    assert len(looked) == 6


def test_every_is_positive():
    with pytest.raises(SettingsError, match="every"):
        SparseDetector(every=0)
