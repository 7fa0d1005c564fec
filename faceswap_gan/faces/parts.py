"""Parts of a crop as soft masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Half width and half height of an ellipse, in parts of the distance between the eyes.
_MOUTH = (0.60, 0.40)  # an open mouth too
_SOFTNESS = 0.5  # width of an edge, in parts of the ellipse's radius
_CHEEKS = 0.94  # half width of the face, in parts of the distance between the eyes
_FOREHEAD, _CHIN = 1.7, 1.2  # half heights above and below its middle, in parts of the way from eyes to mouth
_FACE_CENTRE = 0.53  # of the face, of the way from the eyes to the mouth
_JAW = 0.2  # how much narrower the face is at the chin
_YAW = 0.5  # how much of the nose's offset the far cheek's edge gives way

Mask = npt.NDArray[np.uint8]


def mouth_mask(landmarks: npt.NDArray[Any], size: int) -> Mask:
    """Draw the mouth of a crop.

    Args:
        landmarks: float (5, 2) crop px.
        size: side of the crop, px.

    Returns:
        uint8 (size, size): 255 within the mouth, falling smoothly to 0.
    """
    points = np.asarray(landmarks, np.float64)
    axes = _axes(points[0], points[1])
    return _to_bytes(_ramp(np.hypot(*_radii(points[3:].mean(axis=0), axes, _MOUTH, size))))


def face_mask(landmarks: npt.NDArray[Any], size: int) -> Mask:
    """Draw the region of a crop that a swap paints: forehead to chin, following the head's turn.

    A superellipse on the line from the eyes to the mouth. The nose leaves that line towards the side that the
    head turns to, and the cheek on that side is drawn in as much.

    Args:
        landmarks: float (5, 2) crop px.
        size: side of the crop, px.

    Returns:
        uint8 (size, size): 255 within the face, falling smoothly to 0.
    """
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    axes = _axes(points[0], points[1])
    centre = eyes + _FACE_CENTRE * (mouth - eyes)
    height = float(np.hypot(*(mouth - eyes)) / np.hypot(*axes[0]))  # in eye distances
    u, v = _radii(centre, axes, (_CHEEKS, max(height, 0.5)), size)
    v = np.where(v > 0, v / _CHIN, v / _FOREHEAD)
    nose = float((points[2] - centre) @ axes[0]) / float(axes[0] @ axes[0])  # in eye distances, + is right
    turn = np.clip(_YAW * nose, -0.4, 0.4)
    u = np.where(u > 0, u / (1.0 - turn), u / (1.0 + turn)) * (1.0 + _JAW * np.clip(v, 0.0, 1.0) ** 2)
    return _to_bytes(_ramp((abs(u) ** 2.5 + abs(v) ** 2.5) ** 0.4 + 0.1, softness=0.2))


def _axes(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the vector between the eyes and the one square to it, float64 (2, 2) px."""
    along = right - left
    if not along.any():
        along = np.array([1e-6, 0.0])
    return np.stack([along, [-along[1], along[0]]])


def _radii(
    centre: npt.NDArray[Any], axes: npt.NDArray[np.float64], halves: tuple[float, float], size: int
) -> npt.NDArray[np.float64]:
    """Return each pixel's place in an ellipse along the axes, float64 (2, size, size); length 1 = its rim."""
    y, x = np.mgrid[:size, :size]
    offsets = np.stack([x - centre[0], y - centre[1]])
    scale = axes / (axes[0] @ axes[0]) / np.asarray(halves)[:, None]
    return np.asarray(np.tensordot(scale, offsets, axes=1), np.float64)


def _ramp(radius: npt.NDArray[Any], *, softness: float = _SOFTNESS) -> npt.NDArray[Any]:
    """Fall smoothly from 1 within to 0 without; half way at radius 1."""
    t = np.clip((1 + softness / 2 - radius) / softness, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _to_bytes(mask: npt.NDArray[Any]) -> Mask:
    return np.asarray(np.rint(mask * 255), np.uint8)
