"""Where the features are: distances between two faces' landmarks, the mouth's opening.

Points are the 478 of MediaPipe's face mesh with irises, in frame px, NaN where no face was found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces import topology

Floats = NDArray[np.floating]

_OUTER_CORNERS = (topology.LEFT_EYE_CORNERS[0], topology.RIGHT_EYE_CORNERS[1])


def eye_span(points: Floats) -> NDArray[np.float64]:
    """Distance between the outer corners of the eyes, the unit of landmark errors.

    Args:
        points: (n, 478, 2) px.

    Returns:
        float64 (n,) px.

    References:
        Sagonas et al., "300 Faces In-the-Wild Challenge" (2013): errors in parts of this distance.
    """
    left, right = (points[:, i].astype(np.float64) for i in _OUTER_CORNERS)
    return np.asarray(np.linalg.norm(right - left, axis=-1))


def landmark_error(points: Floats, wanted: Floats, part: Sequence[int]) -> NDArray[np.float64]:
    """Mean distance of a part's landmarks from where they should be.

    Args:
        points: of the swap, (n, 478, 2) px.
        wanted: of the footage, (n, 478, 2) px.
        part: which landmarks.

    Returns:
        float64 (n,) per cent of the footage's `eye_span`: the normalised mean error.

    References:
        Sagonas et al., "300 Faces In-the-Wild Challenge" (2013), eq. 1.
    """
    chosen = list(part)
    away = np.linalg.norm(points[:, chosen].astype(np.float64) - wanted[:, chosen], axis=-1)
    return np.asarray(100 * away.mean(axis=1) / eye_span(wanted))


def mouth_opening(points: Floats) -> NDArray[np.float64]:
    """Gap between the lips' inner edges at their middle.

    Args:
        points: (n, 478, 2) px.

    Returns:
        float64 (n,) in parts of the face's own `eye_span`; 0 is shut.
    """
    upper, lower = (points[:, i].astype(np.float64) for i in topology.MOUTH_LIPS)
    return np.asarray(np.linalg.norm(lower - upper, axis=-1) / eye_span(points))
