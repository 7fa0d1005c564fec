"""Faces that look alike: a description of each, and the nearest by it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.parts import face_mask

Floats = npt.NDArray[np.float32]

_SIDE = 64  # px: the picture that features are taken from
_CELLS = 8
_DIRECTIONS = 8
_POSE = 2.0  # weight of a point's place, in eye distances, beside a blendshape
_AT_ONCE = 256  # queries compared together: all of them at once would need gigabytes for two folders of 20,000 faces


def mean_features(image: npt.NDArray[np.uint8]) -> Floats:
    """Describe the look of a face: maps of its edges by direction, averaged over cells.

    No network: gradients of the grey picture within the face, one map a direction (8, signed), each averaged over
    8 x 8 cells. The length of the vector is 1, so contrast has no say; light and skin have little.

    Args:
        image: aligned crop, RGB uint8 (S, S, 3).

    Returns:
        Float32 (512,), length 1; zeros for an even picture.

    References:
        Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005, section 6; the root
        is Arandjelovic and Zisserman's, "Three things everyone should know...", CVPR 2012, section 3.
    """
    grey = cv2.cvtColor(cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(np.asarray(grey, np.float32), (0, 0), 1.0)
    dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy) * _face_weight()
    place = (np.arctan2(dy, dx) / (2 * np.pi) * _DIRECTIONS) % _DIRECTIONS
    apart = np.abs(place[..., None] - np.arange(_DIRECTIONS))
    share = np.clip(1 - np.minimum(apart, _DIRECTIONS - apart), 0, 1)
    cell = _SIDE // _CELLS
    maps = (share * strength[..., None]).reshape(_CELLS, cell, _CELLS, cell, _DIRECTIONS).mean(axis=(1, 3))
    total = float(maps.sum())
    if not total:
        return np.zeros(maps.size, np.float32)
    return np.asarray(np.sqrt(maps / total).ravel(), np.float32)


def expression(landmarks: Landmarks, five: npt.NDArray[np.float64], size: int) -> Floats:
    """Describe the expression and pose of a face: 52 blendshapes, and where the five points lie in the crop.

    Blendshapes say nothing of the head's turn, which the points of an aligned crop do.

    Args:
        landmarks: with blendshapes.
        five: the detector's points, float64 (5, 2) crop px.
        size: side of the crop, px.

    Returns:
        Float32 (62,).

    Raises:
        SettingsError: the landmarks have no blendshapes.
    """
    if landmarks.blendshapes is None:
        raise SettingsError("expected landmarks with blendshapes, got none; use --landmarks mesh.")
    at = template(size)
    apart = (five - at) / np.hypot(*(at[1] - at[0]))
    return np.concatenate([landmarks.blendshapes, np.asarray(_POSE * apart, np.float32).ravel()])


def nearest(queries: Floats, references: Floats, count: int) -> npt.NDArray[np.int64]:
    """Find each query's nearest references.

    Args:
        queries: float32 (N, D).
        references: float32 (M, D).
        count: how many, at most M.

    Returns:
        Indices of references, int64 (N, count), nearest first.

    Raises:
        SettingsError: ``count`` is not in 1 to M.
    """
    if not 1 <= count <= len(references):
        raise SettingsError(f"expected --neighbours between 1 and {len(references)}, the faces of dst, got {count}.")
    r = references.astype(np.float64)
    own = (r**2).sum(axis=1)
    found = np.empty((len(queries), count), np.int64)
    for start in range(0, len(queries), _AT_ONCE):
        q = queries[start : start + _AT_ONCE].astype(np.float64)
        squares = (q**2).sum(axis=1)[:, None] - 2 * q @ r.T + own
        found[start : start + len(q)] = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return found


@lru_cache(maxsize=1)
def _face_weight() -> Floats:
    return np.asarray(face_mask(template(_SIDE), _SIDE) / 255, np.float32)
