"""How the face trembles from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.metrics.shape import eye_span

Floats = NDArray[np.floating]


def acceleration(points: Floats, frames: NDArray[np.integer]) -> NDArray[np.float64]:
    """Mean acceleration of all landmarks: |p[t-1] - 2 p[t] + p[t+1]|, 0 for even motion.

    Args:
        points: (n, k, 2) px; NaN where no face was found.
        frames: (n,) number of each frame; only three that follow each other are compared.

    Returns:
        float64 (n,) per cent of the eyes' span; NaN at ends, gaps and frames without a face. The ratio of the
        swap's mean to the footage's tells how much the swap trembles: 1 is as the footage, more is trembling,
        less is motion smoothed away.

    References:
        Second differences as a measure of jitter: Kanazawa et al., "Learning 3D human dynamics from video"
        (2019), acceleration error.
    """
    result = np.full(len(points), np.nan)
    if len(points) < 3:
        return result
    at = np.asarray(points, np.float64)
    change = np.linalg.norm(at[:-2] - 2 * at[1:-1] + at[2:], axis=-1).mean(axis=1)
    consecutive = frames[2:] - frames[:-2] == 2
    result[1:-1] = np.where(consecutive, 100 * change / eye_span(points)[1:-1], np.nan)
    return result


def flicker(colours: Floats, wanted: Floats, frames: NDArray[np.integer]) -> NDArray[np.float64]:
    """Change, from one frame to the next, of how far the face's mean colour is from the footage's.

    A colour that is constantly off does not flicker; the footage's own changes of light don't count.

    Args:
        colours: mean CIELAB colour of the swapped face, (n, 3); NaN where there is none.
        wanted: the same of the footage.
        frames: (n,) number of each frame; only neighbours are compared.

    Returns:
        float64 (n,) units of CIELAB; NaN at starts and gaps.
    """
    offset = np.asarray(colours, np.float64) - wanted
    result = np.full(len(offset), np.nan)
    change = np.linalg.norm(np.diff(offset, axis=0), axis=1)
    result[1:] = np.where(np.diff(frames) == 1, change, np.nan)
    return result
