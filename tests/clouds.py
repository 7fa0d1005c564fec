"""Drawn pictures with the spectrum of a photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (256, 320)


def clouds(seed: int, *, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Draw what has the spectrum of a photo: RGB uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    height, width = size
    layers = [
        step * cv2.resize(rng.normal(0, 1, (height // step, width // step, 3)), (width, height), interpolation=2)
        for step in (64, 32, 16, 8, 4, 1)
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)
