"""How good a picture of a face is: how sharp, and how far turned away."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 128  # px at which sharpness is judged
_NOSE = 0.55  # how far a nose tip stands before the face, in eye distances
_NOSE_HEIGHT = 0.53  # of the way from the eyes to the mouth


def measure_sharpness(grey: NDArray[np.uint8]) -> float:
    """Measure how sharp the middle of a face is: the Laplacian's deviation over that of the picture.

    Only pictures of one person under like light compare.

    Args:
        grey: aligned crop, uint8 (S, S).

    Returns:
        0 for a blank picture; sharper is more.

    References:
        Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield microscopy (variance of the Laplacian).
    """
    if len(grey) > _SIDE:
        grey = np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    margin = len(grey) // 5
    middle = grey[margin : len(grey) - margin, margin : len(grey) - margin].astype(np.float32)
    return float(cv2.Laplacian(middle, cv2.CV_32F).std() / (middle.std() + 1.0))


def estimate_yaw(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Estimate how far heads are turned, from where the nose lies between the eyes.

    A nose tip stands about 0.55 eye distances before the line from the eyes to the mouth; seen from the side by an
    angle, it leaves that line by as much times the tangent, in eye distances as they are seen.

    Args:
        landmarks: the five points, (N, 5, 2) px.

    Returns:
        float64 (N,) degrees, positive towards the picture's right; NaN where a point is.
    """
    points = np.asarray(landmarks, np.float64)
    along = points[:, 1] - points[:, 0]
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    offset = points[:, 2] - (eyes + _NOSE_HEIGHT * (mouth - eyes))
    shares = (offset * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    return np.asarray(np.degrees(np.arctan(shares / _NOSE)))
