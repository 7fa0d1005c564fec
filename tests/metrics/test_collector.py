"""Whose measurements a frame gives where a video shows several people."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from judges import FakeMesh
from scripted import Scripted, face, frames

from faceswap_gan.errors import NoFaceError
from faceswap_gan.metrics.collector import check_shown, survey
from faceswap_gan.metrics.pairs import Pair

COUNT = 12
LEFT, RIGHT = face(20), face(200)
FAINT = face(200, width=40, score=0.92)


class FollowingMesh(FakeMesh):
    """Follows where the face was, whoever stands there now."""

    def __init__(self):
        super().__init__(None)
        self.followed = 0

    def follow(self, image, previous, *, blendshapes=True):
        self.followed += 1
        return replace(previous, score=1.0)


def _survey(script, *, footage=None, mesh=None):
    embedder = SimpleNamespace(embed=lambda crop: np.float32([1, 0]))
    tools = SimpleNamespace(
        detector=Scripted(script), mesh=mesh or FakeMesh(None), recognizer=embedder,
        head=np.random.default_rng(1).normal(size=(468, 3)).astype(np.float32),
    )  # fmt: skip
    return survey((Pair(frame, frame.image) for frame in frames(COUNT)), tools, footage=footage)


def _places(measured):
    return measured.landmarks[:, :, 0].mean(axis=1)


def test_another_videos_person_is_who_stands_where_the_footages_does():
    footage = _survey([[LEFT, FAINT]] * COUNT).measured
    assert _places(footage) == pytest.approx(LEFT.landmarks[:, 0].mean(), abs=1)
    pale = replace(LEFT, score=0.91)
    swap = _survey([[pale, face(190, width=90)]] * COUNT, footage=footage).measured
    assert swap.found.all()
    assert _places(swap) == pytest.approx(_places(footage), abs=1)


def test_somebody_elsewhere_is_no_face_of_this_person():
    footage = _survey([[LEFT]] * COUNT).measured
    swap = _survey([[RIGHT]] * COUNT, footage=footage).measured
    assert not swap.found.any()


def test_a_mesh_is_not_followed_onto_another_person():
    mesh = FollowingMesh()
    measured = _survey([[LEFT]] * 6 + [[RIGHT]] * 6, mesh=mesh).measured
    assert mesh.followed > 0
    for row in np.flatnonzero(measured.found):
        assert measured.points[row, :, 0].mean() == pytest.approx(_places(measured)[row], abs=20)


def test_too_little_of_a_person_is_told(tmp_path):
    check_shown(_survey([[LEFT]] * COUNT), tmp_path, least=2)
    nobody = _survey([[]] * COUNT)
    with pytest.raises(NoFaceError, match="a face in at least 2 frames of .*, got none; give a smaller --min-face"):
        check_shown(nobody, tmp_path, least=2)
