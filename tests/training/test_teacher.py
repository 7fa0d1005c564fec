"""Whether a model has a teacher."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import read_people, tiny_settings

from faceswap_gan.config import PRESETS
from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.training import teacher
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
