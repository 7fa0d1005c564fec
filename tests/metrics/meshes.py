"""A drawn mesh whose eyes, mouth and head move as told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces import topology


def draw_mesh(
    *, gaze: tuple[float, float] = (0.0, 0.0), lids: float = 0.3, mouth: float = 0.1, scale: float = 100.0
) -> NDArray[np.float32]:
    """478 points, float32 (478, 2) px: eyes' outer corners one `scale` apart, about (200, 150).

    Args:
        gaze: of both irises, in parts of the eye's width.
        lids: aspect ratio of the eyes.
        mouth: gap between the lips in parts of the eyes' span.
        scale: px.
    """
    points = np.random.default_rng(0).uniform(-0.8, 0.8, (478, 2))
    angle = np.linspace(0, 2 * np.pi, len(topology.FACE_OVAL), endpoint=False)
    points[list(topology.FACE_OVAL)] = np.stack([np.sin(angle) * 0.9, -np.cos(angle) * 1.2 + 0.4], axis=1)
    eyes = (
        (topology.LEFT_EYE_ASPECT, topology.LEFT_IRIS, -0.5, -0.15),
        (topology.RIGHT_EYE_ASPECT, topology.RIGHT_IRIS, 0.15, 0.5),
    )
    for six, iris, left, right in eyes:
        width, half = right - left, lids * (right - left) / 2
        third, two_thirds = left + width / 3, right - width / 3
        places = [(left, 0), (third, -half), (two_thirds, -half), (right, 0), (two_thirds, half), (third, half)]
        points[list(six)] = places
        points[iris[0]] = [(left + right) / 2 + gaze[0] * width, gaze[1] * width]
    points[list(topology.MOUTH_LIPS)] = [(0, 0.8 - mouth / 2), (0, 0.8 + mouth / 2)]
    return (points * scale + [200, 150]).astype(np.float32)


def turn(degrees: float, axis: int = 1) -> NDArray[np.float64]:
    """Rotation about one axis, float64 (3, 3)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[i, i], matrix[j, j], matrix[i, j], matrix[j, i] = c, c, -s, s
    return matrix
