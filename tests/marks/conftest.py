"""What the tests of the marks share."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clouds import SIZE, clouds
from numpy.typing import NDArray

from faceswap_gan.marks.credentials import SwapFacts, hash_settings


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path_factory) -> Path:
    """A settings folder of the test's own: no test touches the user's key."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("FACESWAP_CONFIG", str(folder))
    return folder


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """Soft clouds with fine grain: RGB uint8 (H, W, 3)."""
    return clouds(0)


@pytest.fixture(scope="session")
def mask() -> NDArray[np.uint8]:
    """A soft ellipse as large as a face: uint8 (H, W)."""
    flat = np.zeros(SIZE, np.uint8)
    cv2.ellipse(flat, (160, 128), (85, 110), 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(flat, (31, 31), 0), np.uint8)


@pytest.fixture
def facts(tmp_path) -> SwapFacts:
    """What is said about a swap of some footage."""
    footage = tmp_path / "footage.dat"
    footage.write_bytes(b"what was painted into")
    kind = "compositeWithTrainedAlgorithmicMedia"
    return SwapFacts(footage, "Ann agreed", kind, hash_settings({"a": 1}), "ab" * 32)
