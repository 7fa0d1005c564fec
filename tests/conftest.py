"""What several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "facedata"


@pytest.fixture(scope="session")
def facedata() -> Path:
    """Folder of real videos and photos for internal tests; most machines have none."""
    folder = Path(os.environ.get("FACESWAP_TESTDATA", _BESIDE_THE_PROJECT))
    if not folder.is_dir():
        pytest.skip(f"no real faces at {folder}; set FACESWAP_TESTDATA to a folder that has them")
    return folder
