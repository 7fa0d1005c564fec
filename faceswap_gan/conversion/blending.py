"""A painted crop laid into its frame, with an edge nobody sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import Alignment

Floats = npt.NDArray[np.float32]

FEATHER = 0.1
"""Width of the soft edge, in parts of the crop's side."""

_ROUND = 0.8
_MARGIN = 2


@dataclass(frozen=True)
class Pasted:
    """A frame with a face laid in.

    Attributes:
        image: RGB uint8 (H, W, 3); equal to the frame, bit for bit, wherever ``mask`` is 0.
        mask: how much of each pixel is painted, uint8 (H, W), rounded up: 0 means not at all.
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]


@lru_cache(maxsize=8)
def feather(size: int, coverage: float) -> Floats:
    """Draw the region of a crop that may be painted.

    A square with strongly rounded corners, 1 inside and falling smoothly (both ends flat) to 0 at its rim.

    Args:
        size: side of the crop, px.
        coverage: side of the region in parts of the crop's, in (0, 1].

    Returns:
        Float32 (size, size) in [0, 1], 0 at the crop's border; shared, not to be changed.

    Raises:
        SettingsError: coverage outside (0, 1].
    """
    if not 0 < coverage <= 1:
        raise SettingsError(f"expected --coverage above 0 and at most 1, got {coverage}; 0.95 suits most faces.")
    place = np.abs((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5)
    half = coverage / 2
    corner = half * _ROUND
    over_x, over_y = np.meshgrid(place - (half - corner), place - (half - corner))
    outside = np.hypot(np.maximum(over_x, 0), np.maximum(over_y, 0))
    depth = corner - outside - np.minimum(np.maximum(over_x, over_y), 0)
    ramp = np.clip(depth / min(FEATHER, half), 0, 1)
    mask = np.asarray(ramp * ramp * (3 - 2 * ramp), dtype=np.float32)
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    mask.setflags(write=False)
    return mask


def paste(image: npt.NDArray[np.uint8], rgb: Floats, alpha: Floats, alignment: Alignment) -> Pasted:
    """Lay a painted crop over a frame: alpha * crop + (1 - alpha) * frame.

    The crop may be smaller or larger than the alignment's; it covers the same square of the frame and is
    resampled once, straight into place.

    Args:
        image: RGB frame, uint8 (H, W, 3); not changed.
        rgb: painted crop, float32 (S, S, 3) in [0, 255].
        alpha: how much of it shows, float32 (S, S) in [0, 1], 0 at its border.
        alignment: where the crop's square lies in the frame.
    """
    mask = np.zeros(image.shape[:2], np.uint8)
    result = image.copy()
    place = alignment.resized(rgb.shape[0])
    box = _box(place, image.shape)
    if box is None:
        return Pasted(result, mask)
    x1, y1, x2, y2 = box
    matrix = place.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ [x1, y1]
    side = (x2 - x1, y2 - y1)
    rgb, alpha, matrix = _shrink(rgb, alpha, matrix)
    smooth = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    colour = cv2.warpAffine(rgb, matrix, side, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(alpha, matrix, side, flags=flags, borderMode=cv2.BORDER_CONSTANT).clip(0, 1)
    under = image[y1:y2, x1:x2]
    mixed = under + part[..., None] * (colour.clip(0, 255) - under)
    result[y1:y2, x1:x2] = np.where(part[..., None] > 0, np.rint(mixed), under).astype(np.uint8)
    mask[y1:y2, x1:x2] = np.ceil(part * 255).astype(np.uint8)
    return Pasted(result, mask)


def _box(alignment: Alignment, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Find the rectangle of the frame, xyxy px, that holds a crop; None if it lies outside."""
    corners = alignment.corners()
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - _MARGIN, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + _MARGIN, [shape[1], shape[0]])
    if (low >= high).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _shrink(
    rgb: Floats, alpha: Floats, matrix: npt.NDArray[np.float64]
) -> tuple[Floats, Floats, npt.NDArray[np.float64]]:
    """Average a crop down first when it goes into a much smaller place: a warp alone would skip pixels."""
    size = rgb.shape[0]
    smaller = round(size / max(1.0, float(np.hypot(matrix[0, 0], matrix[1, 0]))))
    if smaller > size * 0.75 or smaller < 2:
        return rgb, alpha, matrix
    k = smaller / size
    rgb, alpha = (cv2.resize(part, (smaller, smaller), interpolation=cv2.INTER_AREA) for part in (rgb, alpha))
    # Pixel centres: (x + 0.5) * k - 0.5
    shift = np.asarray([[0, 0, (k - 1) / 2], [0, 0, (k - 1) / 2]])
    return np.asarray(rgb, np.float32), np.asarray(alpha, np.float32), matrix * k + shift
