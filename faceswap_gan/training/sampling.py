"""Which faces of a person are drawn how often, and which moments."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_KINDS = 24  # groups of like faces
_SIDE = 16  # px: side of the picture by which faces are likened


def face_probabilities(crops: NDArray[np.uint8], balance: float) -> NDArray[np.float64]:
    """Tell how often each face is drawn: some evenly over the frames, some evenly over kinds of face.

    In a clip of someone talking, a broad smile or a turned head fills few frames; drawn evenly over frames it is
    hardly learned. Kinds are clusters of the pictures at 16 x 16 px.

    Args:
        crops: a person's faces, RGB uint8 (N, S, S, 3), S at least 16.
        balance: share drawn evenly over kinds, in [0, 1]; 0 draws every face alike.

    Returns:
        float64 (N,), sums to 1.

    References:
        Kang et al. (2020), Decoupling representation and classifier, section 4.1 (class-balanced sampling); clusters
        by k-means++.
    """
    number = len(crops)
    even = np.full(number, 1.0 / number)
    if balance == 0.0 or number <= _KINDS:
        return even
    small = [cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for crop in crops]
    points = np.stack(small).reshape(number, -1).astype(np.float32)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 50, 0.1)
    _, found, _ = cv2.kmeans(points, _KINDS, np.empty(0, np.int32), stop, 3, cv2.KMEANS_PP_CENTERS)
    kinds = found[:, 0]
    sizes = np.bincount(kinds, minlength=_KINDS)
    over_kinds = 1.0 / (np.count_nonzero(sizes) * sizes[kinds])
    return np.asarray((1.0 - balance) * even + balance * over_kinds)


def moment_probabilities(crops: NDArray[np.uint8], masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Tell how often each frame is drawn as the first of two that follow each other.

    Half evenly, half as much as the face changes until the next frame: a blink lasts a few frames of a hundred.

    Args:
        crops: a person's faces in the order of the video, RGB uint8 (N, S, S, 3).
        masks: where change counts, uint8 (N, S, S, M); the largest of the M masks is taken.

    Returns:
        float64 (N,), sums to 1.
    """
    number = len(crops)
    change = np.zeros(number)
    for i in range(number - 1):
        difference = np.abs(_grey(crops[i + 1]) - _grey(crops[i]))
        weight = masks[i].max(axis=-1).astype(np.float32)
        change[i] = float((difference * weight).sum() / max(float(weight.sum()), 1.0))
    if not change.any():
        return np.full(number, 1.0 / number)
    return np.asarray(0.5 / number + 0.5 * change / change.sum())


def _grey(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)
