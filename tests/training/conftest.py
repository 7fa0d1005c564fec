"""Faces, and stand-ins for parts of the loop, that training's tests share."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeClock, FakePreview
from tiny import read_people

from faceswap_gan.media.images import write_image
from faceswap_gan.training import budget, trainer


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Both people's drawn faces, read for 64 px networks."""
    return read_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def preview(monkeypatch, tmp_path_factory):
    """Sheets that are only counted."""
    path = tmp_path_factory.mktemp("preview") / "sheet.png"
    write_image(path, np.zeros((4, 4, 3), np.uint8))
    fake = FakePreview(path)
    monkeypatch.setattr(trainer, "build_painter", lambda networks, side: None)
    monkeypatch.setattr(trainer, "Previewer", lambda *arguments: fake)
    return fake


@pytest.fixture
def clock(monkeypatch):
    """The time that budgets see."""
    fake = FakeClock()
    monkeypatch.setattr(budget, "time", fake)
    return fake


@pytest.fixture
def often(monkeypatch):
    """Reports after every second step."""
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 2)
