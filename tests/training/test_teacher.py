"""Whether a model has a teacher, and which faces it makes lessons of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import draw_topology, faces_of, head, looks
from tiny import read_people, tiny_settings

from faceswap_gan.config import PRESETS
from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import held_out, lessons, teacher
from faceswap_gan.training.teacher import open_lessons, settle_teacher

FAST = PRESETS["fast"]


@pytest.fixture
def nowhere(monkeypatch):
    """The mesh's weights cannot be had."""

    def fail(name, *, weights=None):
        raise WeightsError("could not download face_landmarker.task")

    monkeypatch.setattr(teacher, "open_landmarks", fail)


@pytest.fixture
def there(monkeypatch):
    """They can."""
    monkeypatch.setattr(teacher, "open_landmarks", lambda name, *, weights=None: object())


def test_fast_has_one_where_it_can_be_had(there):
    assert settle_teacher(FAST, None) == settle_teacher(FAST, "mesh") == FAST
    assert FAST.training.teacher == "mesh"
    assert FAST.losses.lesson > 0


def test_without_it_the_user_is_told(nowhere, caplog):
    settings = settle_teacher(FAST, None)
    assert (settings.training.teacher, settings.losses.lesson) == ("none", 0.0)
    assert settings.losses.look > 0
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "no teacher" in record.message
    assert "could not download" in record.message


def test_one_asked_for_must_be_there(nowhere):
    with pytest.raises(WeightsError, match="could not download"):
        settle_teacher(FAST, "mesh")


def test_it_can_be_left_out(nowhere, caplog):
    assert settle_teacher(FAST, "none").training.teacher == "none"
    assert not caplog.records


def test_classic_presets_have_none():
    assert settle_teacher(PRESETS["classic-64"], None) == PRESETS["classic-64"]
    with pytest.raises(SettingsError, match="--teacher none with preset classic-64, got mesh"):
        settle_teacher(PRESETS["classic-64"], "mesh")


def test_no_teacher_no_lessons(tmp_path):
    assert open_lessons(tiny_settings("fast"), read_people(tmp_path)) is None


def test_pretraining_shows_the_footage_itself(tmp_path, nowhere):
    settings = settle_teacher(FAST, "footage")
    people = read_people(tmp_path)
    for side, lesson in open_lessons(settings, people).items():
        assert np.array_equal(lesson.pictures, people[side].crops)
        assert np.array_equal(lesson.trust, people[side].crop_masks[..., 2:3])


def test_footage_held_out_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 16)
    settings = tiny_settings("fast", training={"teacher": "footage", "held_out": 0.25})
    people = read_people(tmp_path)
    for side, lesson in open_lessons(settings, people).items():
        assert np.array_equal(lesson.pictures, people[side].crops[:12])


@pytest.fixture
def heads(monkeypatch, tmp_path):
    """Two people's 16 drawn heads, whose meshes the teacher finds and needs but eight of."""
    meshes = {side: {i: head(scale=scale, **look) for i, look in enumerate(looks(16))}
              for side, scale in zip(SIDES, (40.0, 34.0), strict=True)}  # fmt: skip
    people = {side: faces_of(meshes[side], side=64) for side in SIDES}
    known = {people[side].faces[i].tobytes(): mesh for side in SIDES for i, mesh in meshes[side].items()}
    file = tmp_path / "face_landmarker.task"

    class Provider:
        def __init__(self, name, *, weights):
            assert (name, weights) == ("mesh", file)

        def find(self, image, face):
            return known[image.tobytes()]

    monkeypatch.setattr(held_out, "FEWEST", 16)
    monkeypatch.setattr(lessons, "FEWEST", 8)
    monkeypatch.setattr(teacher, "find_landmark_weights", lambda name, given: file)
    monkeypatch.setattr(teacher, "open_landmarks", Provider)
    monkeypatch.setattr(teacher, "read_topology", lambda bundle: {file: draw_topology()}[bundle])
    return people


def test_a_mesh_outlines_all_faces_and_teaches_by_those_that_are_trained_on(heads):
    settings = replace(FAST, training=replace(FAST.training, held_out=0.25))
    shown = open_lessons(settings, heads)
    assert set(shown) == set(SIDES)
    for side, lesson in shown.items():
        assert list(lesson.frames) == 2 * list(range(12))
        assert np.array_equal(lesson.footage[:12], heads[side].crops[:12])
        for masks in (heads[side].masks, heads[side].crop_masks):
            assert (masks[..., 2].max(axis=(1, 2)) > 250).all(), "those held out have regions, too"
        assert np.array_equal(lesson.footage_masks[:12], heads[side].crop_masks[:12])
