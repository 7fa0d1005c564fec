"""Where the eyes look and when they shut.

Points are the 478 of MediaPipe's face mesh with irises, in frame px, NaN where no face was found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces import topology

Floats = NDArray[np.floating]

SHUT = 0.6
"""An eye is shut when it is open less than this part of its usual opening."""


def gaze(points: Floats) -> NDArray[np.float64]:
    """Place of each iris between the corners of its eye.

    Args:
        points: (n, 478, 2) px.

    Returns:
        float64 (n, 2 eyes, 2): offset of the iris' centre from the middle between the eye's corners, along the
        line between them and square to it (down), in parts of the eye's width.
    """
    at = points.astype(np.float64)
    eyes = (
        _iris_offset(at, topology.LEFT_EYE_CORNERS, topology.LEFT_IRIS),
        _iris_offset(at, topology.RIGHT_EYE_CORNERS, topology.RIGHT_IRIS),
    )
    return np.stack(eyes, axis=1)


def gaze_error(points: Floats, wanted: Floats) -> NDArray[np.float64]:
    """How far the irises are from where they should be.

    Frames in which the footage's eyes are shut are left out: there is no gaze to keep.

    Args:
        points: of the swap, (n, 478, 2) px.
        wanted: of the footage, (n, 478, 2) px.

    Returns:
        float64 (n,) per cent of the eye's width, mean of both eyes; NaN where it is not defined.
    """
    away = np.linalg.norm(gaze(points) - gaze(wanted), axis=-1).mean(axis=1)
    return np.where(shut(wanted), np.nan, 100 * away)


def eye_offset(points: Floats, wanted: Floats) -> NDArray[np.float64]:
    """How far the eyes are from where the footage has them, whatever their shape.

    Args:
        points: of the swap, (n, 478, 2) px.
        wanted: of the footage, (n, 478, 2) px.

    Returns:
        float64 (n,) per cent of the distance between the footage's eyes, mean of both; NaN without a face.
    """
    ours, theirs = _centres(points), _centres(wanted)
    apart = _length(ours - theirs).mean(axis=1)
    return np.asarray(100 * apart / _length(theirs[:, 1] - theirs[:, 0]))


def opening(points: Floats) -> NDArray[np.float64]:
    """How open the eyes are: distance between the lids over the eye's width, mean of both eyes.

    Args:
        points: (n, 478, 2) px.

    Returns:
        float64 (n,), about 0.3 open and 0.1 shut.

    References:
        Soukupova and Cech, "Real-time eye blink detection using facial landmarks" (2016), eq. 1.
    """
    ratios = []
    for six in (topology.LEFT_EYE_ASPECT, topology.RIGHT_EYE_ASPECT):
        p1, p2, p3, p4, p5, p6 = np.moveaxis(points[:, list(six)].astype(np.float64), 1, 0)
        ratios.append((_length(p2 - p6) + _length(p3 - p5)) / (2 * _length(p1 - p4)))
    return np.asarray(np.mean(ratios, axis=0))


def shut(points: Floats) -> NDArray[np.bool_]:
    """In which frames the eyes are shut.

    People's eyes differ in height, so an eye is measured by the video's own median opening.

    Args:
        points: (n, 478, 2) px, of one video.

    Returns:
        bool (n,); False where no face was found.
    """
    own = opening(points)
    if not np.isfinite(own).any():
        return np.zeros(len(points), np.bool_)
    return np.asarray(own < SHUT * np.nanmedian(own))


def _iris_offset(points: NDArray[np.float64], corners: tuple[int, int], iris: tuple[int, ...]) -> NDArray[np.float64]:
    left, right = (points[:, i] for i in corners)
    along = right - left
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    offset = points[:, iris[0]] - (left + right) / 2
    square = np.sum(along**2, axis=-1)
    return np.stack([np.sum(offset * axis, axis=-1) / square for axis in (along, across)], axis=-1)


def _centres(points: Floats) -> NDArray[np.float64]:
    """Middles of the six points around each eye, (n, 2 eyes, 2) px."""
    six = [list(each) for each in (topology.LEFT_EYE_ASPECT, topology.RIGHT_EYE_ASPECT)]
    return np.asarray(points.astype(np.float64)[:, six].mean(axis=2))


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(vectors, axis=-1))
