"""What the tests of faces share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bundle(facedata: Path) -> Path:
    """MediaPipe's face_landmarker.task."""
    pytest.importorskip("ai_edge_litert", reason="the mesh extra is not installed")
    return facedata / "weights" / "face_landmarker.task"
