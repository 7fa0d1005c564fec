"""Place a surface before the camera and project it."""

from __future__ import annotations

import numpy as np

from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.shapes import Array

_PIVOT = np.array([0.0, 9.0, -3.0], np.float32)
"""Where the neck turns, in the head's axes, cm."""

_DISTANCE = 95.0
"""From the camera to the middle of the head, cm."""

_EYE_LINE = 0.465
"""Height of the eyes in the picture, fraction of its side from the top."""


def place(points: Array, pose: Pose, *, follow: Array) -> Array:
    """Turn a surface with the head.

    Args:
        points: Vertices in the head's axes, float32 (rows, columns, 3), cm.
        pose: Angles of the head.
        follow: How far each ring follows the turn, 0 to 1, float32 (rows,).

    Returns:
        Vertices in the camera's axes: x right, y down, z towards the camera; same shape, cm.
    """
    arms = points - _PIVOT
    turned = arms @ _rotation(pose).T
    return np.asarray(_PIVOT + arms + (turned - arms) * follow[:, None, None], np.float32)


def project(points: Array, pose: Pose, *, size: int) -> Array:
    """Project placed vertices.

    Args:
        points: Vertices in the camera's axes, float32 (..., 3), cm.
        pose: Shift and scale.
        size: Side of the picture, px.

    Returns:
        float32 (..., 2), px.
    """
    pixels_per_cm = pose.scale * size * 0.2 / 6.6
    perspective = pixels_per_cm * _DISTANCE / (_DISTANCE + 8.0 - points[..., 2:])
    centre = np.array([(0.5 + pose.x) * size, (_EYE_LINE + pose.y) * size], np.float32)
    return np.asarray(points[..., :2] * perspective + centre, np.float32)


def _rotation(pose: Pose) -> Array:
    """Yaw first, then pitch, then roll, all about the pivot."""
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
    c, s = np.cos, np.sin
    turn = np.array([[c(yaw), 0, s(yaw)], [0, 1, 0], [-s(yaw), 0, c(yaw)]])
    nod = np.array([[1, 0, 0], [0, c(pitch), s(pitch)], [0, -s(pitch), c(pitch)]])
    tilt = np.array([[c(roll), -s(roll), 0], [s(roll), c(roll), 0], [0, 0, 1]])
    return np.asarray(tilt @ nod @ turn, np.float32)
