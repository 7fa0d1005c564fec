"""A picture at falling sizes, laid out side by side on one canvas.

One canvas is one call of P-Net, whatever the number of sizes, and frames of one size share one shape: nothing
is compiled again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

FACTOR = 0.709
"""Ratio of one level's side to the one before: half the area."""

CELL = 12
"""Side of what P-Net sees at once, px; levels smaller than this hold nothing."""


@dataclass(frozen=True)
class Level:
    """Where one size of the picture lies on the canvas: all px of the canvas."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Pyramid:
    """Layout of all levels of a frame size."""

    levels: tuple[Level, ...]
    width: int
    height: int

    def draw(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Shrink a frame onto a canvas.

        Args:
            image: RGB uint8 (H, W, 3).

        Returns:
            RGB uint8 (height, width, 3), mid-grey between the levels.
        """
        canvas = np.full((self.height, self.width, 3), 128, np.uint8)
        for level in self.levels:
            # Each level comes from the one before; halving the area each time is what INTER_AREA does best.
            image = _shrink(image, level.width, level.height)
            canvas[level.y : level.y + level.height, level.x : level.x + level.width] = image
        return canvas


@lru_cache(maxsize=16)
def plan_pyramid(width: int, height: int, *, min_size: int) -> Pyramid:
    """Lay out the levels in which faces from ``min_size`` px up become 12 px.

    Args:
        width: of the frame, px.
        height: of the frame, px.
        min_size: side of the smallest face's square, px.

    Returns:
        The layout; without levels when the frame is smaller than one face.
    """
    scale = CELL / min_size
    sizes = []
    while min(width, height) * scale >= CELL:
        sizes.append((round(width * scale), round(height * scale)))
        scale *= FACTOR
    return _pack(sizes)


def _pack(sizes: list[tuple[int, int]]) -> Pyramid:
    """Place the levels in columns: each below the first column that has room, at even offsets."""
    levels: list[Level] = []
    columns: list[list[int]] = []  # x, width, used height
    height = _even(sizes[0][1]) if sizes else 0
    for level_width, level_height in sizes:
        fits = (c for c in columns if c[1] >= level_width and c[2] + level_height <= height)
        column = next(fits, None)
        if column is None:
            right = columns[-1][0] + columns[-1][1] if columns else 0
            column = [right, _even(level_width), 0]
            columns.append(column)
        levels.append(Level(column[0], column[2], level_width, level_height))
        column[2] += _even(level_height)
    width = columns[-1][0] + columns[-1][1] if columns else 0
    return Pyramid(tuple(levels), width, height)


def _even(length: int) -> int:
    return length + length % 2


def _shrink(image: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
