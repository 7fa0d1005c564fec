"""Gaze of a bent face: each iris brought to where dst's is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.mesh_warp import Raster, SourceMap
from faceswap_gan.faces.topology import (
    LEFT_EYE,
    LEFT_EYE_CORNERS,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_EYE_CORNERS,
    RIGHT_IRIS,
)

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_EYES = ((LEFT_EYE, LEFT_EYE_CORNERS, LEFT_IRIS), (RIGHT_EYE, RIGHT_EYE_CORNERS, RIGHT_IRIS))
_REACH = (0.08, 0.92)  # where an iris may have its middle on the line from corner to corner
_WHITE = 0.05  # what is left beside it at least, in widths of the eye
_LEAST_OPEN = 0.1  # height of an eye in parts of its width below which it has no gaze
_MOST_UP = 0.08  # how far an iris is moved up or down, in widths of the eye


def turn_eyes(there: SourceMap, raster: Raster, dst_points: Array, src_points: Array) -> None:
    """Shift what is fetched inside the eyes so that src's irises come to lie on dst's.

    The mesh takes lids to lids and would leave the gaze as it is in the source picture. Inside each eye's contour
    the place fetched from is moved along the line between the corners: by the irises' distance on the iris,
    which keeps its shape, falling to nothing at the corners.

    Args:
        there: of the raster; changed in place.
        raster: of dst's mesh.
        dst_points: float (478, 2) frame px.
        src_points: float (478, 2) px of the source picture.
    """
    local = raster.local(dst_points)
    for contour, corners, iris in _EYES:
        eye = local[list(contour)]
        low = np.maximum(np.floor(eye.min(axis=0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(eye.max(axis=0)).astype(int) + 3, raster.triangles.shape[::-1])
        at = local[iris[0]]
        is_inside = (low < high - 1).all() and (low <= at).all() and (at < high - 1).all()
        if not is_inside or not _is_open(dst_points[list(contour)]) or not _is_open(src_points[list(contour)]):
            continue
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        part = SourceMap(there.x[window], there.y[window])
        middle = _look_up(part, at - low)
        _shift(part, _weight(part.x.shape, eye - low), src_points[list(corners)], src_points[list(iris)], middle)


def _look_up(part: SourceMap, point: Array) -> npt.NDArray[np.float64]:
    """Find where a point between pixels is fetched from, by bilinear interpolation: float64 (2,)."""
    x, y = (int(v) for v in np.floor(point))
    right, down = (float(v) for v in point - [x, y])
    weights = np.outer([1 - down, down], [1 - right, right])
    return np.asarray([(place[y : y + 2, x : x + 2] * weights).sum() for place in (part.x, part.y)])


def _shift(part: SourceMap, weight: Floats, corners: Array, iris: Array, middle: Array) -> None:
    """Move the places of one eye's pixels: those fetched for dst's iris, around ``middle``, onto src's iris."""
    start, along = corners[0].astype(np.float64), (corners[1] - corners[0]).astype(np.float64)
    span = float(along @ along)
    up = np.asarray([-along[1], along[0]])
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()) / np.sqrt(span)
    have, want = (float(np.clip((p - start) @ along / span, *_REACH)) for p in (iris[0], middle))
    u = ((part.x - start[0]) * along[0] + (part.y - start[1]) * along[1]) / span
    here, there = _knots(want, radius), _knots(have, radius)
    moved = np.interp(u, here, there - here)
    rise = float(np.clip((iris[0] - middle) @ up / span, -_MOST_UP, _MOST_UP))
    lifted = rise * np.interp(u, here, [0, 1, 1, 0])
    part.x[...] += weight * (moved * along[0] + lifted * up[0])
    part.y[...] += weight * (moved * along[1] + lifted * up[1])


def _knots(middle: float, radius: float) -> npt.NDArray[np.float64]:
    """Corner, iris, corner on the line between the corners, rising even where the iris hides a corner."""
    first, last = middle - radius, middle + radius
    return np.asarray([min(0.0, first - _WHITE), first, last, max(1.0, last + _WHITE)])


def _weight(shape: tuple[int, ...], contour: Array) -> Floats:
    """Draw the inside of an eye, soft at its lids: float32 in [0, 1]."""
    drawn = np.zeros(shape, np.float32)
    cv2.fillPoly(drawn, [np.rint(contour * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return np.asarray(cv2.blur(drawn, (3, 3)), np.float32)


def _is_open(contour: Array) -> bool:
    """Tell whether an eye is open enough to show where it looks."""
    x, y = contour.astype(np.float64).T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return area > _LEAST_OPEN * float(np.ptp(contour, axis=0).max()) ** 2
