"""Parts of a crop as soft masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Half width, half height and softness of an eye's ellipse, in parts of the distance between the eyes:
# lids and lashes included, brows not.
_HALF_WIDTH = 0.34
_HALF_HEIGHT = 0.21
_SOFTNESS = 0.5


def eye_mask(landmarks: npt.NDArray[Any], size: int) -> npt.NDArray[np.uint8]:
    """Draw both eyes of a crop.

    Args:
        landmarks: float (5, 2) or (2, 2) crop px, left eye and right eye first.
        size: side of the crop, px.

    Returns:
        uint8 (size, size): 255 within the eyes, falling smoothly to 0.
    """
    left, right = np.asarray(landmarks, np.float64)[:2]
    distance = max(float(np.hypot(*(right - left))), 1e-6)
    along = (right - left) / distance
    y, x = np.mgrid[:size, :size]
    mask = np.zeros((size, size))
    for eye in (left, right):
        u = (x - eye[0]) * along[0] + (y - eye[1]) * along[1]
        v = (y - eye[1]) * along[0] - (x - eye[0]) * along[1]
        radius = np.hypot(u / (_HALF_WIDTH * distance), v / (_HALF_HEIGHT * distance))
        ramp = np.clip((1 + _SOFTNESS / 2 - radius) / _SOFTNESS, 0, 1)
        mask = np.maximum(mask, ramp * ramp * (3 - 2 * ramp))
    return np.rint(mask * 255).astype(np.uint8)
