"""Whom each model paints: flags to pairs, pairs to tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faceswap_gan.conversion import casting
from faceswap_gan.conversion.casting import Pair, cast_people, read_pairs
from faceswap_gan.conversion.settings import PeopleSettings
from faceswap_gan.errors import MediaError, NoFaceError, SettingsError
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.scan import FaceScan, SeenFrame
from faceswap_gan.faces.tracker import TrackedFace

MODEL = Path("model")


def _face(x, width):
    box = np.float32([x, 0, x + width, width])
    return Face(box, np.float32([[x + 1, 1]] * 5), 0.99)


@pytest.fixture
def scan():
    """Track 0, large, and track 1, small, in ten frames; track 2 after a cut in ten more."""
    first = (TrackedFace(_face(0, 60), 0), TrackedFace(_face(80, 40), 1))
    second = (TrackedFace(_face(0, 50), 2),)
    return FaceScan(tuple(SeenFrame(i, i, i / 25, i // 10, first if i < 10 else second) for i in range(20)))


@pytest.fixture
def looks(monkeypatch):
    """Embeddings by track; pictures are named after whom they show: ann is track 0's and 2's, bob track 1's."""
    ann, bob, eve = np.eye(3, dtype=np.float32)
    tracks = {0: ann, 1: bob, 2: ann}
    monkeypatch.setattr(casting, "open_recognizer", lambda path, *, weights_dir: None)
    monkeypatch.setattr(casting, "FaceDetector", lambda: None)
    monkeypatch.setattr(casting, "embed_picture", lambda path, *_: {"ann": ann, "bob": bob, "eve": eve}[path.stem])
    monkeypatch.setattr(casting, "embed_tracks", lambda frames, *_: tracks)


def _cast(scan, *pairs, **people):
    found = cast_people(scan, pairs, PeopleSettings(**people), lambda: iter(()), None)
    return [{track for places in one.values() for track in places if track is not None} for one in found]


def test_one_model_paints_the_largest_all_or_chosen_tracks(scan):
    assert _cast(scan, Pair(MODEL)) == [{0, 2}]
    assert _cast(scan, Pair(MODEL), who="all") == [{0, 1, 2}]
    assert _cast(scan, Pair(MODEL), max_faces=2) == [{0, 1, 2}]
    assert _cast(scan, Pair(MODEL), track=(1,)) == [{1}]


def test_pairs_by_number_and_by_picture(scan, looks):
    assert _cast(scan, Pair(MODEL, 1), Pair(MODEL, 0)) == [{1}, {0}]
    assert _cast(scan, Pair(MODEL, Path("bob.jpg")), Pair(MODEL, Path("ann.jpg"))) == [{1}, {0, 2}]
    assert _cast(scan, Pair(MODEL, 0), Pair(MODEL, Path("ann.jpg"))) == [{0}, {2}]


def test_somebody_who_is_not_there_is_a_clear_error(scan, looks):
    with pytest.raises(NoFaceError, match=r"eve.jpg.*closest: 0.00"):
        _cast(scan, Pair(MODEL, Path("ann.jpg")), Pair(MODEL, Path("eve.jpg")))
    with pytest.raises(SettingsError, match="7"):
        _cast(scan, Pair(MODEL, 7))
    with pytest.raises(SettingsError, match="track 1 in several"):
        _cast(scan, Pair(MODEL, 1), Pair(MODEL, 1))
    with pytest.raises(NoFaceError, match="none in 2 frames"):
        _cast(FaceScan(tuple(SeenFrame(i, i, 0.0, 0) for i in range(2))), Pair(MODEL))


def test_a_number_of_what_flickers_up_is_refused(scan):
    frames = list(scan.frames)
    frames[4] = replace(frames[4], faces=(*frames[4].faces, TrackedFace(_face(150, 30), 4)))
    for pair, people in ((Pair(MODEL), {"track": (4,)}), (Pair(MODEL, 4), {})):
        with pytest.raises(SettingsError, match="one of 0, 2, 1, got 4"):
            _cast(FaceScan(tuple(frames)), pair, **people)


@pytest.mark.parametrize("people", [{}, {"who": "all"}, {"max_faces": 3}], ids=str)
def test_a_video_of_a_single_spurious_detection_has_nobody_to_paint(people):
    faces = {7: (TrackedFace(_face(0, 60), 0),)}
    scan = FaceScan(tuple(SeenFrame(i, i, i / 25, 0, faces.get(i, ())) for i in range(20)))
    with pytest.raises(NoFaceError, match="somebody to paint .* for a moment only"):
        _cast(scan, Pair(MODEL), **people)


def test_flags_to_pairs(monkeypatch):
    checked = []
    monkeypatch.setattr(casting, "check_reference", lambda picture, **_: checked.append(picture))
    assert read_pairs(MODEL, PeopleSettings()) == (Pair(MODEL),)
    given = ("a=b/ann.jpg=models/1", "12=models/2")
    assert read_pairs(None, PeopleSettings(pair=given)) == (
        Pair(Path("models/1"), Path("a=b/ann.jpg")),
        Pair(Path("models/2"), 12),
    )
    assert checked == [None, Path("a=b/ann.jpg")]


def test_a_missing_picture_is_an_error_before_the_scan(tmp_path):
    for people in (PeopleSettings(reference=tmp_path / "a.jpg"), PeopleSettings(pair=(f"{tmp_path / 'a.jpg'}=m",))):
        with pytest.raises(MediaError, match="a.jpg"):
            read_pairs(None if people.pair else MODEL, people)


@pytest.mark.parametrize(
    ("model", "people", "words"),
    [
        (None, {}, "--model, or --pair"),
        (MODEL, {"pair": ("0=m",)}, "--model too"),
        (None, {"pair": ("0=m",), "track": (1,)}, "--track too"),
        (None, {"pair": ("0=m",), "reference": Path("a.jpg")}, "--reference too"),
        (None, {"pair": ("0=m",), "who": "all"}, "--who all too"),
        (None, {"pair": ("0=m", "1=n"), "max_faces": 1}, "--max-faces too"),
        (None, {"pair": ("ann.jpg",)}, "PICTURE=MODEL"),
        (None, {"pair": ("=m",)}, "PICTURE=MODEL"),
        (None, {"pair": ("0=",)}, "PICTURE=MODEL"),
        (MODEL, {"max_faces": 0}, "--max-faces of at least 1"),
        (MODEL, {"recognizer": Path("net.onnx")}, "--recognizer beside a picture to compare with, got none"),
        (MODEL, {"recognizer": Path("net.onnx"), "track": (1,)}, "with net.onnx"),
        (None, {"recognizer": Path("net.onnx"), "pair": ("0=m", "1=n")}, "--pair PICTURE=MODEL"),
    ],
)
def test_contradicting_flags_are_clear_errors(model, people, words):
    with pytest.raises(SettingsError, match=words):
        read_pairs(model, PeopleSettings(**people))
