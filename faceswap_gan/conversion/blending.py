"""A painted crop laid into its frame, with an edge nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.alignment import Alignment

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[Any]
"""RGB (H, W, 3): uint8, or uint16 from 0 to 65535."""

_MARGIN = 2
_REACH = 6  # px of a crop around what shows that its enlargement and the warp may look at
_MOST = 4  # times a crop's side that it is enlarged before it is warped
_DEEP = 257  # levels of uint16 for one of uint8
_EPSILON = np.float32(1e-5)  # cv2.blendLinear divides by the sum of both weights and this


@dataclass(frozen=True)
class Layer:
    """A painted face as it lies over a frame, not mixed with it.

    Attributes:
        place: rows and columns of the frame that it covers.
        color: RGB float32 (h, w, 3) in [0, 255], whatever the frame's depth; may overshoot a little.
        alpha: how much of it shows, float32 (h, w) in [0, 1].
    """

    place: tuple[slice, slice]
    color: Floats
    alpha: Floats


def warp(rgb: Floats, alpha: Floats, alignment: Alignment, shape: tuple[int, ...]) -> Layer | None:
    """Bring a painted crop to its place in a frame.

    Args:
        rgb: painted crop, float32 (S, S, 3) in [0, 255].
        alpha: how much of it shows, float32 (S, S) in [0, 1], 0 at its border.
        alignment: where the crop's square lies in the frame, at any size.
        shape: the frame's.

    Returns:
        The layer, no larger than what shows of it; None if nothing does.
    """
    place = alignment.resized(rgb.shape[0])
    box = _box(place, alpha, shape)
    if box is None:
        return None
    x1, y1, x2, y2 = box
    matrix = place.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ [x1, y1]
    side = (x2 - x1, y2 - y1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    scaled, at = _scaled(rgb, matrix, shown=cv2.boundingRect((alpha > 0).astype(np.uint8)))
    color = cv2.warpAffine(scaled, at, side, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    # The mask is not enlarged: a cubic one would undershoot beside an edge.
    scaled, at = _scaled(alpha, matrix, most=1)
    part = cv2.warpAffine(scaled, at, side, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    part = np.asarray(cv2.max(cv2.min(part, 1.0), 0.0), np.float32)
    return Layer((slice(y1, y2), slice(x1, x2)), np.asarray(color, np.float32), part)


def bring(values: Floats, alignment: Alignment, place: tuple[slice, slice]) -> Floats:
    """Bring a soft map over a crop's square, float32 (S, S), to a place in the frame: float32 (h, w), 0 around it."""
    rows, columns = place
    matrix = alignment.resized(values.shape[0]).matrix
    matrix[:, 2] += matrix[:, :2] @ [columns.start, rows.start]
    side = (columns.stop - columns.start, rows.stop - rows.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, matrix, side, flags=flags, borderMode=cv2.BORDER_CONSTANT), np.float32)


def under(image: Picture, place: tuple[slice, slice]) -> Floats:
    """Give what lies under a layer, float32 (h, w, 3) in [0, 255], whatever the frame's depth."""
    part = image[place].astype(np.float32)
    return part if image.dtype == np.uint8 else part / np.float32(_DEEP)


def lay(image: Picture, mask: npt.NDArray[np.uint8], layer: Layer) -> None:
    """Mix a layer into a frame, in place; rounds once.

    Args:
        image: RGB uint8 or uint16 (H, W, 3).
        mask: of what is painted, uint8 (H, W); the larger value stays where two faces meet.
        layer: what to lay.
    """
    below = under(image, layer.place)
    mixed = cv2.blendLinear(layer.color, below, layer.alpha, 1 - layer.alpha - _EPSILON)
    if image.dtype == np.uint16:
        rounded = cv2.multiply(mixed, np.full(4, _DEEP, np.float64), dtype=cv2.CV_16U)
    else:
        rounded = cv2.convertScaleAbs(cv2.threshold(mixed, 0, 0, cv2.THRESH_TOZERO)[1])
    part = cv2.convertScaleAbs(layer.alpha, alpha=255, beta=0.4999)  # rounds up
    target = image[layer.place]
    target[:] = cv2.copyTo(rounded, part, target.copy())
    np.maximum(mask[layer.place], part, out=mask[layer.place])


def _box(alignment: Alignment, alpha: Floats, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Find the rectangle of the frame, xyxy px, that holds what shows of a crop; None if nothing does."""
    x, y, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if not width:
        return None
    # A pixel's worth around, as far as resampling reaches.
    low, high = (x - 2.5, y - 2.5), (x + width + 1.5, y + height + 1.5)
    rectangle = np.asarray([low, (high[0], low[1]), high, (low[0], high[1])])
    inverse = alignment.inverse
    corners = rectangle @ inverse[:, :2].T + inverse[:, 2]
    first = np.maximum(np.floor(corners.min(axis=0)).astype(int) - _MARGIN, 0)
    last = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + _MARGIN, [shape[1], shape[0]])
    if (first >= last).any():
        return None
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def _scaled(
    rgb: Floats,
    matrix: npt.NDArray[np.float64],
    *,
    most: int = _MOST,
    shown: Sequence[int] | None = None,
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Prepare a crop for a linear warp that neither skips pixels nor softens what the crop shows.

    Averaged where it shrinks; enlarged cubically, by a whole factor, where it grows: then a linear warp takes nothing
    away that shows, at half the time of a cubic one. (Doubled only, a face lost 9 % of its sharpness.) What lies
    farther from the rectangle ``shown``, x, y, width, height in px, than resampling reaches is not enlarged.
    """
    size = rgb.shape[0]
    step = float(np.hypot(matrix[0, 0], matrix[1, 0]))  # crop px for one of the frame
    k = round(size / step) / size if step > 1 else float(min(int(np.ceil(1 / step)), most))
    if k == 1 or 0.75 < k < 1 or round(size * k) < 2:
        return rgb, matrix
    # Pixel centres: (x + 0.5) * k - 0.5
    moved = matrix * k + np.asarray([[0, 0, (k - 1) / 2], [0, 0, (k - 1) / 2]])
    if k > 1 and shown is not None:
        x, y, width, height = shown
        left, top = max(x - _REACH, 0), max(y - _REACH, 0)
        rgb = rgb[top : y + height + _REACH, left : x + width + _REACH]
        moved[:, 2] -= [left * k, top * k]
    side = round(rgb.shape[1] * k), round(rgb.shape[0] * k)
    method = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, side, interpolation=method), np.float32), moved
