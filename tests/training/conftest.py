"""Faces that training's tests share."""

from __future__ import annotations

import pytest
from tiny import read_people


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Both people's drawn faces, read for 64 px networks."""
    return read_people(tmp_path_factory.mktemp("people"))
