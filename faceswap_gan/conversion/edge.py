"""The region of a crop that is painted: drawn in or grown, and softened."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.finish import FACE

Floats = npt.NDArray[np.float32]

_ROUND = 0.8
_SURE, _RISE = 0.75, 0.25 / 0.15
_RIM = 0.1  # width of the region's soft rim, in parts of the crop's side


@lru_cache(maxsize=8)
def square(size: int, coverage: float) -> Floats:
    """Draw the region of a crop that may be painted at all.

    A square with strongly rounded corners, 1 inside and falling smoothly (both ends flat) to 0 at its rim.

    Args:
        size: side of the crop, px.
        coverage: side of the region in parts of the crop's, in (0, 1].

    Returns:
        Float32 (size, size) in [0, 1], 0 at the crop's border; shared, not to be changed.
    """
    place = np.abs((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5)
    half = coverage / 2
    corner = half * _ROUND
    over_x, over_y = np.meshgrid(place - (half - corner), place - (half - corner))
    outside = np.hypot(np.maximum(over_x, 0), np.maximum(over_y, 0))
    depth = corner - outside - np.minimum(np.maximum(over_x, over_y), 0)
    ramp = np.clip(depth / min(_RIM, half), 0, 1)
    mask = np.asarray(ramp * ramp * (3 - 2 * ramp), dtype=np.float32)
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    mask.setflags(write=False)
    return mask


def whole(mask: Floats) -> Floats:
    """Paint wholly what the network all but wholly paints.

    A mask that has been trained for an hour or less stays below 1 in the middle of the face, where the footage's own
    face then shines through as a ghost: on one such swap of 0.91 it cost 0.06 of the transfer of identity.

    Args:
        mask: the network's, float32 (S, S).

    Returns:
        float32 (S, S) in [0, 1]: 1 from 0.9 on, unchanged up to 0.75.
    """
    return np.asarray(np.clip(np.maximum(mask, _SURE + (mask - _SURE) * _RISE), 0, 1), np.float32)


def shape_mask(mask: Floats, *, erode: float = 0.0, feather: float = 0.0) -> Floats:
    """Draw a mask in, or let it grow, and soften its edge inwards.

    Args:
        mask: float32 (S, S) in [0, 1] over an aligned crop.
        erode: how far to draw it in, in widths of the face; negative lets it grow.
        feather: how wide its edge becomes, beyond what it is, in widths of the face. The softened mask is nowhere
            above the one that is not.

    Returns:
        float32 (S, S) in [0, 1]; fractions of a pixel count, so that a moving edge does not jump.
    """
    face = FACE * mask.shape[0]
    half = feather * face / 2
    drawn = _moved_in(mask, erode * face + half)
    if half <= 0:
        return drawn
    # Two boxes in a row: a ramp with both ends flat, whose whole width is the feather's.
    drawn = _box(_box(drawn, half / 2), half / 2)
    return np.minimum(drawn, mask) if erode >= 0 else drawn


def _moved_in(mask: Floats, distance: float) -> Floats:
    """Move a mask's edge inwards by a distance in px, outwards if it is negative."""
    if distance == 0:
        return mask
    operation = cv2.erode if distance > 0 else cv2.dilate
    whole, part = divmod(abs(distance), 1)
    near, far = (
        operation(mask, _disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0) if radius else mask
        for radius in (int(whole), int(whole) + 1)
    )
    return np.asarray(near + np.float32(part) * (far - near), np.float32)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _box(mask: Floats, radius: float) -> Floats:
    """Average over a box of 2 r px, r any positive number; nothing is taken to lie around."""
    whole = int(np.ceil(radius))
    row = np.clip(radius + 0.5 - np.abs(np.arange(-whole, whole + 1)), 0, 1)
    row /= row.sum()
    return np.asarray(cv2.sepFilter2D(mask, -1, row, row, borderType=cv2.BORDER_CONSTANT), np.float32)
