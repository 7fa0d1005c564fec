"""How the head is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

RIGID = (
    4, 6, 10, 33, 54, 67, 117, 119, 121, 127, 129, 132, 133, 136, 143, 147, 198, 205, 263, 284, 297, 346, 348,
    350, 356, 358, 361, 362, 365, 372, 376, 420, 425,
)  # fmt: skip
"""Points of the face mesh that speaking and blinking move little."""


def rotation(points: Floats, depth: Floats, model: Floats) -> NDArray[np.float64]:
    """Find the rotation from a model head to a face by least squares.

    Args:
        points: mesh points, (468 or more, 2) px.
        depth: of the same, in px, away from the camera.
        model: the mesh's canonical vertices, (468, 3), x right, y up, z to the camera, any unit.

    Returns:
        float64 (3, 3), in axes x right, y down, z away from the camera; NaN when a coordinate is.

    References:
        Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991),
        eq. 40 and 43.
    """
    rigid = list(RIGID)
    head = np.asarray(model, np.float64)[rigid] * [1.0, -1.0, -1.0]
    face = np.concatenate([points[rigid], depth[rigid, None]], axis=1).astype(np.float64)
    if not np.isfinite(face).all():
        return np.full((3, 3), np.nan)
    u, _, vt = np.linalg.svd((face - face.mean(axis=0)).T @ (head - head.mean(axis=0)))
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    return np.asarray(u @ sign @ vt)


def pose_error(rotations: Floats, wanted: Floats) -> NDArray[np.float64]:
    """Angle between two orientations: that of the one turn which brings the first onto the second.

    Args:
        rotations: (n, 3, 3).
        wanted: (n, 3, 3).

    Returns:
        float64 (n,) degrees, 0 to 180; NaN where either is.

    References:
        Huynh, "Metrics for 3D rotations: comparison and analysis" (2009), eq. 23.
    """
    # |A - B| = 2 sqrt(2) sin(angle / 2) keeps its digits near 0, where the arc cosine of the trace does not.
    gap = np.linalg.norm(np.asarray(rotations, np.float64) - wanted, axis=(1, 2))
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(gap / np.sqrt(8.0), 1.0))))
